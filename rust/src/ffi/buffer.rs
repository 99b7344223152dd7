//! Bytes that grow inside a bytes object which nobody else sees yet, so that a large output becomes one without a copy.

use core::ffi::c_int;
use core::mem::{ManuallyDrop, offset_of};
use core::ops::{Deref, DerefMut};
use core::{ptr, slice};

use pyo3::{Python, ffi};
use siftpack_wire::Short;

use super::Owned;
use super::out::Spot;
use super::quiet::GilCell;

/// Where the bytes of a bytes object begin.
const DATA: usize = offset_of!(ffi::PyBytesObject, ob_sval);
/// The least that is asked for, in bytes: no bytes object of this size is ever shared.
const FIRST: usize = 1024;
/// Room up to this size, in bytes, is kept for the next call, or asked for at once if the last call needed it.
const KEPT: usize = 1 << 20;

static SPARE: GilCell<Spare> = GilCell::new(Spare { room: Buffer::new(), first: FIRST });

unsafe extern "C" {
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// What a call leaves to the next one.
struct Spare {
    room: Buffer,
    /// What a buffer without room asks for first.
    first: usize,
}

/// The buffer. Made, grown and dropped by who holds the GIL.
#[derive(Debug)]
pub struct Buffer {
    /// The data of the object. Where there is none, the capacity is 0.
    data: *mut u8,
    len: usize,
    capacity: usize,
}

impl Buffer {
    /// One without room.
    pub const fn new() -> Self {
        Self { data: ptr::dangling_mut(), len: 0, capacity: 0 }
    }

    /// An empty one, with the room that was kept if nobody else has it.
    #[inline(always)]
    pub fn spare(py: Python<'_>) -> Self {
        SPARE.with(py, |spare| core::mem::replace(&mut spare.room, Self::new()))
    }

    /// Keeps the room for the next call.
    #[inline(always)]
    pub fn keep(mut self, py: Python<'_>) {
        if (1..=KEPT).contains(&self.capacity) {
            self.len = 0;
            drop(SPARE.with(py, |spare| core::mem::replace(&mut spare.room, self)));
        }
    }

    /// True if there is no room for that many more bytes.
    #[inline(always)]
    pub fn lacks(&self, size: usize) -> bool {
        self.capacity - self.len < size
    }

    /// Makes room for that many more bytes, and for some that may follow.
    pub fn reserve(&mut self, py: Python<'_>, size: usize) -> Result<(), Spot> {
        let least = if self.capacity == 0 { SPARE.with(py, |spare| spare.first) } else { 2 * self.capacity };
        let wanted = self.len.checked_add(size).ok_or(Spot::NoMemory)?.max(least);
        self.resize(isize::try_from(wanted).map_err(|_| Spot::NoMemory)?)
    }

    /// Gives the object another size that is not 0. Without memory, everything written is lost.
    fn resize(&mut self, size: isize) -> Result<(), Spot> {
        let Self { data, len, capacity } = *ManuallyDrop::new(core::mem::replace(self, Self::new()));
        // SAFETY: an uninitialised object of that size, or the one of this buffer, which nobody else knows, moved to
        // where there is room; or null with MemoryError set, which the door raises again as our own.
        unsafe {
            let mut object = data.wrapping_sub(DATA).cast::<ffi::PyObject>();
            if capacity == 0 {
                object = ffi::PyBytes_FromStringAndSize(ptr::null(), size);
            } else {
                _PyBytes_Resize(&raw mut object, size);
            }
            if object.is_null() {
                ffi::PyErr_Clear();
                return Err(Spot::NoMemory);
            }
            *self = Self { data: object.cast::<u8>().add(DATA), len, capacity: size.cast_unsigned() };
        }
        Ok(())
    }

    /// The object, as long as what was written; the buffer is left without room. Something was written.
    pub fn take_object(&mut self, py: Python<'_>) -> Result<Owned, Spot> {
        if self.len < self.capacity {
            self.resize(self.len.cast_signed())?;
        }
        SPARE.with(py, |spare| spare.first = (self.len + self.len / 8).clamp(FIRST, KEPT));
        let taken = ManuallyDrop::new(core::mem::replace(self, Self::new()));
        let object = taken.data.wrapping_sub(DATA).cast::<ffi::PyObject>();
        // SAFETY: the one reference to an object of just that size, all of which is written.
        unsafe { Owned::from_new(object) }.ok_or(Spot::NoMemory)
    }

    /// Where the next byte goes.
    #[inline(always)]
    pub fn end(&mut self) -> *mut u8 {
        self.data.wrapping_add(self.len)
    }

    /// Counts bytes as written.
    ///
    /// # Safety
    /// There was room for them, and they were written.
    #[inline(always)]
    pub unsafe fn wrote(&mut self, size: usize) {
        self.len += size;
    }

    /// # Safety
    /// There is room for sixteen bytes.
    #[inline(always)]
    pub unsafe fn push_form(&mut self, form: Short) {
        // SAFETY: promised by the caller; the length grows by no more than was written.
        unsafe {
            self.end().cast::<[u8; 16]>().write_unaligned(form.padded());
            self.wrote(form.len());
        }
    }

    /// # Safety
    /// There is room for `data`, which is not in this buffer.
    #[inline(always)]
    pub unsafe fn push(&mut self, data: &[u8]) {
        // SAFETY: promised by the caller. Short slices, which most are, go by their two ends.
        unsafe {
            let (from, to, size) = (data.as_ptr(), self.end(), data.len());
            if size >= 8 {
                if size <= 16 {
                    copy_ends::<8>(from, to, size);
                } else if size <= 32 {
                    copy_ends::<16>(from, to, size);
                } else if size <= 64 {
                    copy_ends::<32>(from, to, size);
                } else {
                    ptr::copy_nonoverlapping(from, to, size);
                }
            } else if size >= 4 {
                copy_ends::<4>(from, to, size);
            } else {
                for at in 0..size {
                    *to.add(at) = *from.add(at);
                }
            }
            self.wrote(size);
        }
    }

    /// Writes zeros, for which there is room, in front of what stands at a position.
    pub fn insert_zeros(&mut self, position: usize, size: usize) {
        assert!(position <= self.len && !self.lacks(size), "room is made before");
        // SAFETY: both stretches lie in the buffer, as was just looked at.
        unsafe {
            let start = self.data.add(position);
            ptr::copy(start, start.add(size), self.len - position);
            ptr::write_bytes(start, 0, size);
            self.wrote(size);
        }
    }

    /// Forgets what was written since a position.
    #[inline(always)]
    pub fn truncate(&mut self, position: usize) {
        self.len = self.len.min(position);
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes were written.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

impl DerefMut for Buffer {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and nobody else has the object.
        unsafe { slice::from_raw_parts_mut(self.data, self.len) }
    }
}

impl Drop for Buffer {
    #[inline(always)]
    fn drop(&mut self) {
        if self.capacity > 0 {
            // SAFETY: the one reference to the object, given up with the GIL held; a bytes object runs no code for it.
            unsafe { ffi::Py_DECREF(self.data.wrapping_sub(DATA).cast()) };
        }
    }
}

/// Copies the first and the last so many bytes, which overlap as they need to.
///
/// # Safety
/// There are `N` to `2 * N` bytes to read and as much room to write, and the two do not overlap.
#[inline(always)]
unsafe fn copy_ends<const N: usize>(from: *const u8, to: *mut u8, size: usize) {
    // SAFETY: promised by the caller.
    unsafe {
        let (head, tail) = (from.cast::<[u8; N]>().read(), from.add(size - N).cast::<[u8; N]>().read());
        to.cast::<[u8; N]>().write(head);
        to.add(size - N).cast::<[u8; N]>().write(tail);
    }
}
