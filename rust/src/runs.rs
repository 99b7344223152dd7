//! The hot loops: stretches of scalars in exact lists, tuples and dicts. A container that holds nothing else is written
//! without ever getting a frame.

use crate::error::Fault;
use crate::ffi::{Entries, Exact, Obj, dict_len, list_get, list_len, tuple_get, tuple_len};
use crate::frame::{FieldValue, Source};
use crate::keys::has_plain_form;
use crate::sink::{Build, Parts, Sink};
use crate::walk::{Visit, Walk};

/// A stretch of scalars that was written.
pub struct Run<T> {
    /// Parts written.
    pub count: usize,
    /// Where a dict goes on at the part that is next, and behind it.
    pub position: isize,
    pub after: isize,
    /// The key at which it failed.
    pub key: Option<Obj>,
    /// The first part that is no scalar, or None at the end.
    pub next: Result<Option<T>, Fault>,
}

impl<T> Run<T> {
    /// Nothing more.
    pub const ENDED: Self = Self { count: 0, position: 0, after: 0, key: None, next: Ok(None) };
}

impl<S: Sink> Walk<'_, S> {
    /// Writes a dict, if it holds scalars only; else opens a frame at the first entry that is none.
    #[inline(always)]
    pub fn open_dict(&mut self, dict: Obj) -> Result<Visit, Fault> {
        debug_assert!(!self.slow, "parts are written unseen here");
        if self.path.holds(dict) {
            return self.back_edge(dict);
        }
        self.charge(dict, Build::Map, dict_len(dict))?;
        let count = dict_len(dict);
        let (flat, start) = if S::BUILDS { self.flat_pairs(dict) } else { (0, 0) };
        if S::BUILDS && flat == count {
            self.sink.copy(self.py, dict, Exact::Dict)?;
            return Ok(Visit::Kept);
        }
        let token = self.sink.open(Build::Map, count, 0)?;
        if flat > 0 {
            self.put_pairs(dict, start)?;
        }
        let mut run = self.pairs(dict, start);
        run.count += flat;
        if matches!(run.next, Ok(None)) {
            let parts = Parts { token, announced: count, kept: run.count, bound: 0 };
            self.sink.close(self.py, Build::Map, parts)?;
            return Ok(Visit::Kept);
        }
        let frame = self.push(dict, Source::Dict(dict, run.position), Build::Map, count, token)?;
        (frame.at, frame.kept, frame.key) = (run.count, run.count, run.key);
        run.next.map(|_| Visit::Opened)
    }

    /// Writes a list or tuple, if it holds scalars only; else opens a frame at the first element that is none.
    #[inline(always)]
    pub fn open_sequence<const LIST: bool>(&mut self, obj: Obj) -> Result<Visit, Fault> {
        if self.path.holds(obj) {
            return self.back_edge(obj);
        }
        let build = if LIST { Build::List } else { Build::TUPLE };
        let length = || if LIST { list_len(obj) } else { tuple_len(obj) };
        self.charge(obj, build, length())?;
        let count = length();
        let get = |at| if LIST { list_get(obj, at) } else { tuple_get(obj, at) };
        if S::BUILDS && self.is_flat(count, get) {
            self.sink.copy(self.py, obj, if LIST { Exact::List } else { Exact::Tuple })?;
            return Ok(Visit::Kept);
        }
        let token = self.sink.open(build, count, 0)?;
        let run = self.scalars(0, get);
        if matches!(run.next, Ok(None)) {
            let parts = Parts { token, announced: count, kept: run.count, bound: 0 };
            self.sink.close(self.py, build, parts)?;
            return Ok(Visit::Kept);
        }
        let failed = usize::from(run.next.is_err());
        let frame = if LIST {
            self.push(obj, Source::List(obj), Build::List, count, token)?
        } else {
            self.push(obj, Source::Tuple(obj), Build::TUPLE, count, token)?
        };
        (frame.at, frame.kept) = (run.count + failed, run.count);
        run.next.map(|_| Visit::Opened)
    }

    /// Entries of a dict up to the first that is no scalar within bounds under a plain key: how many, and where that is.
    #[inline(always)]
    fn flat_pairs(&self, dict: Obj) -> (usize, isize) {
        let (entries, mut position, mut after, mut count) = (Entries::of(dict), 0, 0, 0);
        while let Some((key, value)) = entries.next(&mut after) {
            if !self.is_copied(value, value.exact()) || !has_plain_form(key) || !self.is_within(key, key.exact()) {
                break;
            }
            count += 1;
            position = after;
        }
        (count, position)
    }

    /// Puts entries that were looked at already, up to a position, where a copy is built.
    #[inline(always)]
    fn put_pairs(&mut self, dict: Obj, end: isize) -> Result<(), Fault> {
        let (entries, mut position) = (Entries::of(dict), 0);
        while position < end
            && let Some((key, value)) = entries.next(&mut position)
        {
            self.sink.put(key.own())?;
            self.sink.put(value.own())?;
        }
        Ok(())
    }

    /// True if every element is a scalar within bounds.
    #[inline(always)]
    fn is_flat(&self, count: usize, get: impl Fn(usize) -> Option<Obj>) -> bool {
        (0..count).all(|at| get(at).is_some_and(|item| self.is_copied(item, item.exact())))
    }

    #[inline(always)]
    fn is_copied(&self, obj: Obj, exact: Exact) -> bool {
        exact.is_scalar() && self.is_within(obj, exact)
    }

    #[inline(always)]
    fn is_within(&self, obj: Obj, exact: Exact) -> bool {
        self.budget.check(obj, exact).is_ok()
    }

    /// Writes elements as long as they are scalars.
    #[inline(always)]
    pub fn scalars(&mut self, start: usize, get: impl Fn(usize) -> Option<Obj>) -> Run<(Obj, Exact)> {
        let mut at = start;
        let next = loop {
            let Some(item) = get(at) else { break Ok(None) };
            let exact = item.exact();
            if !exact.is_scalar() {
                break Ok(Some((item, exact)));
            }
            if S::FLOATS && exact == Exact::Float {
                match self.floats(at, &get) {
                    Ok(count) => at += count,
                    Err(fault) => break Err(fault),
                }
                continue;
            }
            if let Err(fault) = self.sink.plain(self.py, item, exact, &self.budget) {
                break Err(fault);
            }
            at += 1;
        };
        Run { count: at - start, position: 0, after: 0, key: None, next }
    }

    /// Writes floats in a row from an index on.
    #[inline(always)]
    fn floats(&mut self, start: usize, get: &impl Fn(usize) -> Option<Obj>) -> Result<usize, Fault> {
        let mut at = start;
        self.sink.floats(|| {
            let number = get(at).filter(|item| item.is_float())?.float();
            at += 1;
            Some(number)
        })
    }

    /// Writes entries of a dict as long as keys and values are scalars; stops before the first that is not.
    #[inline(always)]
    pub fn pairs(&mut self, dict: Obj, start: isize) -> Run<(Obj, Obj)> {
        let mut run = Run { count: 0, position: start, after: start, key: None, next: Ok(None) };
        let entries = Entries::of(dict);
        while let Some((key, value)) = entries.next(&mut run.after) {
            let exact = value.exact();
            if !exact.is_scalar() || !has_plain_form(key) {
                run.next = Ok(Some((key, value)));
                break;
            }
            if let Err(fault) = self.pair(key, value, exact) {
                (run.key, run.next) = (Some(key), Err(fault));
                break;
            }
            run.count += 1;
            run.position = run.after;
        }
        run
    }

    /// Writes one entry of scalars.
    #[inline(always)]
    fn pair(&mut self, key: Obj, value: Obj, exact: Exact) -> Result<(), Fault> {
        self.sink.entry()?;
        self.sink.plain(self.py, key, key.exact(), &self.budget)?;
        self.sink.plain(self.py, value, exact, &self.budget)
    }

    /// Writes fields on the arena as long as their values are scalars that may be shown: how many, and what the next
    /// one failed with.
    #[inline(always)]
    pub fn fields(&mut self, start: usize, end: usize) -> (usize, Result<(), Fault>) {
        for at in start..end {
            let FieldValue { name, value, masked, base, .. } = self.arena[at];
            let exact = value.exact();
            if masked || base || !exact.is_scalar() || !has_plain_form(name) {
                return (at - start, Ok(()));
            }
            if let Err(fault) = self.pair(name, value, exact) {
                return (at - start, Err(fault));
            }
        }
        (end - start, Ok(()))
    }
}
