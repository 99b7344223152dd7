//! Dicts made as copies of earlier ones that had the same keys: nothing is hashed or compared.
//!
//! A template holds the keys and None. The interpreter copies its table as a block; then each None gives way to the
//! value that stands there. Keys are met again as the same objects where a reader shares them between maps, and where
//! a program writes them out: those are interned, and of a user's strings only such are kept alive here.
//! On 3.11 alone: it rests on that version's tables.

use pyo3::{Python, ffi};

use super::dicts::dict_values;
use super::{GilCell, Obj, Owned, is_interned};

/// Pairs of the dicts that are worth it.
const PAIRS: core::ops::RangeInclusive<usize> = 3..=64;
/// Templates that are kept, each at the one place its keys hash to.
const PLACES: usize = 64;

struct Place {
    /// What was seen here last.
    keys: u64,
    template: Option<Owned>,
}

static TEMPLATES: GilCell<Vec<Place>> = GilCell::new(Vec::new());

/// A new dict of the keys and values above a height, which leave the stack, and how many pairs it has; None where
/// there is no template for these keys, and then nothing was taken.
#[inline(always)]
pub fn like_earlier<const OURS: bool>(py: Python<'_>, stack: &mut Vec<Owned>, height: usize) -> Option<(Owned, usize)> {
    let parts = &stack[height..];
    let pairs = parts.len() / 2;
    if !PAIRS.contains(&pairs) {
        return None;
    }
    let (first, second, last) = (parts[0].obj().id(), parts[2].obj().id(), parts[2 * pairs - 2].obj().id());
    let mixed = (first as u64) ^ (second as u64).rotate_left(21) ^ (last as u64).rotate_left(42) ^ pairs as u64;
    let keys = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let place = (keys >> 48) as usize % PLACES;
    let known = TEMPLATES.with(py, |places| {
        let found = places.get(place).filter(|found| found.keys == keys)?;
        found.template.as_ref().map(Owned::obj)
    });
    let Some(template) = known else {
        remember::<OURS>(py, parts, keys, place);
        return None;
    };
    if !dict_values(template)?.zip(parts.chunks_exact(2)).all(|((key, _), pair)| key == pair[0].obj()) {
        return None;
    }
    // SAFETY: copies a dict of ours, whose keys are strings and whose values are None: no code of anyone runs.
    let copy = unsafe { Owned::from_new(ffi::PyDict_Copy(template.ptr())) };
    let Some(copy) = copy else {
        // SAFETY: the error is raised again by whoever makes the dict in the other way.
        unsafe { ffi::PyErr_Clear() };
        return None;
    };
    fill(copy.obj(), stack, height)?;
    Some((copy, pairs))
}

/// Puts the values above a height into a copy of their template.
#[inline(always)]
fn fill(copy: Obj, stack: &mut Vec<Owned>, height: usize) -> Option<()> {
    let mut collected = false;
    let values = dict_values(copy)?;
    let mut parts = stack.drain(height..);
    for (_, value) in values {
        let (Some(key), Some(part)) = (parts.next(), parts.next()) else { break };
        key.release();
        // SAFETY: the slot holds None, whose reference is given up for that of the value. The dict is ours alone; it
        // goes under the collector's eyes as soon as one of its values is there.
        unsafe {
            collected |= (*part.obj().ty().ptr()).tp_flags & ffi::Py_TPFLAGS_HAVE_GC != 0;
            ffi::Py_DECREF(value.replace(part.into_ptr()));
        }
    }
    // SAFETY: a dict, which is tracked at most once.
    unsafe {
        if collected && ffi::PyObject_GC_IsTracked(copy.ptr()) == 0 {
            ffi::PyObject_GC_Track(copy.ptr().cast());
        }
    }
    Some(())
}

/// The second time that these keys are seen here, a template is made of them.
#[inline(never)]
fn remember<const OURS: bool>(py: Python<'_>, parts: &[Owned], keys: u64, place: usize) {
    let before = TEMPLATES.with(py, |places| {
        if places.is_empty() {
            places.resize_with(PLACES, || Place { keys: 0, template: None });
        }
        let found = &mut places[place];
        if found.keys == keys { None } else { Some(core::mem::replace(found, Place { keys, template: None })) }
    });
    if before.is_none()
        && let Some(template) = template_of::<OURS>(parts)
    {
        TEMPLATES.with(py, |places| places[place].template = Some(template));
    }
}

fn template_of<const OURS: bool>(parts: &[Owned]) -> Option<Owned> {
    if !parts.chunks_exact(2).all(|pair| pair[0].obj().is_str() && (OURS || is_interned(pair[0].obj()))) {
        return None;
    }
    // SAFETY: a new dict of strings and None, which is given up if there is no memory, or if it is not laid out
    // as one entry after the other.
    unsafe {
        let dict = Owned::from_new(ffi::PyDict_New());
        let whole = dict.as_ref().is_some_and(|dict| {
            parts
                .chunks_exact(2)
                .all(|pair| ffi::PyDict_SetItem(dict.obj().ptr(), pair[0].obj().ptr(), ffi::Py_None()) == 0)
                && dict_values(dict.obj()).is_some_and(|values| values.count() == parts.len() / 2)
        });
        if !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        dict.filter(|_| whole)
    }
}
