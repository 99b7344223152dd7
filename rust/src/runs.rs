//! The hot loops: stretches of scalars in exact lists, tuples and dicts.

use crate::error::Fault;
use crate::ffi::{Entries, Exact, Obj, Text, text};
use crate::frame::FieldValue;
use crate::keys::has_plain_form;
use crate::sink::Sink;
use crate::walk::Walk;

/// A stretch of scalars that was written.
pub struct Run<T> {
    /// Parts written.
    pub count: usize,
    /// The key at which it failed.
    pub key: Option<Obj>,
    /// The first part that is no scalar, or None at the end.
    pub next: Result<Option<T>, Fault>,
}

impl<T> Run<T> {
    /// Nothing more.
    pub const ENDED: Self = Self { count: 0, key: None, next: Ok(None) };
}

/// How a key is written.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// As these characters.
    Utf8(&'a [u8]),
    /// As it is.
    Plain,
    /// As something else.
    Strange,
}

impl Form<'_> {
    /// True for a key that is written as it is.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        !matches!(self, Self::Strange)
    }

    #[inline(always)]
    pub fn of(key: Obj) -> Self {
        if key.is_str()
            && let Text::Utf8(data) = text(key)
        {
            return Self::Utf8(data);
        }
        if has_plain_form(key) { Self::Plain } else { Self::Strange }
    }
}

/// The first entry that is not one of scalars.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub key: Obj,
    pub value: Obj,
    pub exact: Exact,
    pub form: Form<'a>,
}

impl<S: Sink> Walk<'_, S> {
    /// Entries of a dict up to the first that is no scalar within bounds under a plain key: how many, and where that is.
    #[inline(always)]
    pub fn flat_pairs(&self, dict: Obj) -> (usize, isize) {
        let (mut entries, mut count) = (Entries::from(dict, 0), 0);
        while let Some((key, value)) = entries.next() {
            if !self.is_copied(value, value.exact()) || !has_plain_form(key) || !self.is_within(key, key.exact()) {
                return (count, entries.position() - 1);
            }
            count += 1;
        }
        (count, entries.position())
    }

    /// Puts so many entries that were looked at already where a copy is built.
    #[inline(always)]
    pub fn put_pairs(&mut self, dict: Obj, count: usize) -> Result<(), Fault> {
        let mut entries = Entries::from(dict, 0);
        for _ in 0..count {
            if let Some((key, value)) = entries.next() {
                self.sink.put(key.own())?;
                self.sink.put(value.own())?;
            }
        }
        Ok(())
    }

    /// True if every element is a scalar within bounds.
    #[inline(always)]
    pub fn is_flat(&self, count: usize, get: impl Fn(usize) -> Option<Obj>) -> bool {
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
            if let Err(fault) = self.scalar(item, exact) {
                break Err(fault);
            }
            at += 1;
        };
        Run { count: at - start, key: None, next }
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

    /// Writes entries of a dict as long as keys and values are scalars; takes one more if there is one that is not.
    #[inline(always)]
    pub fn pairs<'a>(&mut self, entries: &mut Entries) -> Run<Entry<'a>> {
        let mut run = Run::ENDED;
        while let Some((key, value)) = entries.next() {
            let (exact, form) = (value.exact(), Form::of(key));
            if !exact.is_scalar() || !form.is_plain() {
                run.next = Ok(Some(Entry { key, value, exact, form }));
                break;
            }
            if let Err(fault) = self.pair(key, form, value, exact) {
                (run.key, run.next) = (Some(key), Err(fault));
                break;
            }
            run.count += 1;
        }
        run
    }

    /// Writes one entry of scalars.
    #[inline(always)]
    fn pair(&mut self, key: Obj, form: Form<'_>, value: Obj, exact: Exact) -> Result<(), Fault> {
        self.key(key, form)?;
        self.scalar(value, exact)
    }

    /// Begins an entry, and writes its key.
    #[inline(always)]
    pub fn key(&mut self, key: Obj, form: Form<'_>) -> Result<(), Fault> {
        self.sink.entry()?;
        match form {
            Form::Utf8(data) => self.sink.utf8(self.py, key, data, &self.budget),
            _ => self.sink.plain(self.py, key, key.exact(), &self.budget),
        }
    }

    /// Writes a scalar. Most are strings.
    #[inline(always)]
    fn scalar(&mut self, obj: Obj, exact: Exact) -> Result<(), Fault> {
        if exact == Exact::Str {
            self.sink.plain(self.py, obj, Exact::Str, &self.budget)
        } else {
            self.sink.plain(self.py, obj, exact, &self.budget)
        }
    }

    /// Writes fields on the arena as long as their values are scalars that may be shown: how many, and what the next
    /// one failed with.
    #[inline(always)]
    pub fn fields(&mut self, start: usize, end: usize) -> (usize, Result<(), Fault>) {
        for at in start..end {
            let FieldValue { name, value, masked, base, .. } = self.arena[at];
            let (exact, form) = (value.exact(), Form::of(name));
            if masked || base || !exact.is_scalar() || !form.is_plain() {
                return (at - start, Ok(()));
            }
            if let Err(fault) = self.pair(name, form, value, exact) {
                return (at - start, Err(fault));
            }
        }
        (end - start, Ok(()))
    }
}
