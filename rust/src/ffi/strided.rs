//! The items of an array where they lie, in whatever order: read through the buffer protocol and copied once.

use core::ffi::c_char;
use core::mem::MaybeUninit;

use pyo3::prelude::*;
use pyo3::{PyErr, ffi};

use super::build::no_memory;
use super::{Obj, Owned};

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
        if self.len() == 0 {
            return Ok(());
        }
        let order = b'C'.cast_signed() as c_char;
        // SAFETY: as above; the view is held and knows its own strides.
        let failed =
            unsafe { ffi::PyBuffer_ToContiguous(target.cast(), &raw const *self.view, self.view.len, order) };
        if failed == 0 { Ok(()) } else { Err(PyErr::fetch(self.py)) }
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
