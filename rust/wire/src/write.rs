//! The shortest form of every number and header.

use crate::marker as m;

/// A form of at most nine bytes, kept on the stack.
///
/// The array is longer than any form so that a writer with room for all of it can copy it whole
/// and then advance by `len`.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    bytes: [u8; 16],
    len: u8,
}

impl Short {
    #[inline(always)]
    fn new<const N: usize>(marker: u8, tail: [u8; N]) -> Self {
        let mut bytes = [0; 16];
        bytes[0] = marker;
        bytes[1..=N].copy_from_slice(&tail);
        #[expect(clippy::cast_possible_truncation, reason = "N is at most 8")]
        let len = N as u8 + 1;
        Self { bytes, len }
    }

    /// The form.
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The whole array; only the first [`Short::len`] bytes are the form.
    #[inline(always)]
    pub fn padded(&self) -> &[u8; 16] {
        &self.bytes
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
    Short::new(marker, [])
}

/// An unsigned integer.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
pub fn uint(value: u64) -> Short {
    match value {
        0..=0x7f => Short::new(value as u8, []),
        0x80..=0xff => Short::new(m::UINT_8, [value as u8]),
        0x100..=0xffff => Short::new(m::UINT_16, (value as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => Short::new(m::UINT_32, (value as u32).to_be_bytes()),
        _ => Short::new(m::UINT_64, value.to_be_bytes()),
    }
}

/// A signed integer; non-negative ones take the unsigned forms.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each arm has checked the range")]
pub fn int(value: i64) -> Short {
    match value {
        0.. => uint(value as u64),
        -32..=-1 => Short::new(value as u8, []),
        -0x80..=-33 => Short::new(m::INT_8, [value as u8]),
        -0x8000..=-0x81 => Short::new(m::INT_16, (value as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => Short::new(m::INT_32, (value as i32).to_be_bytes()),
        _ => Short::new(m::INT_64, value.to_be_bytes()),
    }
}

/// A float, always in 64 bits.
#[inline(always)]
pub fn float(value: f64) -> Short {
    Short::new(m::FLOAT_64, value.to_bits().to_be_bytes())
}

/// The header of a string of that many bytes.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
pub fn str_header(size: u32) -> Short {
    match size {
        0..=31 => Short::new(m::FIX_STR | size as u8, []),
        32..=0xff => Short::new(m::STR_8, [size as u8]),
        0x100..=0xffff => Short::new(m::STR_16, (size as u16).to_be_bytes()),
        _ => Short::new(m::STR_32, size.to_be_bytes()),
    }
}

/// The header of a binary value of that many bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
pub fn bin_header(size: u32) -> Short {
    match size {
        0..=0xff => Short::new(m::BIN_8, [size as u8]),
        0x100..=0xffff => Short::new(m::BIN_16, (size as u16).to_be_bytes()),
        _ => Short::new(m::BIN_32, size.to_be_bytes()),
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
        0..=15 => Short::new(fix | count as u8, []),
        16..=0xffff => Short::new(sixteen, (count as u16).to_be_bytes()),
        _ => Short::new(thirty_two, count.to_be_bytes()),
    }
}

/// The header of an ext value: code and payload size in bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each arm has checked the range; a code is its byte")]
pub fn ext_header(code: i8, size: u32) -> Short {
    let code = code as u8;
    match size {
        1 | 2 | 4 | 8 | 16 => Short::new(m::FIX_EXT_1 + size.trailing_zeros() as u8, [code]),
        0..=0xff => Short::new(m::EXT_8, [size as u8, code]),
        0x100..=0xffff => {
            let [a, b] = (size as u16).to_be_bytes();
            Short::new(m::EXT_16, [a, b, code])
        }
        _ => {
            let [a, b, c, d] = size.to_be_bytes();
            Short::new(m::EXT_32, [a, b, c, d, code])
        }
    }
}
