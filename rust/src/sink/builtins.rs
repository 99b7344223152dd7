//! An isolated copy: clean builtins and values, each container built when it is complete.

use pyo3::prelude::*;

use super::{Build, Lowered, Parts, Sink};
use crate::error::Fault;
use crate::ffi::{Exact, Int, Make, Obj, Owned, Stack, Text, int_value, text};
use crate::foreign::Bridge;
use crate::guard::Budget;
use crate::kind::{Shape, code};

/// Collects parts on a stack.
#[derive(Debug, Default)]
pub struct Builtins {
    stack: Stack,
}

impl Builtins {
    /// The one value left at the end.
    pub fn finish(&mut self) -> Option<Owned> {
        self.stack.pop()
    }
}

/// True for the base storage of a subclass that only Python can build: a big int, a str with lone surrogates.
pub fn is_built_by_python(obj: Obj, shape: Shape) -> bool {
    match shape {
        Shape::Int => matches!(int_value(obj), Int::Big(_)),
        Shape::Str => text(obj).measure().1,
        _ => false,
    }
}

/// The exact int, float, str or bytes in a subclass. For what Python has to build it is called at a checkpoint.
pub fn base_value(py: Python<'_>, obj: Obj, shape: Shape) -> Result<Owned, Fault> {
    Ok(match shape {
        Shape::Float => Make::float(py, obj.float())?,
        Shape::Bytes => Make::bytes(py, obj.bytes())?,
        Shape::Int => match int_value(obj) {
            Int::Small(value) => Make::signed(py, value)?,
            Int::Large(value) => Make::unsigned(py, value)?,
            Int::Big(bytes) => Bridge::get(py)?.build(py, code::BIGINT, &bytes)?,
            Int::NoMemory => return Err(Fault::NoMemory),
        },
        _ => {
            let characters = text(obj);
            let (size, lone) = characters.measure();
            let mut copy = Vec::new();
            copy.try_reserve_exact(size).map_err(|_| Fault::NoMemory)?;
            copy.resize(size, 0);
            match characters {
                Text::Utf8(data) => copy.copy_from_slice(data),
                wide => wide.write(&mut copy),
            }
            match core::str::from_utf8(&copy) {
                Ok(valid) if !lone => Make::str(py, valid)?,
                _ => Bridge::get(py)?.build(py, code::STR, &copy)?,
            }
        }
    })
}

impl Sink for Builtins {
    const BUILDS: bool = true;

    #[inline(always)]
    fn plain(&mut self, _: Python<'_>, obj: Obj, exact: Exact, budget: &Budget) -> Result<(), Fault> {
        budget.check(obj, exact)?;
        Ok(self.stack.push(obj.own())?)
    }

    #[inline(always)]
    fn copy(&mut self, py: Python<'_>, obj: Obj, exact: Exact) -> Result<(), Fault> {
        Ok(self.stack.push(Make::copy(py, obj, exact)?)?)
    }

    fn base(&mut self, py: Python<'_>, obj: Obj, shape: Shape, budget: &Budget) -> Result<(), Fault> {
        budget.check(obj, shape.as_exact())?;
        let value = base_value(py, obj, shape)?;
        Ok(self.stack.push(value)?)
    }

    fn value(&mut self, _: i8, payload: &[u8], obj: Option<Owned>, budget: &Budget) -> Result<(), Fault> {
        budget.size(payload.len())?;
        match obj {
            Some(obj) => Ok(self.stack.push(obj)?),
            None => Err(Fault::NoMemory),
        }
    }

    fn key(&mut self, lowered: Lowered) -> Result<(), Fault> {
        Ok(self.stack.push(lowered.value)?)
    }

    fn set(&mut self, py: Python<'_>, frozen: bool, items: Vec<Lowered>) -> Result<(), Fault> {
        let height = self.stack.len();
        for item in items {
            self.stack.push(item.value)?;
        }
        let (set, _) = self.stack.set(py, height, frozen)?;
        Ok(self.stack.push(set)?)
    }

    #[inline(always)]
    fn position(&self) -> usize {
        self.stack.len()
    }

    #[inline(always)]
    fn truncate(&mut self, position: usize) {
        self.stack.truncate(position);
    }

    #[inline(always)]
    fn open(&mut self, _: Build, _: usize, _: u64) -> Result<usize, Fault> {
        Ok(self.stack.len())
    }

    fn name(&mut self, _: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn unname(&mut self, _: usize, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn take(&mut self) -> Option<Owned> {
        self.stack.pop()
    }

    fn put(&mut self, value: Owned) -> Result<(), Fault> {
        Ok(self.stack.push(value)?)
    }

    #[inline(always)]
    fn close(&mut self, py: Python<'_>, build: Build, parts: Parts) -> Result<(), Fault> {
        let token = parts.token;
        let made = match build {
            Build::List | Build::Row => self.stack.list(py, token)?,
            Build::TUPLE => self.stack.tuple(py, token)?,
            Build::Map | Build::Record => self.stack.row::<false>(py, token)?.0,
            Build::Tagged(mark) => {
                let items = self.stack.list(py, token)?;
                Bridge::get(py)?.assemble(py, mark, items, None)?
            }
            Build::Deque => {
                let items = self.stack.list(py, token)?;
                let bound = (parts.bound != code::UNBOUNDED).then_some(parts.bound);
                Bridge::get(py)?.assemble(py, code::DEQUE, items, bound)?
            }
            Build::TaggedMap(mark) => {
                let (inner, _) = self.stack.dict(py, token)?;
                self.stack.push(inner)?;
                let items = self.stack.list(py, token)?;
                Bridge::get(py)?.assemble(py, mark, items, None)?
            }
        };
        Ok(self.stack.push(made)?)
    }
}
