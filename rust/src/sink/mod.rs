//! What a walk writes into: MessagePack bytes, Python builtins, a fingerprint, or nothing.

pub mod builtins;
pub mod digest;
pub mod msgpack;
pub mod nothing;

use pyo3::prelude::*;

use crate::error::Fault;
use crate::ffi::{Exact, Obj, Owned, Strided};
use crate::guard::Budget;
use crate::kind::{Shape, code};

/// What a frame becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Build {
    /// A list.
    List,
    /// A dict: from a mapping, a record, an exception or an opaque instance.
    Map,
    /// A tagged array: its mark.
    Tagged(u8),
    /// A deque; its bound goes beside.
    Deque,
    /// A tagged array that holds one map: its mark.
    TaggedMap(u8),
    /// A tuple or slice written as a plain list.
    Row,
    /// The fields of a listed instance.
    Record,
}

impl Build {
    /// The build of a tuple.
    pub const TUPLE: Self = Self::Tagged(code::TUPLE);

    /// True if an element that is left out becomes None, because position has meaning.
    pub fn keeps_positions(self) -> bool {
        matches!(self, Self::Tagged(code::TUPLE | code::SLICE | code::PARTS | code::SIFTED) | Self::Row)
    }

    /// True if the entries are keys and values.
    pub fn is_map(self) -> bool {
        matches!(self, Self::Map | Self::TaggedMap(_) | Self::Record)
    }

    /// Containers it is written as.
    pub fn levels(self) -> usize {
        if matches!(self, Self::TaggedMap(_) | Self::Record) { 2 } else { 1 }
    }
}

/// What a container came to.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// What the sink gave at the start.
    pub token: usize,
    /// Parts that were announced.
    pub announced: usize,
    /// Parts that were kept.
    pub kept: usize,
    /// The bound of a deque.
    pub bound: u64,
}

/// One element of a set, or a key that is not plain, as it is written and as it is in Python.
#[derive(Debug)]
pub struct Lowered {
    /// The clean value.
    pub value: Owned,
    /// Its bytes as an element.
    pub bytes: Vec<u8>,
    /// A tuple or frozenset: as a key it takes the key form.
    pub container: bool,
}

/// The receiving end of a walk.
pub trait Sink {
    /// True if values have to be built as Python objects.
    const BUILDS: bool;
    /// True if there is a way of its own for floats in a row.
    const FLOATS: bool = false;

    /// None, bool, int, float, str or bytes of exactly these types.
    fn plain(&mut self, py: Python<'_>, obj: Obj, exact: Exact, budget: &Budget) -> Result<(), Fault>;
    /// An exact str whose characters are these.
    #[inline(always)]
    fn utf8(&mut self, py: Python<'_>, obj: Obj, _data: &[u8], budget: &Budget) -> Result<(), Fault> {
        self.plain(py, obj, Exact::Str, budget)
    }
    /// Floats in a row, up to what is none: how many there were. For sinks that have `FLOATS`.
    #[inline(always)]
    fn floats(&mut self, _next: impl FnMut() -> Option<f64>) -> Result<usize, Fault> {
        Ok(0)
    }
    /// A whole list, tuple or dict of scalars. For sinks that build.
    fn copy(&mut self, _: Python<'_>, _obj: Obj, _exact: Exact) -> Result<(), Fault> {
        Ok(())
    }
    /// The base storage of a subclass of int, float, str or bytes.
    fn base(&mut self, py: Python<'_>, obj: Obj, shape: Shape, budget: &Budget) -> Result<(), Fault>;
    /// A value as ext, and as the Python object it is where one is built.
    fn value(&mut self, code: i8, payload: &[u8], obj: Option<Owned>, budget: &Budget) -> Result<(), Fault>;
    /// An array whose size was looked at: what stands before its items, and the items where they lie.
    fn array(&mut self, head: &[u8], items: &Strided<'_>, budget: &Budget) -> Result<(), Fault> {
        let mut payload = Vec::new();
        payload.try_reserve_exact(head.len() + items.len()).map_err(|_| Fault::NoMemory)?;
        payload.extend_from_slice(head);
        items.append_to(&mut payload)?;
        self.value(code::NDARRAY, &payload, None, budget)
    }
    /// Foreign code may run next: what was only remembered where it lies is copied now.
    #[inline(always)]
    fn settle(&mut self, _: Python<'_>) -> Result<(), Fault> {
        Ok(())
    }
    /// A key that was lowered.
    fn key(&mut self, lowered: Lowered) -> Result<(), Fault>;
    /// A set or frozenset of lowered elements in canonical order.
    fn set(&mut self, py: Python<'_>, frozen: bool, items: Vec<Lowered>) -> Result<(), Fault>;
    /// A place to come back to.
    fn position(&self) -> usize;
    /// An entry of a map begins here, with its key. Also a place to come back to.
    #[inline(always)]
    fn entry(&mut self) -> Result<usize, Fault> {
        Ok(self.position())
    }
    /// Forgets what came since.
    fn truncate(&mut self, position: usize);
    /// Begins a container that is announced to have `count` parts; gives a token for its end. `bound` is a deque's.
    fn open(&mut self, build: Build, count: usize, bound: u64) -> Result<usize, Fault>;
    /// Writes the name of a listed class; its fields follow.
    fn name(&mut self, name: &str) -> Result<(), Fault>;
    /// Takes back the name at `start` of the record whose fields begin at `token`, which cannot be rebuilt.
    fn unname(&mut self, start: usize, token: usize) -> Result<(), Fault>;
    /// The value written last, to put another one in its place; None if none is built.
    fn take(&mut self) -> Option<Owned> {
        None
    }
    /// Puts a value in place of the one taken.
    fn put(&mut self, _value: Owned) -> Result<(), Fault> {
        Ok(())
    }
    /// Ends a container.
    fn close(&mut self, py: Python<'_>, build: Build, parts: Parts) -> Result<(), Fault>;
}
