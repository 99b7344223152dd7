//! One fault type inside, one place that turns it into Python's exceptions.

use pyo3::exceptions::PyMemoryError;
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
    Words(Box<String>),
    /// The policy says raise, for this kind and type.
    Refused(Box<(u8, Py<PyAny>)>),
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
    /// The bound in words, with the option that sets it.
    pub fn describe(self, limits: &Limits) -> String {
        match self {
            Self::Depth => format!("deeper than {} (Limits.depth)", limits.depth),
            Self::Nodes => format!("more than {} nodes (Limits.nodes)", limits.nodes),
            Self::Bytes => format!("larger than {} bytes (Limits.bytes)", limits.bytes),
            Self::StrBytes => format!("one value of more than {} bytes (Limits.str_bytes)", limits.str_bytes),
            Self::ContainerKeys => format!("more than {} keys (Limits.container_keys)", limits.container_keys),
            Self::KeyDepth => format!("key nested deeper than {} (Limits.key_depth)", limits.key_depth),
            Self::SameHash => format!("more than {} keys of one hash", crate::kind::code::SAME_HASH),
        }
    }
}

impl Fault {
    /// The exception to raise, naming the path where the walk was.
    pub fn into_error(self, py: Python<'_>, path: &str, limits: &Limits) -> PyErr {
        match self {
            Self::Python(error) => *error,
            Self::NoMemory => PyMemoryError::new_err(()),
            Self::Words(words) => Bridge::error(py, "EncodeError", &format!("{path}: {words}")),
            Self::Limit(bound) => Bridge::error(py, "LimitExceeded", &format!("{path}: {}", bound.describe(limits))),
            Self::Refused(refused) => {
                let (kind, ty) = *refused;
                let described = Bridge::describe(py, kind, ty.bind(py));
                Bridge::error(py, "EncodeError", &format!("{path}: {described} is not data, and the policy says raise"))
            }
        }
    }
}
