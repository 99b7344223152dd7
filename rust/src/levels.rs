//! What a reader has open, and why a read ends early.

use pyo3::prelude::*;

use crate::error::{Fault, Reached};
use crate::guard::Hashes;

/// What a level becomes when its parts are complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    List,
    Tuple,
    Map,
    Set {
        frozen: bool,
    },
    Deque(u64),
    /// A ChainMap or slice: its mark.
    Tagged(u8),
    /// One map in a tagged array: its mark.
    TaggedMap(u8),
    /// Name and fields of a listed class.
    Record,
    /// The envelope of a map key, and the offset where it ends.
    KeyForm(usize),
}

#[derive(Debug)]
pub struct Level {
    pub kind: Kind,
    /// Parts still to come.
    pub left: u64,
    /// Height of the value stack at the start.
    pub start: usize,
    /// Containers around this one inside the same key or set element; None outside of one.
    pub inside: Option<usize>,
    pub hashes: Option<Box<Hashes>>,
}

/// Why a read ended, in words, or an exception that passes through.
#[derive(Debug)]
pub enum Refusal {
    Words(String),
    Fault(Fault),
}

/// Boxed, so that what is read on the way that goes well stays small.
pub type Read<T> = Result<T, Box<Refusal>>;

impl From<Reached> for Box<Refusal> {
    #[cold]
    fn from(bound: Reached) -> Self {
        Self::new(Refusal::Fault(Fault::Limit(bound)))
    }
}

impl From<PyErr> for Box<Refusal> {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self::new(Refusal::Fault(error.into()))
    }
}

#[cold]
pub fn refuse<T>(words: &str) -> Read<T> {
    Err(Box::new(Refusal::Words(words.to_owned())))
}
