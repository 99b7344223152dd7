//! Exact dicts, lists and tuples inside one another, written by recursion a few levels deep, without frames.
//!
//! Nothing here runs foreign code. Where something else comes up, every level that is open leaves a frame, the innermost
//! first, and the loop of the walk goes on from there; so it is where a level fails, for the path in the error.

use crate::error::Fault;
use crate::ffi::{Entries, Exact, Obj, dict_len, list_get, list_len, tuple_get, tuple_len};
use crate::frame::Source;
use crate::runs::Entry;
use crate::sink::{Build, Parts, Sink};
use crate::walk::{SIGNALS_EVERY, Visit, Walk};

/// Levels of recursion: few enough for a thread with the smallest stack.
const LEVELS: usize = 24;

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
        let start = self.frames.len();
        let visit = self.nested(obj, exact, LEVELS);
        if self.frames.len() > start + 1 {
            self.frames[start..].reverse();
        }
        visit
    }

    #[inline(always)]
    fn nested(&mut self, obj: Obj, exact: Exact, below: usize) -> Result<Visit, Fault> {
        match exact {
            Exact::Dict => self.dict(obj, below),
            Exact::List => self.sequence::<true>(obj, below),
            _ => self.sequence::<false>(obj, below),
        }
    }

    /// True if a part is a container that can be written here: no signals are due, and it is not open.
    #[inline(always)]
    fn goes_inside(&mut self, level: &mut Level, part: Obj, exact: Exact) -> Result<bool, Fault> {
        if level.below == 0 || !exact.is_container() || self.ticks + length(part, exact) >= SIGNALS_EVERY {
            return Ok(false);
        }
        if !level.entered {
            self.enter(level.obj, Build::List)?;
            level.entered = true;
        }
        Ok(!self.path.holds(part))
    }

    #[inline(always)]
    fn descend(&mut self, level: Level, part: Obj, exact: Exact) -> Result<Visit, Fault> {
        self.budget.depth(self.depth + 1)?;
        self.budget.nodes(1)?;
        self.ticks += length(part, exact);
        self.nested(part, exact, level.below - 1)
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
            let Entry { key, value, exact, plain } = match run.next {
                Ok(Some(entry)) => entry,
                Ok(None) => return self.end(level, kept),
                Err(fault) => {
                    let source = Source::Dict(dict, entries.position());
                    return self.pause(level, Paused { source, kept, part: Some((run.key, token)) }, Err(fault));
                }
            };
            if !plain || !self.goes_inside(&mut level, value, exact)? {
                let source = Source::Dict(dict, entries.position() - 1);
                return self.pause(level, Paused { source, kept, part: None }, Ok(Visit::Opened));
            }
            let start = self.sink.entry()?;
            self.sink.plain(self.py, key, key.exact(), &self.budget)?;
            match self.descend(level, value, exact) {
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
            if !self.goes_inside(&mut level, part, is)? {
                return self.pause(level, Paused { source: source(), kept, part: None }, Ok(Visit::Opened));
            }
            match self.descend(level, part, is) {
                Ok(Visit::Kept) => kept += 1,
                visit => return self.pause(level, Paused { source: source(), kept, part: Some((None, token)) }, visit),
            }
        }
    }

    /// Everything in it was kept.
    #[inline(always)]
    fn end(&mut self, level: Level, kept: usize) -> Result<Visit, Fault> {
        if level.entered {
            self.path.leave();
            self.depth -= 1;
        }
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
        let frame = self.frame(at.source, build(level.exact), length(level.obj, level.exact), level.token)?;
        (frame.at, frame.kept) = (at.kept + usize::from(at.part.is_some()), at.kept);
        if let Some((key, entry)) = at.part {
            (frame.key, frame.entry) = (key, entry);
        }
        visit
    }
}

/// What an exact dict, list or tuple is written as.
#[inline(always)]
fn build(exact: Exact) -> Build {
    match exact {
        Exact::Dict => Build::Map,
        Exact::List => Build::List,
        _ => Build::TUPLE,
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
