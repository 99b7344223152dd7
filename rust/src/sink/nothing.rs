//! A walk for its findings alone.

use pyo3::prelude::*;

use super::{Build, Lowered, Parts, Sink};
use crate::error::Fault;
use crate::ffi::{Exact, Obj, Owned, Strided};
use crate::guard::Budget;
use crate::kind::Shape;

/// Takes everything and keeps nothing.
#[derive(Debug, Default)]
pub struct Nothing;

impl Sink for Nothing {
    const BUILDS: bool = false;

    fn plain(&mut self, _: Python<'_>, obj: Obj, exact: Exact, budget: &Budget) -> Result<(), Fault> {
        Ok(budget.check(obj, exact)?)
    }

    fn base(&mut self, _: Python<'_>, obj: Obj, shape: Shape, budget: &Budget) -> Result<(), Fault> {
        Ok(budget.check(obj, shape.as_exact())?)
    }

    fn value(&mut self, _: i8, payload: &[u8], _: Option<Owned>, budget: &Budget) -> Result<(), Fault> {
        Ok(budget.size(payload.len()).map(|_| ())?)
    }

    fn array(&mut self, _: &[u8], _: &Strided<'_>, _: &Budget) -> Result<(), Fault> {
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

    fn open(&mut self, _: Build, _: usize, _: u64) -> Result<usize, Fault> {
        Ok(0)
    }

    fn name(&mut self, _: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn unname(&mut self, _: usize, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn close(&mut self, _: Python<'_>, _: Build, _: Parts) -> Result<(), Fault> {
        Ok(())
    }
}
