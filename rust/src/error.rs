//! One fault type inside, one place that turns it into Python's exceptions.

use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;

use crate::ffi::Spot;
use crate::foreign::Bridge;
use crate::policy::Limits;

/// A bound of `Limits` that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reached {
    /// `Limits.depth`
    Depth,
    /// `Limits.nodes`
    Nodes,
    /// `Limits.bytes`
    Bytes,
    /// `Limits.str_bytes`
    StrBytes,
    /// `Limits.container_keys`
    ContainerKeys,
    /// `Limits.key_depth`
    KeyDepth,
    /// Too many keys of one hash.
    SameHash,
}

/// Why a walk ended early. Two words, so that it costs nothing on the way that goes well.
#[derive(Debug)]
pub enum Fault {
    /// An exception of Python's own that passes through.
    Python(Box<PyErr>),
    /// The allocator refused.
    NoMemory,
    /// A bound was reached.
    Limit(Reached),
    /// A listed class refuses, in words.
    Words(Box<Words>),
    /// The policy says raise, for this kind and type.
    Refused(Box<(u8, Py<PyAny>)>),
}

/// A refusal in words.
#[derive(Debug)]
pub struct Words(pub String);

impl Fault {
    /// A refusal in these words.
    #[cold]
    pub fn words(words: String) -> Self {
        Self::Words(Box::new(Words(words)))
    }
}

impl From<PyErr> for Fault {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self::Python(Box::new(error))
    }
}

impl From<Reached> for Fault {
    fn from(bound: Reached) -> Self {
        Self::Limit(bound)
    }
}

impl From<Spot> for Fault {
    fn from(spot: Spot) -> Self {
        match spot {
            Spot::NoMemory => Self::NoMemory,
            Spot::Full => Self::Limit(Reached::Bytes),
        }
    }
}

impl Reached {
    /// The option that sets the bound, and what it is set to.
    fn option(self, limits: &Limits) -> (&'static str, u64) {
        match self {
            Self::Depth => ("depth", limits.depth as u64),
            Self::Nodes => ("nodes", limits.nodes),
            Self::Bytes => ("bytes", limits.bytes as u64),
            Self::StrBytes => ("str_bytes", limits.str_bytes as u64),
            Self::ContainerKeys => ("container_keys", limits.container_keys),
            Self::KeyDepth => ("key_depth", limits.key_depth as u64),
            Self::SameHash => ("same_hash", u64::from(crate::kind::code::SAME_HASH)),
        }
    }

    /// The bound in words, with the option that sets it: for a reader, which can do nothing about it.
    pub fn describe(self, limits: &Limits) -> String {
        let (option, most) = self.option(limits);
        match self {
            Self::Depth => format!("deeper than {most} (Limits.{option})"),
            Self::Nodes => format!("more than {most} nodes (Limits.{option})"),
            Self::Bytes => format!("larger than {most} bytes (Limits.{option})"),
            Self::StrBytes => format!("one value of more than {most} bytes (Limits.{option})"),
            Self::ContainerKeys => format!("more than {most} keys (Limits.{option})"),
            Self::KeyDepth => format!("key nested deeper than {most} (Limits.{option})"),
            Self::SameHash => format!("more than {most} keys of one hash"),
        }
    }
}

impl Fault {
    /// The exception to raise, naming the path where the walk was.
    pub fn into_error(self, py: Python<'_>, path: &str, limits: &Limits) -> PyErr {
        match self {
            Self::Python(error) => *error,
            Self::NoMemory => PyMemoryError::new_err(()),
            Self::Words(words) => Bridge::error(py, "EncodeError", &format!("{path}: {}", words.0)),
            Self::Limit(bound) => {
                let (option, most) = bound.option(limits);
                let words = Bridge::exceeded(py, path, option, most);
                said(py, "LimitExceeded", words, || format!("{path}: {}", bound.describe(limits)))
            }
            Self::Refused(refused) => {
                let (kind, ty) = *refused;
                let words = Bridge::refusal(py, path, kind, ty.bind(py));
                said(py, "EncodeError", words, || format!("{path}: the policy says raise"))
            }
        }
    }
}

/// An error in the words found for it, or in fewer where finding them failed (on a full stack, say); what no
/// `except Exception` would hold passes through, and so does `MemoryError`.
fn said(py: Python<'_>, name: &str, words: PyResult<String>, fewer: impl FnOnce() -> String) -> PyErr {
    match words {
        Ok(words) => Bridge::error(py, name, &words),
        Err(trouble) if trouble.is_instance_of::<PyException>(py) && !trouble.is_instance_of::<PyMemoryError>(py) => {
            Bridge::error(py, name, &fewer())
        }
        Err(trouble) => trouble,
    }
}
