//! The shortest form of every number and header.

use crate::marker as m;

/// A form of at most nine bytes, kept in registers: its first byte is the lowest.
///
/// A writer with room for sixteen bytes can store all of them at once and then advance by `len`.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    bits: u128,
    len: u8,
}

impl Short {
    /// A marker, and the `width` bytes that follow it: the low bytes of `tail`, the highest of them first.
    #[inline(always)]
    fn new(marker: u8, tail: u64, width: u8) -> Self {
        let shifted = if width == 0 { 0 } else { tail.swap_bytes() >> (64 - 8 * u32::from(width)) };
        Self { bits: u128::from(shifted) << 8 | u128::from(marker), len: width + 1 }
    }

    /// All sixteen bytes; only the first [`Short::len`] are the form.
    #[inline(always)]
    pub fn padded(&self) -> [u8; 16] {
        self.bits.to_le_bytes()
    }

    /// Bytes of the form.
    #[inline(always)]
    #[expect(clippy::len_without_is_empty, reason = "no form is empty")]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }
}

/// A form given by its first byte alone: nil, false, true.
#[inline(always)]
pub fn byte(marker: u8) -> Short {
    Short::new(marker, 0, 0)
}

/// An unsigned integer.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
pub fn uint(value: u64) -> Short {
    match value {
        0..=0x7f => Short::new(value as u8, 0, 0),
        0x80..=0xff => Short::new(m::UINT_8, value, 1),
        0x100..=0xffff => Short::new(m::UINT_16, value, 2),
        0x1_0000..=0xffff_ffff => Short::new(m::UINT_32, value, 4),
        _ => Short::new(m::UINT_64, value, 8),
    }
}

/// A signed integer; non-negative ones take the unsigned forms.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each arm has checked the range")]
pub fn int(value: i64) -> Short {
    match value {
        0.. => uint(value as u64),
        -32..=-1 => Short::new(value as u8, 0, 0),
        -0x80..=-33 => Short::new(m::INT_8, value as u64, 1),
        -0x8000..=-0x81 => Short::new(m::INT_16, value as u64, 2),
        -0x8000_0000..=-0x8001 => Short::new(m::INT_32, value as u64, 4),
        _ => Short::new(m::INT_64, value as u64, 8),
    }
}

/// A float, always in 64 bits.
#[inline(always)]
pub fn float(value: f64) -> Short {
    Short::new(m::FLOAT_64, value.to_bits(), 8)
}

/// The header of a string of that many bytes.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
pub fn str_header(size: u32) -> Short {
    match size {
        0..=31 => Short::new(m::FIX_STR | size as u8, 0, 0),
        32..=0xff => Short::new(m::STR_8, u64::from(size), 1),
        0x100..=0xffff => Short::new(m::STR_16, u64::from(size), 2),
        _ => Short::new(m::STR_32, u64::from(size), 4),
    }
}

/// The header of a binary value of that many bytes.
#[inline]
pub fn bin_header(size: u32) -> Short {
    match size {
        0..=0xff => Short::new(m::BIN_8, u64::from(size), 1),
        0x100..=0xffff => Short::new(m::BIN_16, u64::from(size), 2),
        _ => Short::new(m::BIN_32, u64::from(size), 4),
    }
}

/// The header of an array of that many elements.
#[inline(always)]
pub fn array_header(count: u32) -> Short {
    counted(count, m::FIX_ARRAY, m::ARRAY_16, m::ARRAY_32)
}

/// The header of a map of that many pairs.
#[inline(always)]
pub fn map_header(count: u32) -> Short {
    counted(count, m::FIX_MAP, m::MAP_16, m::MAP_32)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
fn counted(count: u32, fix: u8, sixteen: u8, thirty_two: u8) -> Short {
    match count {
        0..=15 => Short::new(fix | count as u8, 0, 0),
        16..=0xffff => Short::new(sixteen, u64::from(count), 2),
        _ => Short::new(thirty_two, u64::from(count), 4),
    }
}

/// The header of an ext value: code and payload size in bytes.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "each arm has checked the range; a code is its byte"
)]
pub fn ext_header(code: i8, size: u32) -> Short {
    let code = u64::from(code as u8);
    let sized = u64::from(size) << 8 | code;
    match size {
        1 | 2 | 4 | 8 | 16 => Short::new(m::FIX_EXT_1 + size.trailing_zeros() as u8, code, 1),
        0..=0xff => Short::new(m::EXT_8, sized, 2),
        0x100..=0xffff => Short::new(m::EXT_16, sized, 3),
        _ => Short::new(m::EXT_32, sized, 5),
    }
}
