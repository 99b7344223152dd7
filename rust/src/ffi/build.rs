//! Making Python objects from clean parts, and reading a caller's buffer.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{PyErr, ffi};

use super::quiet::Spare;
#[cfg(not(Py_3_12))]
use super::rows;
use super::{Exact, Obj, Owned};

/// Calls a genuine getset or member descriptor's getter on an instance: C code only.
pub fn descriptor_get(descriptor: Obj, obj: Obj) -> Option<Owned> {
    // SAFETY: the descriptor was taken from a builtin type's own dict at classification.
    unsafe {
        let get = (*descriptor.ty().ptr()).tp_descr_get?;
        let found = Owned::from_new(get(descriptor.ptr(), obj.ptr(), obj.ty().ptr().cast()));
        if found.is_none() {
            ffi::PyErr_Clear();
        }
        found
    }
}

pub(super) fn made(py: Python<'_>, raw: *mut ffi::PyObject) -> PyResult<Owned> {
    // SAFETY: callers pass the new reference or null that a constructor returned.
    unsafe { Owned::from_new(raw) }.ok_or_else(|| PyErr::fetch(py))
}

/// Clean values waiting for their container: each container takes its parts off the top when it is complete.
#[derive(Debug, Default)]
pub struct Stack(Vec<Owned>);

impl Stack {
    /// Values on it.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds one.
    #[inline(always)]
    pub fn push(&mut self, value: Owned) -> PyResult<()> {
        if self.0.len() == self.0.capacity() && self.0.try_reserve(64).is_err() {
            value.release();
            return Err(no_memory());
        }
        self.0.push(value);
        Ok(())
    }

    /// Takes the topmost.
    pub fn pop(&mut self) -> Option<Owned> {
        self.0.pop()
    }

    /// Gives up everything above a height. These are clean values: no finalizer is among them.
    pub fn truncate(&mut self, height: usize) {
        while self.0.len() > height {
            if let Some(value) = self.0.pop() {
                value.release();
            }
        }
    }

    /// A list of everything above a height.
    pub fn list(&mut self, py: Python<'_>, height: usize) -> PyResult<Owned> {
        let count = self.0.len() - height;
        // SAFETY: a new list of that size; every slot is filled by a stolen reference before anyone sees it.
        unsafe {
            let list = made(py, ffi::PyList_New(count.cast_signed()))?;
            for (at, value) in self.0.drain(height..).enumerate() {
                ffi::PyList_SET_ITEM(list.obj().ptr(), at.cast_signed(), value.into_ptr());
            }
            Ok(list)
        }
    }

    /// A tuple of everything above a height.
    pub fn tuple(&mut self, py: Python<'_>, height: usize) -> PyResult<Owned> {
        let count = self.0.len() - height;
        // SAFETY: as for the list.
        unsafe {
            let tuple = made(py, ffi::PyTuple_New(count.cast_signed()))?;
            for (at, value) in self.0.drain(height..).enumerate() {
                ffi::PyTuple_SET_ITEM(tuple.obj().ptr(), at.cast_signed(), value.into_ptr());
            }
            Ok(tuple)
        }
    }

    /// A dict of the keys and values above a height; and how many entries it has, fewer if keys are equal.
    pub fn dict(&mut self, py: Python<'_>, height: usize) -> PyResult<(Owned, usize)> {
        let pairs = (self.0.len() - height) / 2;
        let result = made(py, new_dict(pairs)).and_then(|dict| {
            for pair in self.0[height..].chunks_exact(2) {
                // SAFETY: the dict is ours; keys and values are clean and alive.
                let failed = unsafe { ffi::PyDict_SetItem(dict.obj().ptr(), pair[0].obj().ptr(), pair[1].obj().ptr()) };
                if failed != 0 {
                    dict.release();
                    return Err(PyErr::fetch(py));
                }
            }
            // SAFETY: a dict.
            let size = unsafe { ffi::PyDict_Size(dict.obj().ptr()) };
            Ok((dict, size.cast_unsigned()))
        });
        self.truncate(height);
        result
    }

    /// The same, of keys that mostly are the very same objects as in earlier dicts, in the same order, as in rows: then
    /// it is made as a copy of an earlier one. `OURS`: the keys are strings that a reader made.
    #[inline(always)]
    pub fn row<const OURS: bool>(&mut self, py: Python<'_>, height: usize) -> PyResult<(Owned, usize)> {
        #[cfg(not(Py_3_12))]
        if let Some(made) = rows::like_earlier::<OURS>(py, &mut self.0, height) {
            return Ok(made);
        }
        self.dict(py, height)
    }

    /// A set or frozenset of everything above a height; and how many elements it has, fewer if some are equal.
    pub fn set(&mut self, py: Python<'_>, height: usize, frozen: bool) -> PyResult<(Owned, usize)> {
        let result = set_from(py, frozen, self.0[height..].iter().map(Owned::obj));
        self.truncate(height);
        result
    }
}

/// The stack of the last reader, empty.
static SPARE: Spare<Owned> = Spare::new();
/// Values whose room is kept for the next reader.
const SPARE_VALUES: usize = 1024;

impl Stack {
    /// An empty one, on the room of the last one that was kept.
    pub fn spare(py: Python<'_>) -> Self {
        Self(SPARE.take(py))
    }

    /// Gives everything up and keeps the room.
    pub fn keep(mut self, py: Python<'_>) {
        self.truncate(0);
        SPARE.keep(py, core::mem::take(&mut self.0), SPARE_VALUES);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.truncate(0);
    }
}

unsafe extern "C" {
    fn _PyDict_NewPresized(minused: isize) -> *mut ffi::PyObject;
}

fn new_dict(pairs: usize) -> *mut ffi::PyObject {
    // SAFETY: a new dict or null; small ones grow as cheaply as they are presized.
    unsafe { if pairs > 5 { _PyDict_NewPresized(pairs.cast_signed()) } else { ffi::PyDict_New() } }
}

/// A set or frozenset of clean elements, and its size.
pub fn set_from(py: Python<'_>, frozen: bool, items: impl Iterator<Item = Obj>) -> PyResult<(Owned, usize)> {
    // SAFETY: a new set or frozenset that nobody else sees while it is filled (which is allowed for both).
    unsafe {
        let empty = core::ptr::null_mut();
        let set = made(py, if frozen { ffi::PyFrozenSet_New(empty) } else { ffi::PySet_New(empty) })?;
        for item in items {
            if ffi::PySet_Add(set.obj().ptr(), item.ptr()) != 0 {
                set.release();
                return Err(PyErr::fetch(py));
            }
        }
        let size = ffi::PySet_Size(set.obj().ptr()).cast_unsigned();
        Ok((set, size))
    }
}

/// An empty set.
pub fn new_set(py: Python<'_>) -> PyResult<Owned> {
    Ok(set_from(py, false, core::iter::empty())?.0)
}

/// True if a clean value is in a set. May run the standard library's Python code.
pub fn contains(py: Python<'_>, set: Obj, value: Obj) -> PyResult<bool> {
    // SAFETY: a set of ours; -1 means that an exception is set.
    match unsafe { ffi::PySet_Contains(set.ptr(), value.ptr()) } {
        -1 => Err(PyErr::fetch(py)),
        found => Ok(found == 1),
    }
}

/// Adds a clean value to a set. May run the standard library's Python code.
pub fn set_add(py: Python<'_>, set: Obj, value: Obj) -> PyResult<()> {
    // SAFETY: as above.
    if unsafe { ffi::PySet_Add(set.ptr(), value.ptr()) } == 0 { Ok(()) } else { Err(PyErr::fetch(py)) }
}

/// A tuple of clean values.
pub fn tuple_from(py: Python<'_>, items: impl Iterator<Item = Obj>) -> PyResult<Owned> {
    let mut stack = Stack::default();
    for item in items {
        stack.push(item.own())?;
    }
    stack.tuple(py, 0)
}

/// A dict of clean keys and values.
pub fn dict_from(py: Python<'_>, items: impl Iterator<Item = (Obj, Obj)>) -> PyResult<Owned> {
    let mut stack = Stack::default();
    for (key, value) in items {
        stack.push(key.own())?;
        stack.push(value.own())?;
    }
    Ok(stack.dict(py, 0)?.0)
}

/// A list that owns each of these objects, for a walk over something that is no list.
pub fn owned_list(py: Python<'_>, items: &[Obj]) -> PyResult<Owned> {
    let mut stack = Stack::default();
    for item in items {
        stack.push(item.own())?;
    }
    stack.list(py, 0)
}

/// A tuple of two.
pub fn owned_pair(py: Python<'_>, first: Obj, second: Obj) -> PyResult<Owned> {
    tuple_from(py, [first, second].into_iter())
}

/// `MemoryError`, without building anything.
pub fn no_memory() -> PyErr {
    pyo3::exceptions::PyMemoryError::new_err(())
}

/// Constructors of exact builtins from decoded parts.
#[derive(Debug)]
pub struct Make;

impl Make {
    /// None
    #[inline(always)]
    pub fn nil(py: Python<'_>) -> Owned {
        Obj::of(py.None().bind(py)).own()
    }

    /// bool
    #[inline(always)]
    pub fn boolean(value: bool) -> Owned {
        // SAFETY: True and False live for ever.
        unsafe { Obj::from_ptr(if value { ffi::Py_True() } else { ffi::Py_False() }).unwrap_unchecked().own() }
    }

    /// int
    #[inline(always)]
    pub fn signed(py: Python<'_>, value: i64) -> PyResult<Owned> {
        // SAFETY: a constructor.
        made(py, unsafe { ffi::PyLong_FromLongLong(value) })
    }

    /// int
    #[inline(always)]
    pub fn unsigned(py: Python<'_>, value: u64) -> PyResult<Owned> {
        // SAFETY: a constructor.
        made(py, unsafe { ffi::PyLong_FromUnsignedLongLong(value) })
    }

    /// float
    #[inline(always)]
    pub fn float(py: Python<'_>, value: f64) -> PyResult<Owned> {
        // SAFETY: a constructor.
        made(py, unsafe { ffi::PyFloat_FromDouble(value) })
    }

    /// bytes
    pub fn bytes(py: Python<'_>, value: &[u8]) -> PyResult<Owned> {
        // SAFETY: copies the slice.
        made(py, unsafe { ffi::PyBytes_FromStringAndSize(value.as_ptr().cast(), value.len().cast_signed()) })
    }

    /// A list or dict of scalars once more; a tuple of scalars as it is, which never changes.
    #[inline(always)]
    pub fn copy(py: Python<'_>, obj: Obj, exact: Exact) -> PyResult<Owned> {
        // SAFETY: exactly of these types. Nothing runs: a list is copied item by item, a dict as a block, or pair by pair
        // if much was deleted from it, and its keys are plain scalars.
        unsafe {
            match exact {
                Exact::List => made(py, ffi::PyList_GetSlice(obj.ptr(), 0, ffi::PyList_GET_SIZE(obj.ptr()))),
                Exact::Dict => made(py, ffi::PyDict_Copy(obj.ptr())),
                _ => Ok(obj.own()),
            }
        }
    }

    /// The hash of a clean key. May run the standard library's Python code.
    pub fn hash(py: Python<'_>, key: Obj) -> PyResult<isize> {
        // SAFETY: a live object; -1 means that an exception is set.
        let hash = unsafe { ffi::PyObject_Hash(key.ptr()) };
        if hash == -1 { Err(PyErr::fetch(py)) } else { Ok(hash) }
    }
}

/// The bytes a caller passes in: a bytes object as it is, anything else with a buffer copied once.
#[derive(Debug)]
pub enum Input<'py> {
    /// bytes, which never change.
    Held(Bound<'py, PyBytes>),
    /// A copy.
    Copied(Vec<u8>),
}

impl<'py> Input<'py> {
    /// Takes bytes, bytearray or memoryview. Raises `TypeError` for others.
    pub fn of(data: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = data.cast::<PyBytes>() {
            return Ok(Self::Held(bytes.clone()));
        }
        // SAFETY: the view is filled by the call, copied from while it is held, and released once.
        unsafe {
            let mut view = core::mem::MaybeUninit::<ffi::Py_buffer>::uninit();
            if ffi::PyObject_GetBuffer(data.as_ptr(), view.as_mut_ptr(), ffi::PyBUF_FULL_RO) != 0 {
                return Err(PyErr::fetch(data.py()));
            }
            let mut view = view.assume_init();
            let size = view.len.cast_unsigned();
            let mut copy = Vec::new();
            let reserved = copy.try_reserve_exact(size).is_ok();
            let mut failed = 0;
            if reserved {
                copy.resize(size, 0_u8);
                let order = b'C'.cast_signed();
                failed = ffi::PyBuffer_ToContiguous(copy.as_mut_ptr().cast(), &raw const view, view.len, order);
            }
            ffi::PyBuffer_Release(&raw mut view);
            if failed != 0 {
                return Err(PyErr::fetch(data.py()));
            }
            if reserved { Ok(Self::Copied(copy)) } else { Err(no_memory()) }
        }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes.as_bytes(),
            Self::Copied(copy) => copy,
        }
    }
}
