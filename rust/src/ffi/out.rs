//! The output: one growing buffer, with big strings kept aside by reference until one exact gather. A large output
//! without any, or gaps, is the buffer itself.
//!
//! Headers are written for the count that is announced. If fewer elements come, the header shrinks in place and
//! leaves a gap, which the gather skips; so nothing is ever moved for it, at any depth.

use pyo3::{Py, Python, ffi, types::PyBytes};
use siftpack_wire::Short;

use super::buffer::Buffer;
use super::text::Text;
use super::{Make, Obj, Owned, Strided};
use crate::error::Fault;

/// Strings from this size on, in bytes, are gathered instead of copied twice.
const BIG: usize = 64 * 1024;
/// Items of an array from this size on, in bytes, are gathered where they lie, if nothing else can run before that.
const LOAN: usize = 1 << 20;
/// Outputs from this size on, in bytes, take the buffer with them instead of being copied out of it.
const TAKEN: usize = 8 * 1024;

/// No memory, or no room under the bound in bytes.
#[derive(Clone, Copy, Debug)]
pub enum Spot {
    /// The allocator refused.
    NoMemory,
    /// The output would pass its bound.
    Full,
}

/// What the gather does at one offset of the buffer.
#[derive(Debug)]
enum Patch {
    /// Leave out that many bytes.
    Gap(usize),
    /// Put the bytes of this object here, in place of the one byte that keeps the place apart from what comes next.
    Big(Owned, *const u8, usize),
}

/// The buffer.
#[derive(Debug)]
pub struct Out {
    bytes: Buffer,
    patches: Vec<(usize, Patch)>,
    /// Bytes of the output that are not in the buffer, less those that the gather leaves out.
    beyond: isize,
    bound: usize,
    /// Strings from this size on are kept aside.
    big: usize,
    /// The patch whose bytes belong to an array: they can change as soon as foreign code runs.
    loan: Option<usize>,
}

impl Out {
    /// An empty output that may grow to `bound` bytes.
    pub fn new(py: Python<'_>, bound: usize) -> Self {
        Self { bytes: Buffer::spare(py), patches: Vec::new(), beyond: 0, bound, big: BIG, loan: None }
    }

    /// An empty output that keeps nothing aside, so that all of it can be looked at.
    pub fn whole(py: Python<'_>, bound: usize) -> Self {
        let mut out = Self::new(py, bound);
        out.big = usize::MAX;
        out
    }

    /// An empty output beside another one, for parts that are put in order before they are written.
    pub fn part(py: Python<'_>) -> Self {
        Self::whole(py, usize::MAX)
    }

    /// Bytes in the buffer: a position to come back to.
    #[inline(always)]
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    /// Everything written, for a part: it has no gaps and nothing aside.
    pub fn into_bytes(self) -> Result<Vec<u8>, Spot> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(self.bytes.len()).map_err(|_| Spot::NoMemory)?;
        bytes.extend_from_slice(&self.bytes);
        Ok(bytes)
    }

    /// Makes room for that many more bytes.
    #[inline(always)]
    fn room(&mut self, size: usize) -> Result<(), Spot> {
        if self.bytes.lacks(size) { self.grow(size) } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, size: usize) -> Result<(), Spot> {
        if self.bytes.len().saturating_add_signed(self.beyond) > self.bound {
            return Err(Spot::Full);
        }
        // SAFETY: an output lives inside a call that holds the GIL.
        self.bytes.reserve(unsafe { Python::assume_attached() }, size)
    }

    /// Writes a short form.
    #[inline(always)]
    pub fn short(&mut self, form: Short) -> Result<(), Spot> {
        self.room(16)?;
        // SAFETY: there is room for all sixteen bytes of the form; its own length is taken.
        unsafe { self.bytes.push_form(form) };
        Ok(())
    }

    /// Writes floats until there is no next one, and says how many: vectors are long, and room is made for many at once.
    #[inline(always)]
    pub fn floats(&mut self, mut next: impl FnMut() -> Option<f64>) -> Result<usize, Spot> {
        const AT_ONCE: usize = 32;
        const SIZE: usize = 9;
        let mut count = 0;
        loop {
            self.room(AT_ONCE * SIZE)?;
            for _ in 0..AT_ONCE {
                let Some(number) = next() else { return Ok(count) };
                // SAFETY: there is room for the marker and eight bytes; the length grows by as many.
                unsafe {
                    let end = self.bytes.end();
                    *end = siftpack_wire::marker::FLOAT_64;
                    end.add(1).cast::<[u8; 8]>().write(number.to_bits().to_be_bytes());
                    self.bytes.wrote(SIZE);
                }
                count += 1;
            }
        }
    }

    /// Writes a string of at most 31 bytes.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "at most 31")]
    pub fn fix_str(&mut self, data: &[u8]) -> Result<(), Spot> {
        debug_assert!(data.len() < 32, "announced by one byte");
        self.room(32)?;
        // SAFETY: there is room for the marker and the bytes.
        unsafe {
            *self.bytes.end() = siftpack_wire::marker::FIX_STR | data.len() as u8;
            self.bytes.wrote(1);
            self.bytes.push(data);
        }
        Ok(())
    }

    /// Writes bytes.
    #[inline(always)]
    pub fn slice(&mut self, data: &[u8]) -> Result<(), Spot> {
        self.room(data.len())?;
        // SAFETY: there is room for the slice, and the two do not overlap.
        unsafe { self.bytes.push(data) };
        Ok(())
    }

    /// Writes a short form and the bytes it announces.
    #[inline(always)]
    pub fn headed(&mut self, form: Short, data: &[u8]) -> Result<(), Spot> {
        self.room(16 + data.len())?;
        // SAFETY: there is room for both.
        unsafe {
            self.bytes.push_form(form);
            self.bytes.push(data);
        }
        Ok(())
    }

    /// Writes a short form and the bytes it announces, which belong to `obj` and never change.
    #[inline(always)]
    pub fn held(&mut self, form: Short, data: &[u8], obj: Obj) -> Result<(), Spot> {
        if data.len() < self.big {
            return self.headed(form, data);
        }
        self.short(form)?;
        self.big(data, obj)
    }

    #[cold]
    fn big(&mut self, data: &[u8], obj: Obj) -> Result<(), Spot> {
        self.patches.try_reserve(1).map_err(|_| Spot::NoMemory)?;
        let position = self.position();
        self.slice(&[0])?;
        self.patches.push((position, Patch::Big(obj.own(), data.as_ptr(), data.len())));
        self.beyond += data.len().cast_signed() - 1;
        if self.size() > self.bound { Err(Spot::Full) } else { Ok(()) }
    }

    /// Writes the items of an array in C order. Large ones are remembered where they lie until [`Self::settle`].
    pub fn items(&mut self, items: &Strided<'_>) -> Result<(), Fault> {
        if items.len() >= LOAN.max(self.big)
            && let Some((owner, data)) = items.contiguous()
        {
            self.big(data, owner)?;
            self.loan = Some(self.patches.len() - 1);
            return Ok(());
        }
        if self.size().saturating_add(items.len()) > self.bound {
            return Err(Spot::Full.into());
        }
        self.room(items.len())?;
        // SAFETY: there is room, and the length grows by what was written.
        unsafe {
            items.copy_to(self.bytes.end())?;
            self.bytes.wrote(items.len());
        }
        Ok(())
    }

    /// True if there is something to [`Self::settle`].
    #[inline(always)]
    pub fn owes(&self) -> bool {
        self.loan.is_some()
    }

    /// Copies what was only remembered where it lies.
    #[cold]
    pub fn settle(&mut self, py: Python<'_>) -> Result<(), Fault> {
        if let Some(at) = self.loan.take()
            && let Some((_, Patch::Big(owner, data, size))) = self.patches.get_mut(at)
        {
            // SAFETY: the owner's memory, which nothing could change since it was looked at.
            let copy = Make::bytes(py, unsafe { core::slice::from_raw_parts(*data, *size) })?;
            *data = copy.obj().bytes().as_ptr();
            *owner = copy;
        }
        Ok(())
    }

    /// Writes a short form and a str's characters as the `size` bytes that they measure.
    pub fn transcoded(&mut self, form: Short, characters: Text<'_>, size: usize) -> Result<(), Spot> {
        self.short(form)?;
        self.room(size)?;
        let start = self.position();
        self.bytes.insert_zeros(start, size);
        characters.write(&mut self.bytes[start..]);
        Ok(())
    }

    /// Forgets everything written since a position.
    #[inline(always)]
    pub fn truncate(&mut self, position: usize) {
        self.bytes.truncate(position);
        while self.patches.last().is_some_and(|(at, _)| *at >= position) {
            self.drop_patch();
        }
    }

    #[cold]
    fn drop_patch(&mut self) {
        self.loan = self.loan.filter(|at| at + 1 < self.patches.len());
        match self.patches.pop() {
            Some((_, Patch::Gap(size))) => self.beyond += size.cast_signed(),
            Some((_, Patch::Big(held, _, size))) => {
                self.beyond -= size.cast_signed() - 1;
                drop(held);
            }
            None => {}
        }
    }

    /// What was written since a position, of an output that keeps nothing aside.
    #[inline(always)]
    pub fn since(&self, position: usize) -> &[u8] {
        &self.bytes[position..]
    }

    /// Puts other bytes in place of what was written since a position.
    pub fn replace(&mut self, position: usize, data: &[u8]) -> Result<(), Spot> {
        self.bytes.truncate(position);
        self.slice(data)
    }

    /// Puts other bytes in place of what was written since a position, and goes on counting `size` bytes for it.
    pub fn fold(&mut self, position: usize, size: usize, data: &[u8]) -> Result<(), Spot> {
        self.beyond += size.cast_signed() - data.len().cast_signed();
        self.replace(position, data)?;
        self.fits()
    }

    /// Looks whether the output is within its bound.
    pub fn fits(&self) -> Result<(), Spot> {
        if self.size() > self.bound { Err(Spot::Full) } else { Ok(()) }
    }

    /// Replaces the header at a position, where `old` bytes were announced for it, by another one.
    pub fn rewrite(&mut self, position: usize, old: usize, form: Short) -> Result<(), Spot> {
        let new = form.len();
        if new > old {
            self.room(new - old)?;
            self.bytes.insert_zeros(position, new - old);
            for (at, _) in self.patches.iter_mut().filter(|(at, _)| *at > position) {
                *at += new - old;
            }
        } else if new < old {
            self.patches.try_reserve(1).map_err(|_| Spot::NoMemory)?;
            self.patches.push((position, Patch::Gap(old - new)));
            self.beyond -= (old - new).cast_signed();
        }
        let start = position + old.saturating_sub(new);
        self.bytes[start..start + new].copy_from_slice(&form.padded()[..new]);
        Ok(())
    }

    /// Leaves out what is written at a position, with everything behind it already closed.
    pub fn gap(&mut self, position: usize, size: usize) -> Result<(), Spot> {
        self.patches.try_reserve(1).map_err(|_| Spot::NoMemory)?;
        self.patches.push((position, Patch::Gap(size)));
        self.beyond -= size.cast_signed();
        Ok(())
    }

    /// Size of the output in bytes.
    #[inline(always)]
    pub fn size(&self) -> usize {
        self.bytes.len().saturating_add_signed(self.beyond)
    }

    /// Overwrites one byte, for a flag known only at the end. The position is before the first gap.
    pub fn set(&mut self, position: usize, byte: u8) {
        self.bytes[position] = byte;
    }

    /// The output as a bytes object.
    pub fn finish(&mut self, py: Python<'_>) -> Result<Py<PyBytes>, Spot> {
        if self.size() > self.bound {
            return Err(Spot::Full);
        }
        let large = self.size() >= TAKEN && self.patches.is_empty();
        let made = if large { self.bytes.take_object(py)? } else { self.copied()? };
        // SAFETY: a bytes object by construction.
        Ok(unsafe { made.into_py(py).bind(py).clone().cast_into_unchecked::<PyBytes>() }.unbind())
    }

    /// Everything, gathered in a bytes object of its own.
    fn copied(&mut self) -> Result<Owned, Spot> {
        let size = self.size();
        // SAFETY: allocates an uninitialised bytes object of exactly `size`, or null with MemoryError set.
        let raw = unsafe { ffi::PyBytes_FromStringAndSize(core::ptr::null(), size.cast_signed()) };
        // SAFETY: a new reference or null.
        let Some(made) = (unsafe { Owned::from_new(raw) }) else {
            // SAFETY: the error is raised again by the door, as our own.
            unsafe { ffi::PyErr_Clear() };
            return Err(Spot::NoMemory);
        };
        // SAFETY: the object is fresh, so nobody else sees its buffer, which has `size` bytes.
        let target =
            unsafe { core::slice::from_raw_parts_mut(ffi::PyBytes_AS_STRING(raw).cast::<u8>().cast_mut(), size) };
        self.gather(target);
        Ok(made)
    }

    fn gather(&mut self, target: &mut [u8]) {
        self.patches.sort_by_key(|(at, _)| *at);
        let (mut read, mut filled) = (0, 0);
        let mut copy = |from: &[u8], filled: &mut usize| {
            target[*filled..*filled + from.len()].copy_from_slice(from);
            *filled += from.len();
        };
        for (at, patch) in &self.patches {
            copy(&self.bytes[read..*at], &mut filled);
            read = *at;
            match patch {
                Patch::Gap(size) => read += size,
                Patch::Big(_, data, size) => {
                    // SAFETY: the patch owns the object whose bytes these are, and they have not changed since.
                    copy(unsafe { core::slice::from_raw_parts(*data, *size) }, &mut filled);
                    read += 1;
                }
            }
        }
        copy(&self.bytes[read..], &mut filled);
    }
}

/// Room for one more value in a vector. Having it proves that the check was made, so that the value can be written
/// where it will lie, with nothing left that could fail.
#[derive(Debug)]
pub struct Room<'a, T>(&'a mut Vec<T>);

impl<'a, T> Room<'a, T> {
    /// Makes room; None if there is no memory.
    #[inline(always)]
    pub fn in_(vector: &'a mut Vec<T>) -> Option<Self> {
        if vector.len() == vector.capacity() {
            vector.try_reserve(vector.len().max(16)).ok()?;
        }
        Some(Self(vector))
    }

    /// Writes the value.
    #[inline(always)]
    pub fn put(self, value: T) -> &'a mut T {
        let at = self.0.len();
        // SAFETY: there is room for one more, and it is written before it is counted.
        unsafe {
            let place = self.0.as_mut_ptr().add(at);
            place.write(value);
            self.0.set_len(at + 1);
            &mut *place
        }
    }
}

/// Forgets the last value of a vector where it lies, without moving it: for one that owns nothing.
#[inline(always)]
pub fn forget_last<T>(vector: &mut Vec<T>) {
    let rest = vector.len().saturating_sub(1);
    // SAFETY: the length only shrinks; a value that did own something would leak, no more.
    unsafe { vector.set_len(rest) };
}

impl Drop for Out {
    fn drop(&mut self) {
        // SAFETY: an output lives inside a call that holds the GIL.
        let py = unsafe { Python::assume_attached() };
        core::mem::replace(&mut self.bytes, Buffer::new()).keep(py);
    }
}
