//! Exact dicts, lists and tuples inside one another, and the fields of records, written without frames: by recursion a few
//! levels deep.
//!
//! Nothing here runs foreign code. Where something else comes up, every level that is open leaves a frame, the innermost
//! first, and the loop of the walk goes on from there; so it is where a level fails, for the path in the error.

use crate::error::Fault;
use crate::ffi::{Entries, Exact, Obj, dict_len, is_moment, list_get, list_len, tuple_get, tuple_len};
use crate::frame::{FieldValue, Source};
use crate::kind::{Action, Shape, code};
use crate::moments;
use crate::runs::{Entry, Form};
use crate::sink::{Build, Parts, Sink};
use crate::walk::{SIGNALS_EVERY, Visit, Walk};

/// Levels of recursion: few enough for a thread with the smallest stack, under a sanitizer too.
const LEVELS: usize = 12;

/// A container that is being written.
#[derive(Clone, Copy)]
struct Level {
    obj: Obj,
    exact: Exact,
    token: usize,
    /// Levels that may come inside.
    below: usize,
    /// It is on the path, because something inside it is looked at.
    entered: bool,
}

/// A part that can be written where it is met.
enum Ready {
    Container(Exact),
    /// A date or time.
    Moment,
}

/// How far a container got.
struct Paused {
    source: Source,
    /// Parts that were kept.
    kept: usize,
    /// The key of the present part, and where the sink stood before it.
    part: Option<(Option<Obj>, usize)>,
}

impl<S: Sink> Walk<'_, S> {
    /// Writes an exact dict, list or tuple; or opens a frame for it, and for what is open inside.
    #[inline(always)]
    pub fn container(&mut self, obj: Obj, exact: Exact) -> Result<Visit, Fault> {
        debug_assert!(!self.slow, "parts are written unseen here");
        if self.path.holds(obj) {
            return self.back_edge(obj);
        }
        self.charge(obj, Build::List, length(obj, exact))?;
        let count = self.frames.len();
        let visit = self.nested(obj, exact, LEVELS);
        self.put_in_order(count);
        visit
    }

    /// Writes the fields from `start` on as those of a record; or opens a frame for it, and for what is open inside.
    pub fn record_of(&mut self, obj: Obj, start: usize) -> Result<Visit, Fault> {
        self.charge(obj, Build::Map, self.arena.len() - start)?;
        let count = self.frames.len();
        let visit = self.written_fields(obj, start);
        self.put_in_order(count);
        visit
    }

    /// Frames were opened from the inside out.
    #[inline(always)]
    fn put_in_order(&mut self, start: usize) {
        if self.frames.len() > start + 1 {
            self.frames[start..].reverse();
        }
    }

    #[inline(always)]
    fn nested(&mut self, obj: Obj, exact: Exact, below: usize) -> Result<Visit, Fault> {
        match exact {
            Exact::Dict => self.dict(obj, below),
            Exact::List => self.sequence::<true>(obj, below),
            _ => self.sequence::<false>(obj, below),
        }
    }

    /// What a part is, if it can be written here: a container that is not open while no signals are due, or a date.
    #[inline(always)]
    fn ready(&mut self, level: &mut Level, part: Obj, exact: Exact) -> Result<Option<Ready>, Fault> {
        if exact == Exact::Other {
            return Ok(if self.keeps_moment(part) { Some(Ready::Moment) } else { None });
        }
        if level.below == 0 || !exact.is_container() || self.ticks + length(part, exact) >= SIGNALS_EVERY {
            return Ok(None);
        }
        if !level.entered {
            self.enter(level.obj, Build::List)?;
            level.entered = true;
        }
        Ok(if self.path.holds(part) { None } else { Some(Ready::Container(exact)) })
    }

    /// True for a date or time that is written as it is, without asking anybody.
    #[inline(never)]
    fn keeps_moment(&mut self, obj: Obj) -> bool {
        if self.extra.is_some() || !is_moment(obj) {
            return false;
        }
        let Some(plan) = self.plans.known(self.py, obj.ty()) else { return false };
        let kept = self.policy.action(plan.kind) == Action::Keep && (!S::BUILDS || plan.shared);
        plan.shape == Shape::Value && plan.exact && plan.lower.is_some() && plan.extract.is_none() && kept
    }

    #[inline(always)]
    fn write_entry(
        &mut self,
        level: Level,
        (key, form): (Obj, Form<'_>),
        value: Obj,
        ready: &Ready,
    ) -> Result<Visit, Fault> {
        self.key(key, form)?;
        self.write_ready(level, value, ready)
    }

    #[inline(always)]
    fn write_ready(&mut self, level: Level, part: Obj, ready: &Ready) -> Result<Visit, Fault> {
        match ready {
            Ready::Container(exact) => {
                self.budget.depth(self.depth + 1)?;
                self.budget.nodes(1)?;
                self.ticks += length(part, *exact);
                self.nested(part, *exact, level.below - 1)
            }
            Ready::Moment => self.write_moment(part),
        }
    }

    #[inline(never)]
    fn write_moment(&mut self, obj: Obj) -> Result<Visit, Fault> {
        let written = moments::hand_on(obj, |code, payload| {
            self.budget.size(payload.len())?;
            self.budget.nodes(code::cost(code, payload.len()))?;
            self.sink.value(code, payload, S::BUILDS.then(|| obj.own()), &self.budget)
        });
        written.unwrap_or_else(|| Err(Fault::words("date of another kind than it was".to_owned())))?;
        Ok(Visit::Kept)
    }

    #[inline(never)]
    fn dict(&mut self, dict: Obj, below: usize) -> Result<Visit, Fault> {
        let announced = dict_len(dict);
        let (flat, start) = if S::BUILDS { self.flat_pairs(dict) } else { (0, 0) };
        if S::BUILDS && flat == announced {
            self.sink.copy(self.py, dict, Exact::Dict)?;
            return Ok(Visit::Kept);
        }
        let token = self.sink.open(Build::Map, announced, 0)?;
        if flat > 0 {
            self.put_pairs(dict, flat)?;
        }
        let mut level = Level { obj: dict, exact: Exact::Dict, token, below, entered: false };
        let (mut entries, mut kept) = (Entries::from(dict, start), flat);
        loop {
            let run = self.pairs(&mut entries);
            kept += run.count;
            let Entry { key, value, exact, form } = match run.next {
                Ok(Some(entry)) => entry,
                Ok(None) => return self.end(level, kept),
                Err(fault) => {
                    let source = Source::Dict(dict, entries.position());
                    return self.pause(level, Paused { source, kept, part: Some((run.key, token)) }, Err(fault));
                }
            };
            let ready = if form.is_plain() { self.ready(&mut level, value, exact)? } else { None };
            let Some(ready) = ready else {
                let source = Source::Dict(dict, entries.position() - 1);
                return self.pause(level, Paused { source, kept, part: None }, Ok(Visit::Opened));
            };
            let start = self.sink.position();
            match self.write_entry(level, (key, form), value, &ready) {
                Ok(Visit::Kept) => kept += 1,
                visit => {
                    let source = Source::Dict(dict, entries.position());
                    return self.pause(level, Paused { source, kept, part: Some((Some(key), start)) }, visit);
                }
            }
        }
    }

    #[inline(never)]
    fn sequence<const LIST: bool>(&mut self, obj: Obj, below: usize) -> Result<Visit, Fault> {
        let get = |at| if LIST { list_get(obj, at) } else { tuple_get(obj, at) };
        let announced = if LIST { list_len(obj) } else { tuple_len(obj) };
        let (exact, build) = if LIST { (Exact::List, Build::List) } else { (Exact::Tuple, Build::TUPLE) };
        if S::BUILDS && self.is_flat(announced, get) {
            self.sink.copy(self.py, obj, exact)?;
            return Ok(Visit::Kept);
        }
        let token = self.sink.open(build, announced, 0)?;
        let mut level = Level { obj, exact, token, below, entered: false };
        let source = || if LIST { Source::List(obj) } else { Source::Tuple(obj) };
        let mut kept = 0;
        loop {
            let run = self.scalars(kept, get);
            kept += run.count;
            let (part, is) = match run.next {
                Ok(Some(part)) => part,
                Ok(None) => return self.end(level, kept),
                Err(fault) => {
                    return self.pause(level, Paused { source: source(), kept, part: Some((None, token)) }, Err(fault));
                }
            };
            let Some(ready) = self.ready(&mut level, part, is)? else {
                return self.pause(level, Paused { source: source(), kept, part: None }, Ok(Visit::Opened));
            };
            match self.write_ready(level, part, &ready) {
                Ok(Visit::Kept) => kept += 1,
                visit => return self.pause(level, Paused { source: source(), kept, part: Some((None, token)) }, visit),
            }
        }
    }

    fn written_fields(&mut self, obj: Obj, start: usize) -> Result<Visit, Fault> {
        let end = self.arena.len();
        let token = self.sink.open(Build::Map, end - start, 0)?;
        let mut level = Level { obj, exact: Exact::Other, token, below: LEVELS, entered: false };
        let source = || Source::Fields(start, end);
        let mut at = start;
        loop {
            let (count, written) = self.fields(at, end);
            at += count;
            let kept = at - start;
            if let Err(fault) = written {
                return self.pause(level, Paused { source: source(), kept, part: Some((None, token)) }, Err(fault));
            }
            if at == end {
                self.drop_fields(start);
                self.leave_path(level);
                self.sink.close(self.py, Build::Map, Parts { token, announced: kept, kept, bound: 0 })?;
                return Ok(Visit::Kept);
            }
            let FieldValue { name, value, masked, base, .. } = self.arena[at];
            let form = Form::of(name);
            let plain = !masked && !base && form.is_plain();
            let ready = if plain { self.ready(&mut level, value, value.exact())? } else { None };
            let Some(ready) = ready else {
                return self.pause(level, Paused { source: source(), kept, part: None }, Ok(Visit::Opened));
            };
            let entry = self.sink.position();
            match self.write_entry(level, (name, form), value, &ready) {
                Ok(Visit::Kept) => at += 1,
                visit => {
                    return self.pause(
                        level,
                        Paused { source: source(), kept, part: Some((Some(name), entry)) },
                        visit,
                    );
                }
            }
        }
    }

    #[inline(always)]
    fn leave_path(&mut self, level: Level) {
        if level.entered {
            self.path.leave();
            self.depth -= 1;
        }
    }

    /// Everything in it was kept.
    #[inline(always)]
    fn end(&mut self, level: Level, kept: usize) -> Result<Visit, Fault> {
        self.leave_path(level);
        let announced = length(level.obj, level.exact);
        self.sink.close(self.py, build(level.exact), Parts { token: level.token, announced, kept, bound: 0 })?;
        Ok(Visit::Kept)
    }

    /// Opens a frame for a level where it got to, and passes on what became of its part.
    #[cold]
    #[inline(never)]
    fn pause(&mut self, level: Level, at: Paused, visit: Result<Visit, Fault>) -> Result<Visit, Fault> {
        if !level.entered {
            self.enter(level.obj, Build::List)?;
        }
        let announced = match at.source {
            Source::Fields(start, end) => end - start,
            _ => length(level.obj, level.exact),
        };
        let frame = self.frame(at.source, build(level.exact), announced, level.token)?;
        (frame.at, frame.kept) = (at.kept + usize::from(at.part.is_some()), at.kept);
        if let Some((key, entry)) = at.part {
            (frame.key, frame.entry) = (key, entry);
        }
        visit
    }
}

/// What an exact dict, list or tuple is written as, or anything else that has fields.
#[inline(always)]
fn build(exact: Exact) -> Build {
    match exact {
        Exact::List => Build::List,
        Exact::Tuple => Build::TUPLE,
        _ => Build::Map,
    }
}

/// Parts of an exact dict, list or tuple.
#[inline(always)]
fn length(obj: Obj, exact: Exact) -> usize {
    match exact {
        Exact::Dict => dict_len(obj),
        Exact::List => list_len(obj),
        _ => tuple_len(obj),
    }
}
