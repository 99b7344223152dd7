//! Python strings from UTF-8. Short keys are shared between maps, and so are their hashes.

use pyo3::ffi;
use pyo3::prelude::*;

use super::build::made;
use super::quiet::GilCell;
use super::{Make, Owned, Text, text};

/// Longest key, in bytes, that is shared.
const KEY_LENGTH: usize = 32;
/// Keys that are remembered, each at the one place its bytes hash to.
const KEY_PLACES: usize = 1024;

static KEYS: GilCell<Vec<Option<Owned>>> = GilCell::new(Vec::new());

/// Where a short key is remembered: by its length and two words of it, which overlap in shorter ones.
#[inline(always)]
fn place_of(bytes: &[u8]) -> usize {
    let (head, tail) = match bytes {
        [] => (0, 0),
        [first, .., last] if bytes.len() < 4 => (u64::from(*first), u64::from(*last) << 8 | u64::from(bytes[1])),
        [only] => (u64::from(*only), 1),
        _ if bytes.len() < 8 => (word::<4>(bytes.first_chunk()), word::<4>(bytes.last_chunk())),
        _ => (word::<8>(bytes.first_chunk()), word::<8>(bytes.last_chunk())),
    };
    let mixed = (head ^ tail.rotate_left(23) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize % KEY_PLACES
}

/// Up to eight bytes as a number.
#[inline(always)]
fn word<const N: usize>(bytes: Option<&[u8; N]>) -> u64 {
    let mut wide = [0; 8];
    if let Some(bytes) = bytes {
        wide[..N].copy_from_slice(bytes);
    }
    u64::from_le_bytes(wide)
}

/// Two short texts are the same: by words, since a call to compare memory costs more than the comparison.
#[inline(always)]
fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        8..=16 => ends::<8>(left) == ends::<8>(right),
        4..=7 => ends::<4>(left) == ends::<4>(right),
        _ => left == right,
    }
}

/// The first and the last so many bytes.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> (u64, u64) {
    (word::<N>(bytes.first_chunk()), word::<N>(bytes.last_chunk()))
}

impl Make {
    /// str of a text
    pub fn str(py: Python<'_>, value: &str) -> PyResult<Owned> {
        if value.is_ascii() { ascii(py, value.as_bytes()) } else { wide(py, value) }
    }

    /// str of bytes; None if they are not UTF-8.
    #[inline(always)]
    pub fn text(py: Python<'_>, value: &[u8]) -> PyResult<Option<Owned>> {
        if value.is_ascii() {
            return ascii(py, value).map(Some);
        }
        simdutf8::basic::from_utf8(value).ok().map(|value| wide(py, value)).transpose()
    }

    /// str of bytes that are a key; None if they are not UTF-8.
    #[inline(always)]
    pub fn key(py: Python<'_>, value: &[u8]) -> PyResult<Option<Owned>> {
        if value.len() > KEY_LENGTH {
            return Self::text(py, value);
        }
        let place = place_of(value);
        let known = KEYS.with(py, |keys| {
            let held = keys.get(place)?.as_ref()?;
            matches!(text(held.obj()), Text::Utf8(bytes) if is_same(bytes, value)).then(|| held.obj().own())
        });
        if known.is_some() { Ok(known) } else { new_key(py, value, place) }
    }
}

#[cold]
fn new_key(py: Python<'_>, value: &[u8], place: usize) -> PyResult<Option<Owned>> {
    let made = Make::text(py, value)?;
    if let Some(made) = &made
        && value.is_ascii()
    {
        let shared = made.obj().own();
        let old = KEYS.with(py, |keys| {
            if keys.is_empty() {
                keys.resize_with(KEY_PLACES, || None);
            }
            keys[place].replace(shared)
        });
        drop(old);
    }
    Ok(made)
}

#[inline(always)]
fn ascii(py: Python<'_>, value: &[u8]) -> PyResult<Owned> {
    let size = value.len().cast_signed();
    // SAFETY: a fresh ASCII string has exactly `size` bytes to fill. Strings of no or one character are shared by the
    // interpreter, so they are left to it.
    unsafe {
        if size < 2 {
            return made(py, ffi::PyUnicode_FromStringAndSize(value.as_ptr().cast(), size));
        }
        let text = made(py, ffi::PyUnicode_New(size, 127))?;
        let data = text.obj().ptr().cast::<ffi::PyASCIIObject>().add(1).cast::<u8>();
        core::ptr::copy_nonoverlapping(value.as_ptr(), data, value.len());
        Ok(text)
    }
}

/// A str that is not ASCII. Its widest character is in the class of its largest byte.
#[inline(never)]
#[expect(clippy::cast_possible_truncation, reason = "no character is wider than the widest")]
fn wide(py: Python<'_>, value: &str) -> PyResult<Owned> {
    let bytes = value.as_bytes();
    let count = bytes.iter().filter(|byte| byte.cast_signed() >= -0x40).count();
    let largest = match bytes.iter().max() {
        Some(0xf0..) => 0x10_ffff,
        Some(0xc4..) => 0xffff,
        _ => 0xff,
    };
    // SAFETY: a fresh string has `count` characters to fill, of the width that its widest one asks for: exactly as many
    // as the text has.
    unsafe {
        let made = made(py, ffi::PyUnicode_New(count.cast_signed(), largest))?;
        let data = ffi::PyUnicode_DATA(made.obj().ptr());
        match largest {
            0xff => fill(data.cast::<u8>(), value, |point| point as u8),
            0xffff => fill(data.cast::<u16>(), value, |point| point as u16),
            _ => fill(data.cast::<u32>(), value, |point| point),
        }
        Ok(made)
    }
}

/// # Safety
/// There is room for every character of the text.
#[inline(always)]
unsafe fn fill<T>(data: *mut T, value: &str, narrow: impl Fn(u32) -> T) {
    for (at, character) in value.chars().enumerate() {
        // SAFETY: promised by the caller.
        unsafe { data.add(at).write(narrow(character.into())) };
    }
}
