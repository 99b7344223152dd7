//! The characters of a str as it stores them. Nothing is cached inside the user's string.

use pyo3::ffi;

use super::Obj;

/// A str's storage.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// UTF-8 as it is: ASCII, or what someone else already had cached.
    Utf8(&'a [u8]),
    /// Latin-1 code points.
    One(&'a [u8]),
    /// UCS-2 code points, perhaps lone surrogates.
    Two(&'a [u16]),
    /// UCS-4 code points, perhaps lone surrogates.
    Four(&'a [u32]),
}

/// Code points of a str or subclass.
pub fn str_len(obj: Obj) -> usize {
    // SAFETY: a str by layout, whose length is the same before and after it is made ready.
    unsafe { (*obj.ptr().cast::<ffi::PyASCIIObject>()).length.cast_unsigned() }
}

/// True for a str that the interpreter holds once for all: names, and what a program writes out.
pub fn is_interned(text: Obj) -> bool {
    // SAFETY: a str by layout: reads a state in its head.
    unsafe { (*text.ptr().cast::<ffi::PyASCIIObject>()).interned() != 0 }
}

/// The storage of a str or subclass.
#[inline(always)]
pub fn text<'a>(obj: Obj) -> Text<'a> {
    // SAFETY: a str by layout. A compact ASCII string is followed by its bytes; strings never change and this one
    // lives until the next checkpoint, before which the slice is copied.
    unsafe {
        if ffi::PyUnicode_IS_COMPACT_ASCII(obj.ptr()) != 0 {
            let size = (*obj.ptr().cast::<ffi::PyASCIIObject>()).length.cast_unsigned();
            let data = obj.ptr().cast::<ffi::PyASCIIObject>().add(1).cast::<u8>();
            return Text::Utf8(core::slice::from_raw_parts(data, size));
        }
        wide(obj)
    }
}

#[cold]
#[inline(never)]
unsafe fn wide<'a>(obj: Obj) -> Text<'a> {
    // SAFETY: a str by layout, made ready where 3.11 still has strings that are not. One that is not compact ASCII has a
    // place for its UTF-8, which is null until somebody asks for it and never changes afterwards. The accessors give
    // the data of any kind of string, compact or not, and its length in code points.
    unsafe {
        #[cfg(not(Py_3_12))]
        ffi::PyUnicode_READY(obj.ptr());
        let compact = obj.ptr().cast::<ffi::PyCompactUnicodeObject>();
        if !(*compact).utf8.is_null() {
            let (data, size) = ((*compact).utf8.cast::<u8>(), (*compact).utf8_length.cast_unsigned());
            return Text::Utf8(core::slice::from_raw_parts(data, size));
        }
        let size = ffi::PyUnicode_GET_LENGTH(obj.ptr()).cast_unsigned();
        let data = ffi::PyUnicode_DATA(obj.ptr());
        match ffi::PyUnicode_KIND(obj.ptr()) {
            ffi::PyUnicode_1BYTE_KIND => {
                let bytes = core::slice::from_raw_parts(data.cast::<u8>(), size);
                if bytes.is_ascii() { Text::Utf8(bytes) } else { Text::One(bytes) }
            }
            ffi::PyUnicode_2BYTE_KIND => Text::Two(core::slice::from_raw_parts(data.cast::<u16>(), size)),
            _ => Text::Four(core::slice::from_raw_parts(data.cast::<u32>(), size)),
        }
    }
}

impl Text<'_> {
    /// UTF-8 bytes it takes, and whether a lone surrogate is among the code points.
    pub fn measure(self) -> (usize, bool) {
        match self {
            Self::Utf8(bytes) => (bytes.len(), false),
            Self::One(bytes) => (bytes.len() + bytes.iter().filter(|byte| **byte >= 0x80).count(), false),
            Self::Two(units) => units.iter().fold((0, false), |(size, lone), unit| {
                (size + width(u32::from(*unit)), lone | is_surrogate(u32::from(*unit)))
            }),
            Self::Four(points) => points
                .iter()
                .fold((0, false), |(size, lone), point| (size + width(*point), lone | is_surrogate(*point))),
        }
    }

    /// Writes as many bytes as `measure` says; surrogates as three bytes like any other of their range.
    pub fn write(self, into: &mut [u8]) {
        match self {
            Self::Utf8(bytes) => into.copy_from_slice(bytes),
            Self::One(bytes) => encode(bytes.iter().map(|byte| u32::from(*byte)), into),
            Self::Two(units) => encode(units.iter().map(|unit| u32::from(*unit)), into),
            Self::Four(points) => encode(points.iter().copied(), into),
        }
    }
}

#[inline(always)]
fn width(point: u32) -> usize {
    1 + usize::from(point >= 0x80) + usize::from(point >= 0x800) + usize::from(point >= 0x1_0000)
}

#[inline(always)]
fn is_surrogate(point: u32) -> bool {
    point & 0xffff_f800 == 0xd800
}

fn encode(points: impl Iterator<Item = u32>, into: &mut [u8]) {
    let mut at = 0;
    for point in points {
        let tail = |shift: u32| 0x80 | (point >> shift & 0x3f);
        // The bytes of a little-endian word, the first one lowest.
        let (size, word) = match width(point) {
            1 => (1, point),
            2 => (2, 0xc0 | point >> 6 | tail(0) << 8),
            3 => (3, 0xe0 | point >> 12 | tail(6) << 8 | tail(0) << 16),
            _ => (4, 0xf0 | point >> 18 | tail(12) << 8 | tail(6) << 16 | tail(0) << 24),
        };
        // A whole word is stored where there is room for one: the bytes too many are written over by the next.
        match into[at..].first_chunk_mut() {
            Some(room) => *room = word.to_le_bytes(),
            None => into[at..at + size].copy_from_slice(&word.to_le_bytes()[..size]),
        }
        at += size;
    }
}
