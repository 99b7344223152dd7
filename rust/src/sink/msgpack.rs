//! MessagePack, every form the shortest by the final count.

use pyo3::prelude::*;
use siftpack_wire::{Short, marker, write};

use super::{Build, Lowered, Parts, Sink};
use crate::error::Fault;
use crate::ffi::{Exact, Int, Obj, Out, Owned, Strided, Text, int_value, text};
use crate::guard::Budget;
use crate::kind::{Shape, code};

/// Writes into an [`Out`].
#[derive(Debug)]
pub struct MsgPack {
    /// The output.
    pub out: Out,
}

/// Writes None, bool, int, float, str or bytes.
#[inline(always)]
pub fn write_plain(out: &mut Out, obj: Obj, exact: Exact, budget: &Budget) -> Result<(), Fault> {
    match exact {
        Exact::Str => write_str(out, obj, budget),
        Exact::Int => write_int(out, obj, budget),
        Exact::Float => Ok(out.short(write::float(obj.float()))?),
        Exact::Bool => Ok(out.short(write::byte(if obj.is_true() { marker::TRUE } else { marker::FALSE }))?),
        Exact::Bytes => {
            let data = obj.bytes();
            Ok(out.held(write::bin_header(budget.size(data.len())?), data, obj)?)
        }
        _ => Ok(out.short(write::byte(marker::NIL))?),
    }
}

#[inline(always)]
fn write_str(out: &mut Out, obj: Obj, budget: &Budget) -> Result<(), Fault> {
    match text(obj) {
        Text::Utf8(data) => write_utf8(out, data, obj, budget),
        wide => write_wide(out, wide, budget),
    }
}

#[inline(always)]
fn write_utf8(out: &mut Out, data: &[u8], obj: Obj, budget: &Budget) -> Result<(), Fault> {
    if data.len() <= budget.short {
        return Ok(out.fix_str(data)?);
    }
    Ok(out.held(write::str_header(budget.size(data.len())?), data, obj)?)
}

#[inline(never)]
fn write_wide(out: &mut Out, wide: Text<'_>, budget: &Budget) -> Result<(), Fault> {
    let (size, lone) = wide.measure();
    let announced = budget.size(size)?;
    let form = if lone { write::ext_header(code::STR, announced) } else { write::str_header(announced) };
    Ok(out.transcoded(form, wide, size)?)
}

#[inline(always)]
fn write_int(out: &mut Out, obj: Obj, budget: &Budget) -> Result<(), Fault> {
    match int_value(obj) {
        Int::Small(value) => Ok(out.short(write::int(value))?),
        Int::Large(value) => Ok(out.short(write::uint(value))?),
        Int::Big(bytes) => write_value(out, code::BIGINT, &bytes, budget),
        Int::NoMemory => Err(Fault::NoMemory),
    }
}

fn write_ext(out: &mut Out, code: i8, payload: &[u8]) -> Result<(), Fault> {
    let size = u32::try_from(payload.len()).map_err(|_| crate::error::Reached::StrBytes)?;
    Ok(out.headed(write::ext_header(code, size), payload)?)
}

/// Writes an ext value whose size is within bounds.
pub fn write_value(out: &mut Out, code: i8, payload: &[u8], budget: &Budget) -> Result<(), Fault> {
    let size = budget.size(payload.len())?;
    Ok(out.headed(write::ext_header(code, size), payload)?)
}

/// Writes a subclass of int, float, str or bytes by its base storage.
pub fn write_base(out: &mut Out, obj: Obj, shape: Shape, budget: &Budget) -> Result<(), Fault> {
    match shape {
        Shape::Int => write_int(out, obj, budget),
        Shape::Float => Ok(out.short(write::float(obj.float()))?),
        Shape::Str => write_str(out, obj, budget),
        _ => write_plain(out, obj, Exact::Bytes, budget),
    }
}

/// Writes the head of a tagged array of `count` elements.
pub fn write_mark(out: &mut Out, mark: u8, count: usize) -> Result<(), Fault> {
    out.short(write::array_header(counted(count + 1)?))?;
    Ok(out.headed(write::ext_header(code::MARK, 1), &[mark])?)
}

/// Writes the head of a record: mark and name.
pub fn write_record(out: &mut Out, name: &str) -> Result<(), Fault> {
    write_mark(out, code::RECORD, 2)?;
    Ok(out.headed(write::str_header(counted(name.len())?), name.as_bytes())?)
}

/// Bytes that a str, bytes or big int is written as, without its header; 0 for others.
pub fn text_size(obj: Obj, exact: Exact) -> usize {
    match exact {
        Exact::Str => text(obj).measure().0,
        Exact::Bytes => obj.bytes().len(),
        Exact::Int => match int_value(obj) {
            Int::Big(bytes) => bytes.len(),
            _ => 0,
        },
        _ => 0,
    }
}

/// Bytes that a scalar is written as.
pub fn plain_size(obj: Obj, exact: Exact) -> usize {
    let size = text_size(obj, exact);
    let header = |form: fn(u32) -> siftpack_wire::Short| form(u32::try_from(size).unwrap_or(u32::MAX)).len();
    match exact {
        Exact::Str if text(obj).measure().1 => ext_size(size),
        Exact::Str => header(write::str_header) + size,
        Exact::Bytes => header(write::bin_header) + size,
        Exact::Float => 9,
        Exact::Int => match int_value(obj) {
            Int::Small(value) => write::int(value).len(),
            Int::Large(value) => write::uint(value).len(),
            _ => ext_size(size),
        },
        _ => 1,
    }
}

/// Bytes that an ext value of that payload size is written as.
pub fn ext_size(size: usize) -> usize {
    write::ext_header(0, u32::try_from(size).unwrap_or(u32::MAX)).len() + size
}

fn counted(count: usize) -> Result<u32, Fault> {
    u32::try_from(count).map_err(|_| Fault::Limit(crate::error::Reached::Nodes))
}

/// The header whose number is the count of a container's parts.
#[inline(always)]
pub fn header(build: Build, count: usize) -> Result<Short, Fault> {
    Ok(match build {
        Build::List | Build::Row => write::array_header(counted(count)?),
        Build::Map | Build::TaggedMap(_) | Build::Record => write::map_header(counted(count)?),
        Build::Tagged(_) | Build::Deque => write::array_header(counted(count + 1)?),
    })
}

impl Sink for MsgPack {
    const BUILDS: bool = false;
    const FLOATS: bool = true;

    #[inline(always)]
    fn plain(&mut self, _: Python<'_>, obj: Obj, exact: Exact, budget: &Budget) -> Result<(), Fault> {
        write_plain(&mut self.out, obj, exact, budget)
    }

    #[inline(always)]
    fn utf8(&mut self, _: Python<'_>, obj: Obj, data: &[u8], budget: &Budget) -> Result<(), Fault> {
        write_utf8(&mut self.out, data, obj, budget)
    }

    #[inline(always)]
    fn floats(&mut self, next: impl FnMut() -> Option<f64>) -> Result<usize, Fault> {
        Ok(self.out.floats(next)?)
    }

    fn base(&mut self, _: Python<'_>, obj: Obj, shape: Shape, budget: &Budget) -> Result<(), Fault> {
        write_base(&mut self.out, obj, shape, budget)
    }

    fn value(&mut self, code: i8, payload: &[u8], _: Option<Owned>, budget: &Budget) -> Result<(), Fault> {
        write_value(&mut self.out, code, payload, budget)
    }

    fn array(&mut self, head: &[u8], items: &Strided<'_>, budget: &Budget) -> Result<(), Fault> {
        let size = budget.size(head.len() + items.len())?;
        self.out.headed(write::ext_header(code::NDARRAY, size), head)?;
        self.out.items(items)
    }

    #[inline(always)]
    fn settle(&mut self, py: Python<'_>) -> Result<(), Fault> {
        if self.out.owes() { self.out.settle(py) } else { Ok(()) }
    }

    fn key(&mut self, lowered: Lowered) -> Result<(), Fault> {
        if lowered.container {
            return write_ext(&mut self.out, code::KEY, &lowered.bytes);
        }
        Ok(self.out.slice(&lowered.bytes)?)
    }

    fn set(&mut self, _: Python<'_>, frozen: bool, items: Vec<Lowered>) -> Result<(), Fault> {
        write_mark(&mut self.out, if frozen { code::FROZENSET } else { code::SET }, items.len())?;
        for item in items {
            self.out.slice(&item.bytes)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn position(&self) -> usize {
        self.out.position()
    }

    #[inline(always)]
    fn truncate(&mut self, position: usize) {
        self.out.truncate(position);
    }

    #[inline(always)]
    fn open(&mut self, build: Build, count: usize, bound: u64) -> Result<usize, Fault> {
        let token = self.out.position();
        match build {
            Build::List | Build::Row => self.out.short(write::array_header(counted(count)?))?,
            Build::Map | Build::Record => self.out.short(write::map_header(counted(count)?))?,
            Build::Tagged(mark) => write_mark(&mut self.out, mark, count)?,
            Build::Deque => {
                self.out.short(write::array_header(counted(count + 1)?))?;
                let mut data = bound.to_be_bytes();
                data[0] = code::DEQUE;
                self.out.headed(write::ext_header(code::MARK, 8), &data)?;
            }
            Build::TaggedMap(mark) => {
                write_mark(&mut self.out, mark, 1)?;
                let token = self.out.position();
                self.out.short(write::map_header(counted(count)?))?;
                return Ok(token);
            }
        }
        Ok(token)
    }

    fn name(&mut self, name: &str) -> Result<(), Fault> {
        write_record(&mut self.out, name)
    }

    fn unname(&mut self, start: usize, token: usize) -> Result<(), Fault> {
        Ok(self.out.gap(start, token - start)?)
    }

    #[inline(always)]
    fn close(&mut self, _: Python<'_>, build: Build, parts: Parts) -> Result<(), Fault> {
        let Parts { token, announced, kept, .. } = parts;
        if announced == kept {
            return Ok(());
        }
        Ok(self.out.rewrite(token, header(build, announced)?.len(), header(build, kept)?)?)
    }
}
