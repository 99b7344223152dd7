//! The tables of dicts, read as they lie.

use pyo3::ffi;

use super::Obj;

#[cfg(not(Py_3_12))]
#[repr(C)]
pub(super) struct DictKeys {
    pub(super) refcnt: isize,
    pub(super) log2_size: u8,
    pub(super) log2_index_bytes: u8,
    pub(super) kind: u8,
    pub(super) version: u32,
    pub(super) usable: isize,
    pub(super) nentries: isize,
}

/// Entries of a dict or subclass.
#[inline(always)]
pub fn dict_len(dict: Obj) -> usize {
    // SAFETY: a dict by layout: reads the count.
    unsafe { (*dict.ptr().cast::<ffi::PyDictObject>()).ma_used.cast_unsigned() }
}

/// The next entry from a position on. Exact while the dict does not change: that is, between checkpoints.
#[inline(always)]
pub fn dict_next(dict: Obj, position: &mut isize) -> Option<(Obj, Obj)> {
    Entries::of(dict).next(position)
}

/// The entries of a dict where they lie, found once. Sound while the dict does not change: that is, until the next
/// checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Entries {
    dict: Obj,
    /// Key and value of the first entry; null for a table that is split, which the interpreter goes through.
    first: *const *mut ffi::PyObject,
    /// Words from one entry to the next.
    width: isize,
    count: isize,
}

impl Entries {
    /// Those of a dict or subclass.
    #[inline(always)]
    pub fn of(dict: Obj) -> Self {
        // SAFETY: a dict by layout. On 3.11 a table that is not split holds, after its index, `nentries` entries of
        // key and value, with the hash before them in the general kind.
        #[cfg(not(Py_3_12))]
        unsafe {
            let own = dict.ptr().cast::<ffi::PyDictObject>();
            if (*own).ma_values.is_null() {
                let keys = &*(*own).ma_keys.cast::<DictKeys>();
                let table = core::ptr::from_ref(keys).add(1).cast::<u8>().add(1 << keys.log2_index_bytes);
                let (skip, width) = if keys.kind == 0 { (1, 3) } else { (0, 2) };
                let first = table.cast::<*mut ffi::PyObject>().add(skip);
                return Self { dict, first, width, count: keys.nentries };
            }
        }
        Self { dict, first: core::ptr::null(), width: 0, count: 0 }
    }

    /// The next one from a position on.
    #[inline(always)]
    pub fn next(&self, position: &mut isize) -> Option<(Obj, Obj)> {
        if self.first.is_null() {
            return dict_next_split(self.dict, position);
        }
        while *position < self.count {
            // SAFETY: the entry is one of those the table has; an entry without a value was deleted.
            unsafe {
                let entry = self.first.offset(*position * self.width);
                *position += 1;
                if let Some(value) = Obj::from_ptr(*entry.add(1)) {
                    return Some((Obj::from_ptr(*entry)?, value));
                }
            }
        }
        None
    }
}

/// Keys, and the places of their values, of a dict whose keys are all str, whose table is its own, and from which
/// nothing was deleted; None for any other.
#[cfg(not(Py_3_12))]
#[inline(always)]
pub(super) fn dict_values(dict: Obj) -> Option<impl Iterator<Item = (Obj, *mut *mut ffi::PyObject)>> {
    let Entries { first, width, count, .. } = Entries::of(dict);
    // Entries of str keys alone are two words wide.
    if first.is_null() || width != 2 || count.cast_unsigned() != dict_len(dict) {
        return None;
    }
    Some((0..count).map_while(move |at| {
        // SAFETY: within the entries that the table has; a key is never null where nothing was deleted.
        unsafe {
            let entry = first.offset(width * at).cast_mut();
            Some((Obj::from_ptr(*entry)?, entry.add(1)))
        }
    }))
}

#[inline(never)]
fn dict_next_split(dict: Obj, position: &mut isize) -> Option<(Obj, Obj)> {
    let (mut key, mut value) = (core::ptr::null_mut(), core::ptr::null_mut());
    // SAFETY: a dict by layout; gives borrowed references, runs nothing.
    unsafe {
        if ffi::PyDict_Next(dict.ptr(), position, &raw mut key, &raw mut value) == 0 {
            return None;
        }
        Some((Obj::from_ptr(key)?, Obj::from_ptr(value)?))
    }
}
