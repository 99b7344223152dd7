//! Common values read in Rust, without asking their adapter: filled by what profiles ask for.

use pyo3::prelude::*;

use crate::error::Fault;
use crate::ffi::{Obj, Owned};
use crate::sink::Sink;
use crate::walk::Walk;

/// Writes an exact value of a type known here; false for others.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what fills it")]
pub fn write<S: Sink>(_: &mut Walk<'_, S>, _: Obj) -> Result<bool, Fault> {
    Ok(false)
}

/// The value of an ext known here; None for others.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what fills it")]
pub fn read(_: Python<'_>, _: i8, _: &[u8]) -> PyResult<Option<Owned>> {
    Ok(None)
}
