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
    let mut entries = Entries::from(dict, *position);
    let next = entries.next();
    *position = entries.position();
    next
}

/// The entries of a dict where they lie. Sound while the dict does not change: that is, until the next checkpoint.
#[derive(Debug)]
pub struct Entries {
    dict: Obj,
    /// Key and value of the next entry; null for a table that is split, which the interpreter goes through.
    next: *const *mut ffi::PyObject,
    end: *const *mut ffi::PyObject,
    /// Words from one entry to the next: 2, or 3 where there is a hash before the key; 0 for a table that is split.
    width: usize,
    /// Where the interpreter goes on.
    position: isize,
}

impl Entries {
    /// Those of a dict or subclass from a position on, which is 0 or one that was given before.
    #[inline(always)]
    pub fn from(dict: Obj, position: isize) -> Self {
        // SAFETY: a dict by layout. On 3.11 a table that is not split holds, after its index, `nentries` entries of
        // key and value, with the hash before them in the general kind; a position is one of them, or their end.
        #[cfg(not(Py_3_12))]
        unsafe {
            let own = dict.ptr().cast::<ffi::PyDictObject>();
            if (*own).ma_values.is_null() {
                let keys = &*(*own).ma_keys.cast::<DictKeys>();
                let table = core::ptr::from_ref(keys).add(1).cast::<u8>().add(1 << keys.log2_index_bytes);
                let (skip, width) = if keys.kind == 0 { (1, 3) } else { (0, 2) };
                let first = table.cast::<*mut ffi::PyObject>().add(skip);
                let next = first.add(width * position.cast_unsigned());
                let end = first.wrapping_add(width * keys.nentries.cast_unsigned());
                return Self { dict, next, end, width, position };
            }
        }
        Self { dict, next: core::ptr::null(), end: core::ptr::null(), width: 0, position }
    }

    /// The next one.
    #[inline(always)]
    pub fn next(&mut self) -> Option<(Obj, Obj)> {
        while self.next < self.end {
            // SAFETY: the entry is one of those the table has; an entry without a value was deleted.
            unsafe {
                let entry = self.next;
                self.next = entry.add(self.width);
                if let Some(value) = Obj::from_ptr(*entry.add(1)) {
                    return Some((Obj::from_ptr(*entry)?, value));
                }
            }
        }
        if self.width > 0 {
            return None;
        }
        let (position, entry) = dict_next_split(self.dict, self.position);
        self.position = position;
        entry
    }

    /// Where it goes on; one less is where the last one given is.
    #[inline(always)]
    pub fn position(&self) -> isize {
        if self.width == 0 {
            return self.position;
        }
        let words = (self.next as usize - Self::from(self.dict, 0).next as usize) / size_of::<usize>();
        if self.width == 2 { words.cast_signed() / 2 } else { words.cast_signed() / 3 }
    }
}

/// Keys, and the places of their values, of a dict whose keys are all str, whose table is its own, and from which
/// nothing was deleted; None for any other.
#[cfg(not(Py_3_12))]
#[inline(always)]
pub(super) fn dict_values(dict: Obj) -> Option<impl Iterator<Item = (Obj, *mut *mut ffi::PyObject)>> {
    let Entries { next: first, end, width, .. } = Entries::from(dict, 0);
    let count = (end as usize - first as usize) / (2 * size_of::<usize>());
    // Entries of str keys alone are two words wide.
    if width != 2 || count != dict_len(dict) {
        return None;
    }
    Some((0..count).map_while(move |at| {
        // SAFETY: within the entries that the table has; a key is never null where nothing was deleted.
        unsafe {
            let entry = first.add(width * at).cast_mut();
            Some((Obj::from_ptr(*entry)?, entry.add(1)))
        }
    }))
}

/// The next entry from a position on, and the position behind it.
#[inline(never)]
fn dict_next_split(dict: Obj, mut position: isize) -> (isize, Option<(Obj, Obj)>) {
    let (mut key, mut value) = (core::ptr::null_mut(), core::ptr::null_mut());
    // SAFETY: a dict by layout; gives borrowed references, runs nothing.
    let entry = unsafe {
        if ffi::PyDict_Next(dict.ptr(), &raw mut position, &raw mut key, &raw mut value) == 0 {
            return (position, None);
        }
        Obj::from_ptr(key).zip(Obj::from_ptr(value))
    };
    (position, entry)
}
