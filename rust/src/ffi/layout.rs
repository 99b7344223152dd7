//! Where CPython keeps the parts of its objects.

use core::ffi::{c_char, c_int, c_void};

use pyo3::ffi;

#[cfg(not(Py_3_12))]
use super::dicts::DictKeys;
use super::{Obj, Owned, Ty, dict_len, dict_next};

// Types.

/// Identity of a type as it is now: its address, and a number that changes with it and is never used again.
pub type Tag = (usize, u32);

unsafe extern "C" {
    fn _PyType_Lookup(ty: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn _PySet_NextEntry(
        set: *mut ffi::PyObject,
        pos: *mut isize,
        key: *mut *mut ffi::PyObject,
        hash: *mut isize,
    ) -> c_int;
    #[cfg(not(Py_3_12))]
    fn _PyObject_GetDictPtr(obj: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// The tag of a type; None while the interpreter has not numbered its present state. With a name to look up, it is
/// made to number it: that may compare foreign keys of a class dict, so it is done at a checkpoint.
pub fn type_tag(ty: Ty, ask: Option<Obj>) -> Option<Tag> {
    // SAFETY: a live type; the lookup gives a borrowed reference or null and sets no error.
    unsafe {
        if !type_is_heap(ty) {
            return Some((ty.id(), u32::MAX));
        }
        if let Some(name) = ask {
            _PyType_Lookup(ty.ptr(), name.ptr());
        }
        let valid = (*ty.ptr()).tp_flags & ffi::Py_TPFLAGS_VALID_VERSION_TAG != 0;
        let number = (*ty.ptr()).tp_version_tag;
        (valid && number != 0).then_some((ty.id(), number))
    }
}

/// True for a class made at run time.
#[inline(always)]
pub fn type_is_heap(ty: Ty) -> bool {
    // SAFETY: a live type.
    unsafe { (*ty.ptr()).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 }
}

/// The type's `tp_base`.
#[inline(always)]
pub fn type_base(ty: Ty) -> Option<Ty> {
    // SAFETY: a live type keeps its base alive.
    unsafe { Ty::from_ptr((*ty.ptr()).tp_base) }
}

// Builtin containers.

/// Elements of a list or subclass.
#[inline(always)]
pub fn list_len(list: Obj) -> usize {
    // SAFETY: a list by layout.
    unsafe { ffi::PyList_GET_SIZE(list.ptr()).cast_unsigned() }
}

/// The element at an index, while the list is that long.
#[inline(always)]
pub fn list_get(list: Obj, at: usize) -> Option<Obj> {
    // SAFETY: a list by layout; the live length is looked at each time.
    unsafe {
        if at >= list_len(list) {
            return None;
        }
        Obj::from_ptr(ffi::PyList_GET_ITEM(list.ptr(), at.cast_signed()))
    }
}

/// Elements of a tuple or subclass.
#[inline(always)]
pub fn tuple_len(tuple: Obj) -> usize {
    // SAFETY: a tuple by layout.
    unsafe { ffi::PyTuple_GET_SIZE(tuple.ptr()).cast_unsigned() }
}

/// The element at an index; None past the end, and for a slot a C caller never filled.
#[inline(always)]
pub fn tuple_get(tuple: Obj, at: usize) -> Option<Obj> {
    // SAFETY: a tuple by layout; its length never changes.
    unsafe {
        if at >= tuple_len(tuple) {
            return None;
        }
        Obj::from_ptr(ffi::PyTuple_GET_ITEM(tuple.ptr(), at.cast_signed()))
    }
}

/// Elements of a set or frozenset.
pub fn set_items(set: Obj, mut each: impl FnMut(Obj)) {
    let (mut position, mut key, mut hash) = (0, core::ptr::null_mut(), 0);
    // SAFETY: a set by layout; gives borrowed references with their stored hashes, runs nothing.
    unsafe {
        while _PySet_NextEntry(set.ptr(), &raw mut position, &raw mut key, &raw mut hash) != 0 {
            if let Some(item) = Obj::from_ptr(key) {
                each(item);
            }
        }
    }
}

/// Elements of a deque or subclass, by the deque type's own iterator. False if there is no memory for it.
pub fn deque_items(deque: Obj, deque_type: Ty, mut each: impl FnMut(Obj)) -> bool {
    // SAFETY: the iterator and its step are C code of the genuine type, whatever a subclass overrides; the deque
    // owns each element, so giving up the reference that the step returned frees nothing.
    unsafe {
        let Some(start) = (*deque_type.ptr()).tp_iter else { return false };
        let Some(iterator) = Owned::from_new(start(deque.ptr())) else {
            ffi::PyErr_Clear();
            return false;
        };
        if let Some(step) = (*iterator.obj().ty().ptr()).tp_iternext {
            while let Some(item) = Owned::from_new(step(iterator.obj().ptr())) {
                each(item.obj());
                item.release();
            }
        }
        ffi::PyErr_Clear();
        iterator.release();
    }
    true
}

#[repr(C)]
struct OdNode {
    key: *mut ffi::PyObject,
    hash: isize,
    next: *mut OdNode,
}

#[repr(C)]
struct OdObject {
    dict: ffi::PyDictObject,
    first: *mut OdNode,
}

/// Keys of an OrderedDict or subclass in its own order: never more of them than it has.
pub fn ordered_keys(ordered: Obj, mut each: impl FnMut(Obj)) {
    // SAFETY: an OrderedDict by layout (the layout is checked against a sample before it is first used); its nodes
    // own their keys.
    unsafe {
        let mut node = (*ordered.ptr().cast::<OdObject>()).first;
        for _ in 0..dict_len(ordered) {
            if node.is_null() {
                return;
            }
            if let Some(key) = Obj::from_ptr((*node).key) {
                each(key);
            }
            node = (*node).next;
        }
    }
}

#[repr(C)]
struct Wrapper {
    head: ffi::PyObject,
    target: *mut ffi::PyObject,
}

/// What a mapping proxy or a dict view stands for.
pub fn proxy_target(proxy: Obj) -> Option<Obj> {
    // SAFETY: `mappingproxy` and the dict views begin with the object they were made from.
    unsafe { Obj::from_ptr((*proxy.ptr().cast::<Wrapper>()).target) }
}

#[repr(C)]
struct Slice {
    head: ffi::PyObject,
    parts: [*mut ffi::PyObject; 3],
}

/// Start, stop and step of a slice.
pub fn slice_parts(slice: Obj) -> [Option<Obj>; 3] {
    // SAFETY: a slice by type; its three parts are never null.
    unsafe { (*slice.ptr().cast::<Slice>()).parts.map(|part| Obj::from_ptr(part)) }
}

// Exceptions.

/// The storage of an exception.
#[derive(Debug)]
pub struct Exc {
    /// `args`, a tuple.
    pub args: Option<Obj>,
    /// `__cause__`
    pub cause: Option<Obj>,
    /// `__context__`, unless suppressed.
    pub context: Option<Obj>,
}

/// Reads an exception's own fields.
pub fn exception(exc: Obj) -> Exc {
    // SAFETY: an exception by layout: every subclass of BaseException begins with these fields.
    unsafe {
        let own = &*exc.ptr().cast::<ffi::PyBaseExceptionObject>();
        Exc {
            args: Obj::from_ptr(own.args),
            cause: Obj::from_ptr(own.cause),
            context: if raised_from(own) { None } else { Obj::from_ptr(own.context) },
        }
    }
}

/// True if `raise ... from` has suppressed the context.
fn raised_from(exc: &ffi::PyBaseExceptionObject) -> bool {
    // SAFETY: one byte, which C calls a char, whatever type the bindings give it.
    unsafe { *(&raw const exc.suppress_context).cast::<u8>() != 0 }
}

// Slots and instance dicts.

#[repr(C)]
struct MemberDescriptor {
    head: ffi::PyObject,
    ty: *mut ffi::PyTypeObject,
    name: *mut ffi::PyObject,
    qualname: *mut ffi::PyObject,
    member: *const Member,
}

#[repr(C)]
struct Member {
    name: *const c_char,
    kind: c_int,
    offset: isize,
}

const T_OBJECT: c_int = 6;
const T_OBJECT_EX: c_int = 16;

/// A place inside an instance that holds an object.
#[derive(Clone, Copy, Debug)]
pub struct Slot(isize);

impl Slot {
    /// The place that a genuine member descriptor describes; None for a member that is no object.
    pub fn of(descriptor: Obj) -> Option<Self> {
        // SAFETY: the type is looked at before the layout is used.
        unsafe {
            if descriptor.ty().ptr() != &raw mut ffi::PyMemberDescr_Type {
                return None;
            }
            let member = (*descriptor.ptr().cast::<MemberDescriptor>()).member;
            matches!((*member).kind, T_OBJECT | T_OBJECT_EX).then_some(Self((*member).offset))
        }
    }
}

/// What a slot holds, if it is set. The instance's type is the one the slot was found on, or derives from it.
#[inline(always)]
pub fn slot_value(obj: Obj, slot: Slot) -> Option<Obj> {
    // SAFETY: the plan of the instance's type says that this slot is part of it.
    unsafe { Obj::from_ptr(*obj.ptr().cast::<u8>().offset(slot.0).cast::<*mut ffi::PyObject>()) }
}

/// Two names are the same str.
#[inline(always)]
pub fn same_name(left: Obj, right: Obj) -> bool {
    left == right || (left.is_str() && right.is_str() && same_text(left, right))
}

/// Names were mostly hashed before: those of different hashes need no comparison.
fn same_text(left: Obj, right: Obj) -> bool {
    // SAFETY: exact strs, each with its hash in its head, -1 for none yet. Comparing them runs no Python code and cannot
    // fail.
    unsafe {
        let [first, second] = [left, right].map(|name| (*name.ptr().cast::<ffi::PyASCIIObject>()).hash);
        if first != -1 && second != -1 && first != second {
            return false;
        }
        ffi::PyUnicode_Compare(left.ptr(), right.ptr()) == 0
    }
}

#[cfg(not(Py_3_12))]
const MANAGED_DICT: core::ffi::c_ulong = 1 << 4;

/// Names and values of an instance's own attributes in the order they were set. On 3.11 nothing is materialised;
/// elsewhere the interpreter may make the instance's dict.
pub fn instance_items(obj: Obj, mut each: impl FnMut(Obj, Obj)) {
    // SAFETY: 3.11 keeps, four words before an instance whose type says so, a table of values in the order of the
    // type's shared keys, its insertion order in the bytes before the table; three words before it the dict that
    // replaces the table once it was asked for (`Objects/dictobject.c`, `pycore_dict.h`).
    #[cfg(not(Py_3_12))]
    unsafe {
        let ty = obj.ty().ptr();
        let dict = if (*ty).tp_flags & MANAGED_DICT == 0 {
            let place = _PyObject_GetDictPtr(obj.ptr());
            if place.is_null() { core::ptr::null_mut() } else { *place }
        } else {
            let words = obj.ptr().cast::<*mut c_void>();
            let values = (*words.sub(4)).cast::<*mut ffi::PyObject>();
            if !values.is_null() {
                let keys = (*ty.cast::<ffi::PyHeapTypeObject>()).ht_cached_keys.cast::<DictKeys>();
                return inline_items(&*keys, values, each);
            }
            (*words.sub(3)).cast::<ffi::PyObject>()
        };
        dict_items_of(dict, &mut each);
    }
    // SAFETY: the call gives a new reference or null; the instance keeps its dict alive after it is given up.
    #[cfg(Py_3_12)]
    unsafe {
        if (*obj.ty().ptr()).tp_dictoffset == 0 && (*obj.ty().ptr()).tp_flags & (1 << 4) == 0 {
            return;
        }
        let dict = ffi::PyObject_GenericGetDict(obj.ptr(), core::ptr::null_mut());
        if dict.is_null() {
            ffi::PyErr_Clear();
            return;
        }
        dict_items_of(dict, &mut each);
        ffi::Py_DECREF(dict);
    }
}

unsafe fn dict_items_of(dict: *mut ffi::PyObject, each: &mut impl FnMut(Obj, Obj)) {
    // SAFETY: null or a live dict.
    if let Some(dict) = unsafe { Obj::from_ptr(dict) } {
        let mut position = 0;
        while let Some((name, value)) = dict_next(dict, &mut position) {
            each(name, value);
        }
    }
}

#[cfg(not(Py_3_12))]
unsafe fn inline_items(keys: &DictKeys, values: *mut *mut ffi::PyObject, mut each: impl FnMut(Obj, Obj)) {
    // SAFETY: as in `instance_items`; shared keys have string entries of two words after their index table.
    unsafe {
        let table = core::ptr::from_ref(keys).add(1).cast::<u8>().add(1 << keys.log2_index_bytes);
        let names = table.cast::<[*mut ffi::PyObject; 2]>();
        let size = *values.cast::<u8>().sub(2);
        for at in 0..usize::from(size) {
            let index = usize::from(*values.cast::<u8>().sub(3 + at));
            let name = Obj::from_ptr((*names.add(index))[0]);
            if let (Some(name), Some(value)) = (name, Obj::from_ptr(*values.add(index))) {
                each(name, value);
            }
        }
    }
}

/// True if the layouts above give, for two samples, what Python itself says they hold: an instance with attributes
/// set in the order `b`, `a`, and an OrderedDict whose keys were moved to read `b`, `a`.
pub fn inline_layouts_hold(instance: Obj, ordered: Obj) -> bool {
    let mut names = String::new();
    let mut add = |name: Obj| {
        if let super::Text::Utf8(bytes) = super::text(name) {
            names.push_str(core::str::from_utf8(bytes).unwrap_or("?"));
        }
    };
    instance_items(instance, |name, _| add(name));
    ordered_keys(ordered, add);
    names == "baba"
}
