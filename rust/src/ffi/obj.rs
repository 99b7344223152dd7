//! A borrowed object, an owned one, and a type, each one pointer wide.

use core::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;

use super::quiet::GilCell;

/// A live object, borrowed until the next checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Obj(NonNull<ffi::PyObject>);

/// A live type, borrowed until the next checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ty(NonNull<ffi::PyTypeObject>);

/// An object this side holds one reference to. Dropping it runs nothing: a reference that may be the last one goes
/// to the graveyard, which is emptied when no walk can be hurt by a finalizer.
#[derive(Debug)]
#[must_use]
pub struct Owned(Obj);

// SAFETY: a reference is only a number until it is used, and every use is inside a call that holds the GIL.
unsafe impl Send for Owned {}
// SAFETY: as above.
unsafe impl Sync for Owned {}

/// Types the inner loops know by their address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exact {
    /// None
    Nil,
    /// bool
    Bool,
    /// int
    Int,
    /// float
    Float,
    /// str
    Str,
    /// bytes
    Bytes,
    /// list
    List,
    /// dict
    Dict,
    /// tuple
    Tuple,
    /// Anything else: ask its plan.
    Other,
}

impl Exact {
    /// True for what is written at once: None, bool, int, float, str.
    #[inline(always)]
    pub fn is_scalar(self) -> bool {
        matches!(self, Self::Str | Self::Int | Self::Float | Self::Nil | Self::Bool)
    }

    /// True for dict, list and tuple.
    #[inline(always)]
    pub fn is_container(self) -> bool {
        matches!(self, Self::List | Self::Dict | Self::Tuple)
    }
}

impl Obj {
    /// Borrows what a `Bound` keeps alive.
    #[inline(always)]
    pub fn of(bound: &Bound<'_, PyAny>) -> Self {
        // SAFETY: a Bound is never null.
        Self(unsafe { NonNull::new_unchecked(bound.as_ptr()) })
    }

    /// Borrows what a pointer refers to, if it is not null.
    ///
    /// # Safety
    /// The object must be alive.
    #[inline(always)]
    pub(super) unsafe fn from_ptr(ptr: *mut ffi::PyObject) -> Option<Self> {
        NonNull::new(ptr).map(Self)
    }

    /// The raw pointer.
    #[inline(always)]
    pub(super) fn ptr(self) -> *mut ffi::PyObject {
        self.0.as_ptr()
    }

    /// The address, as an identity.
    #[inline(always)]
    pub fn id(self) -> usize {
        self.0.as_ptr() as usize
    }

    /// The type in the object's header, whatever `__class__` says.
    #[inline(always)]
    pub fn ty(self) -> Ty {
        // SAFETY: the object is alive and its type is never null.
        Ty(unsafe { NonNull::new_unchecked(ffi::Py_TYPE(self.ptr())) })
    }

    /// Which of the well-known types it is exactly.
    #[inline(always)]
    pub fn exact(self) -> Exact {
        let ty = self.ty().0.as_ptr();
        if ty == &raw mut ffi::PyUnicode_Type {
            Exact::Str
        } else if ty == &raw mut ffi::PyLong_Type {
            Exact::Int
        } else if ty == &raw mut ffi::PyFloat_Type {
            Exact::Float
        } else if ty == &raw mut ffi::PyDict_Type {
            Exact::Dict
        } else if ty == &raw mut ffi::PyList_Type {
            Exact::List
        } else if self.is_none() {
            Exact::Nil
        } else if ty == &raw mut ffi::PyBool_Type {
            Exact::Bool
        } else if ty == &raw mut ffi::PyTuple_Type {
            Exact::Tuple
        } else if ty == &raw mut ffi::PyBytes_Type {
            Exact::Bytes
        } else {
            Exact::Other
        }
    }

    /// True for None.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        // SAFETY: only the address of None is taken.
        self.ptr() == unsafe { ffi::Py_None() }
    }

    /// True for True; meaningful for a bool only.
    #[inline(always)]
    pub fn is_true(self) -> bool {
        // SAFETY: only the address of True is taken.
        self.ptr() == unsafe { ffi::Py_True() }
    }

    /// True if it is a str, not a subclass.
    #[inline(always)]
    pub fn is_str(self) -> bool {
        self.ty().0.as_ptr() == &raw mut ffi::PyUnicode_Type
    }

    /// True if it is a float, not a subclass.
    #[inline(always)]
    pub fn is_float(self) -> bool {
        self.ty().0.as_ptr() == &raw mut ffi::PyFloat_Type
    }

    /// True for an exact type that is its own message in every format: None, bool, int, float, str, bytes.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        matches!(self.exact(), Exact::Nil | Exact::Bool | Exact::Int | Exact::Float | Exact::Str | Exact::Bytes)
    }

    /// The double of a float or subclass.
    #[inline(always)]
    pub fn float(self) -> f64 {
        // SAFETY: callers have seen that the type is float or derives from it by layout.
        unsafe { ffi::PyFloat_AS_DOUBLE(self.ptr()) }
    }

    /// The bytes of a bytes object or subclass.
    #[inline(always)]
    pub fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: callers have seen that it is bytes by layout; bytes never change, and the object lives until
        // the next checkpoint, before which the slice is copied.
        unsafe {
            let size = ffi::Py_SIZE(self.ptr()).cast_unsigned();
            core::slice::from_raw_parts(ffi::PyBytes_AS_STRING(self.ptr()).cast::<u8>(), size)
        }
    }

    /// As a type; meaningful for an object that is one.
    pub fn as_type(self) -> Ty {
        Ty(self.0.cast())
    }

    /// Takes one more reference.
    #[inline(always)]
    pub fn own(self) -> Owned {
        // SAFETY: the object is alive and the GIL is held.
        unsafe { ffi::Py_INCREF(self.ptr()) };
        Owned(self)
    }

    /// Takes over a reference that was taken before and forgotten.
    #[inline(always)]
    pub fn adopt(self) -> Owned {
        Owned(self)
    }

    /// As PyO3 knows it, with a reference of its own.
    pub fn bind(self, py: Python<'_>) -> Bound<'_, PyAny> {
        // SAFETY: the object is alive; this takes a new reference.
        unsafe { Bound::from_borrowed_ptr(py, self.ptr()) }
    }
}

impl Owned {
    /// Takes over the reference a C call returned; None if it returned null (an exception is set).
    ///
    /// # Safety
    /// `ptr` is null or a new reference.
    pub(super) unsafe fn from_new(ptr: *mut ffi::PyObject) -> Option<Self> {
        NonNull::new(ptr).map(|live| Self(Obj(live)))
    }

    /// Takes over the reference of a PyO3 handle.
    pub fn from_py(held: Py<PyAny>) -> Self {
        // SAFETY: into_ptr gives up a live reference.
        Self(Obj(unsafe { NonNull::new_unchecked(held.into_ptr()) }))
    }

    /// Borrows it.
    #[inline(always)]
    pub fn obj(&self) -> Obj {
        self.0
    }

    /// Gives the reference to PyO3.
    pub fn into_py(self, py: Python<'_>) -> Py<PyAny> {
        // SAFETY: this hands over the one reference held.
        unsafe { Bound::from_owned_ptr(py, self.into_ptr()) }.unbind()
    }

    /// Gives the reference up. A finalizer may run if it was the last one.
    #[inline(always)]
    pub fn release(self) {
        // SAFETY: this gives up the one reference held, with the GIL.
        unsafe { ffi::Py_DECREF(self.into_ptr()) };
    }

    /// The raw reference, for a C call that steals it.
    #[inline(always)]
    pub(super) fn into_ptr(self) -> *mut ffi::PyObject {
        let ptr = self.0.ptr();
        core::mem::forget(self);
        ptr
    }
}

static GRAVEYARD: GilCell<Vec<Owned>> = GilCell::new(Vec::new());

impl Drop for Owned {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the GIL is held. A reference that is not the last one is given up at once; the last one is kept.
        unsafe {
            if ffi::Py_REFCNT(self.0.ptr()) > 1 {
                ffi::Py_DECREF(self.0.ptr());
            } else {
                let py = Python::assume_attached();
                GRAVEYARD.with(py, |graves| graves.push(Self(self.0)));
            }
        }
    }
}

/// Gives up everything that was dropped. Finalizers run, so this is for the end of a walk and for checkpoints.
pub fn empty_graveyard(py: Python<'_>) {
    loop {
        let graves = GRAVEYARD.with(py, core::mem::take);
        if graves.is_empty() {
            return;
        }
        for each in graves {
            each.release();
        }
    }
}

impl Ty {
    /// The raw pointer.
    #[inline(always)]
    pub(super) fn ptr(self) -> *mut ffi::PyTypeObject {
        self.0.as_ptr()
    }

    /// From a live type's pointer.
    #[inline(always)]
    pub(super) unsafe fn from_ptr(ptr: *mut ffi::PyTypeObject) -> Option<Self> {
        NonNull::new(ptr).map(Self)
    }

    /// The address, as an identity.
    #[inline(always)]
    pub fn id(self) -> usize {
        self.0.as_ptr() as usize
    }

    /// The type as an object.
    #[inline(always)]
    pub fn as_obj(self) -> Obj {
        Obj(self.0.cast())
    }
}
