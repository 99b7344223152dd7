//! The items of an array where they lie, in whatever order: read through the buffer protocol and copied once.

use core::ffi::c_char;
use core::mem::MaybeUninit;

use pyo3::prelude::*;
use pyo3::{PyErr, ffi};

use super::build::no_memory;
use super::{Obj, Owned};

/// Dimensions of a buffer, at most: `PyBUF_MAX_NDIM`.
const DIMENSIONS: usize = 64;

/// A buffer that is held: of bytes, or of an exact ndarray, so that neither taking nor releasing it runs Python code.
pub struct Strided<'py> {
    /// In a box of its own, because a view may point into itself.
    view: Box<ffi::Py_buffer>,
    py: Python<'py>,
    owner: Owned,
}

impl<'py> Strided<'py> {
    /// Takes the buffer of an object. Raises what the object raises.
    pub fn of(items: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut view = Box::new(MaybeUninit::<ffi::Py_buffer>::uninit());
        // SAFETY: the view is filled by the call if it succeeds, and stays where it is until it is released.
        let view = unsafe {
            if ffi::PyObject_GetBuffer(items.as_ptr(), view.as_mut_ptr(), ffi::PyBUF_STRIDED_RO) != 0 {
                return Err(PyErr::fetch(items.py()));
            }
            Box::from_raw(Box::into_raw(view).cast::<ffi::Py_buffer>())
        };
        Ok(Self { view, py: items.py(), owner: Obj::of(items).own() })
    }

    /// Bytes of all items together.
    pub fn len(&self) -> usize {
        self.view.len.cast_unsigned()
    }

    /// The object whose memory it is, if the items lie in C order without gaps.
    pub fn contiguous(&self) -> Option<(Obj, &[u8])> {
        // SAFETY: a view that is held; contiguous memory of its length is a slice, and nothing writes to it while
        // nobody but us can run.
        unsafe {
            let order = b'C'.cast_signed() as c_char;
            let whole = ffi::PyBuffer_IsContiguous(&raw const *self.view, order) != 0 && !self.view.buf.is_null();
            whole.then(|| {
                (self.owner.obj(), core::slice::from_raw_parts(self.view.buf.cast::<u8>().cast_const(), self.len()))
            })
        }
    }

    /// Copies the items in C order.
    ///
    /// # Safety
    /// There is room for [`Self::len`] bytes behind `target`.
    pub(super) unsafe fn copy_to(&self, target: *mut u8) -> PyResult<()> {
        if let Some((_, whole)) = self.contiguous() {
            // SAFETY: promised by the caller; the target is no part of the array.
            unsafe { core::ptr::copy_nonoverlapping(whole.as_ptr(), target, whole.len()) };
            return Ok(());
        }
        // SAFETY: a held view of an ndarray has a length and a stride for each dimension, and no sub-offsets, which
        // were not asked for; the target has room for all items.
        unsafe {
            let dimensions = usize::try_from(self.view.ndim).unwrap_or(0);
            if self.view.shape.is_null() || self.view.strides.is_null() || self.len() == 0 {
                return if self.len() == 0 { Ok(()) } else { Err(no_memory()) };
            }
            let shape = core::slice::from_raw_parts(self.view.shape, dimensions);
            let strides = core::slice::from_raw_parts(self.view.strides, dimensions);
            let from = self.view.buf.cast::<u8>().cast_const();
            match self.view.itemsize {
                1 => gather::<1>(from, target, shape, strides, 1),
                2 => gather::<2>(from, target, shape, strides, 2),
                4 => gather::<4>(from, target, shape, strides, 4),
                8 => gather::<8>(from, target, shape, strides, 8),
                16 => gather::<16>(from, target, shape, strides, 16),
                other => gather::<0>(from, target, shape, strides, other.cast_unsigned()),
            }
        }
        Ok(())
    }

    /// Adds the items in C order to a vector.
    pub fn append_to(&self, bytes: &mut Vec<u8>) -> PyResult<()> {
        bytes.try_reserve(self.len()).map_err(|_| no_memory())?;
        // SAFETY: there is room, and the length grows by what was written.
        unsafe {
            self.copy_to(bytes.as_mut_ptr().add(bytes.len()))?;
            bytes.set_len(bytes.len() + self.len());
        }
        Ok(())
    }

    /// A bytearray of the items in C order.
    pub fn bytearray(&self) -> PyResult<Owned> {
        let made = empty(self.py, self.len())?;
        // SAFETY: a fresh bytearray of just that size, which nobody else sees yet.
        unsafe { self.copy_to(ffi::PyByteArray_AsString(made.obj().ptr()).cast())? };
        Ok(made)
    }
}

/// Copies items of `SIZE` bytes, or of `size` where that is 0, in C order: row by row, the last dimension inside.
///
/// # Safety
/// `from` is the first item of a view of this shape and these strides, which has items; `target` has room for them.
unsafe fn gather<const SIZE: usize>(from: *const u8, target: *mut u8, shape: &[isize], strides: &[isize], size: usize) {
    let (Some((&row, outer)), Some((&step, jumps))) = (shape.split_last(), strides.split_last()) else { return };
    let mut index = [0_isize; DIMENSIONS];
    let (mut start, mut target) = (from, target);
    loop {
        let mut item = start;
        for _ in 0..row {
            // SAFETY: promised by the caller; the pointers stay inside the view and the target.
            unsafe {
                if SIZE == 0 {
                    core::ptr::copy_nonoverlapping(item, target, size);
                } else {
                    target.cast::<[u8; SIZE]>().write_unaligned(item.cast::<[u8; SIZE]>().read_unaligned());
                }
                target = target.add(size);
            }
            item = item.wrapping_offset(step);
        }
        // The next row: the last of the outer dimensions that is not at its end moves on, those behind it begin anew.
        let mut at = outer.len();
        loop {
            if at == 0 {
                return;
            }
            at -= 1;
            index[at] += 1;
            start = start.wrapping_offset(jumps[at]);
            if index[at] < outer[at] {
                break;
            }
            start = start.wrapping_offset(-jumps[at] * outer[at]);
            index[at] = 0;
        }
    }
}

impl core::fmt::Debug for Strided<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Strided").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Drop for Strided<'_> {
    fn drop(&mut self) {
        // SAFETY: taken once, released once, with the GIL. The object itself lives on in `owner`.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.view) };
    }
}

/// A bytearray of these bytes.
pub fn bytearray(py: Python<'_>, bytes: &[u8]) -> PyResult<Owned> {
    let made = empty(py, bytes.len())?;
    // SAFETY: a fresh bytearray of just that size, which nobody else sees yet.
    unsafe {
        let target = ffi::PyByteArray_AsString(made.obj().ptr()).cast::<u8>();
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
    }
    Ok(made)
}

fn empty(py: Python<'_>, size: usize) -> PyResult<Owned> {
    // SAFETY: a new bytearray of uninitialised bytes, or null with an exception set.
    let made = unsafe { Owned::from_new(ffi::PyByteArray_FromStringAndSize(core::ptr::null(), size.cast_signed())) };
    made.ok_or_else(|| PyErr::fetch(py))
}
