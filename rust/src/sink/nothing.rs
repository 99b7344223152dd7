//! A walk for its findings alone.

use pyo3::prelude::*;

use super::{Build, Lowered, Sink};
use crate::error::Fault;
use crate::ffi::{Exact, Obj, Owned};
use crate::guard::Budget;
use crate::kind::Shape;

/// Takes everything and keeps nothing.
#[derive(Debug, Default)]
pub struct Nothing;

impl Sink for Nothing {
    const BUILDS: bool = false;

    fn plain(&mut self, _: Python<'_>, _: Obj, _: Exact, _: &Budget) -> Result<(), Fault> {
        Ok(())
    }

    fn base(&mut self, _: Python<'_>, _: Obj, _: Shape, _: &Budget) -> Result<(), Fault> {
        Ok(())
    }

    fn value(&mut self, _: i8, _: &[u8], _: Option<Owned>, _: &Budget) -> Result<(), Fault> {
        Ok(())
    }

    fn key(&mut self, _: Lowered) -> Result<(), Fault> {
        Ok(())
    }

    fn set(&mut self, _: Python<'_>, _: bool, _: Vec<Lowered>) -> Result<(), Fault> {
        Ok(())
    }

    fn position(&self) -> usize {
        0
    }

    fn truncate(&mut self, _: usize) {}

    fn open(&mut self, _: Build, _: usize) -> Result<usize, Fault> {
        Ok(0)
    }

    fn close(&mut self, _: Python<'_>, _: Build, _: usize, _: usize, _: usize) -> Result<(), Fault> {
        Ok(())
    }
}
