//! One token at a time. Lengths are checked against what is left before anything is taken.

use crate::error::{Error, Reason};
use crate::marker as m;

/// One form as it stands in the input. Containers give their header only. A string is known to be UTF-8, or is bytes
/// that whoever makes a string of them has to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a, S = &'a str> {
    /// nil
    Nil,
    /// false or true
    Bool(bool),
    /// A negative integer.
    Int(i64),
    /// A non-negative integer.
    Uint(u64),
    /// Either width of float.
    Float(f64),
    /// A string.
    Str(S),
    /// A binary value.
    Bin(&'a [u8]),
    /// An array of that many elements follows.
    Array(u32),
    /// A map of that many pairs follows.
    Map(u32),
    /// An ext value: code and payload.
    Ext(i8, &'a [u8]),
}

/// What a string is given as.
pub trait Text<'a>: Sized {
    /// From its bytes.
    fn of(raw: &'a [u8]) -> Result<Self, Reason>;
}

impl<'a> Text<'a> for &'a str {
    fn of(raw: &'a [u8]) -> Result<Self, Reason> {
        core::str::from_utf8(raw).map_err(|_| Reason::NotUtf8)
    }
}

impl<'a> Text<'a> for &'a [u8] {
    #[inline(always)]
    fn of(raw: &'a [u8]) -> Result<Self, Reason> {
        Ok(raw)
    }
}

/// A cursor over the input.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// Bytes read so far.
    #[inline(always)]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Bytes left.
    #[inline(always)]
    pub fn left(&self) -> usize {
        self.data.len() - self.at
    }

    /// What is left, without taking it.
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.at..]
    }

    /// Goes back to an offset that [`Reader::offset`] gave.
    pub fn rewind(&mut self, offset: usize) {
        self.at = offset.min(self.at);
    }

    /// The next token. Refusals name the offset where its form begins.
    #[inline(always)]
    pub fn next_token(&mut self) -> Result<Token<'a>, Error> {
        self.next_as()
    }

    /// The next token, a string as its bytes: nothing has looked yet whether they are UTF-8.
    #[inline(always)]
    pub fn next_raw(&mut self) -> Result<Token<'a, &'a [u8]>, Error> {
        self.next_as()
    }

    #[inline(always)]
    fn next_as<S: Text<'a>>(&mut self) -> Result<Token<'a, S>, Error> {
        let start = self.at;
        self.token().map_err(|reason| Error { reason, offset: start })
    }

    #[inline(always)]
    fn token<S: Text<'a>>(&mut self) -> Result<Token<'a, S>, Reason> {
        let marker = self.array::<1>()?[0];
        Ok(match marker {
            0x00..=m::FIX_POS_MAX => Token::Uint(u64::from(marker)),
            m::FIX_MAP..=0x8f => Token::Map(u32::from(marker & 0x0f)),
            m::FIX_ARRAY..=0x9f => Token::Array(u32::from(marker & 0x0f)),
            m::FIX_STR..=0xbf => self.str(usize::from(marker & 0x1f))?,
            m::FIX_NEG_MIN..=0xff => Token::Int(i64::from(marker.cast_signed())),
            m::FLOAT_64 => Token::Float(f64::from_bits(u64::from_be_bytes(self.array()?))),
            _ => return self.rare(marker),
        })
    }

    #[inline(always)]
    fn rare<S: Text<'a>>(&mut self, marker: u8) -> Result<Token<'a, S>, Reason> {
        Ok(match marker {
            m::NIL => Token::Nil,
            m::FALSE => Token::Bool(false),
            m::TRUE => Token::Bool(true),
            m::UINT_8 => Token::Uint(u64::from(self.array::<1>()?[0])),
            m::UINT_16 => Token::Uint(u64::from(u16::from_be_bytes(self.array()?))),
            m::UINT_32 => Token::Uint(u64::from(u32::from_be_bytes(self.array()?))),
            m::UINT_64 => Token::Uint(u64::from_be_bytes(self.array()?)),
            m::INT_8 => signed(i64::from(i8::from_be_bytes(self.array()?))),
            m::INT_16 => signed(i64::from(i16::from_be_bytes(self.array()?))),
            m::INT_32 => signed(i64::from(i32::from_be_bytes(self.array()?))),
            m::INT_64 => signed(i64::from_be_bytes(self.array()?)),
            m::FLOAT_32 => Token::Float(f64::from(f32::from_bits(u32::from_be_bytes(self.array()?)))),
            m::STR_8..=m::STR_32 => {
                let size = self.size(marker - m::STR_8)?;
                self.str(size)?
            }
            m::BIN_8..=m::BIN_32 => {
                let size = self.size(marker - m::BIN_8)?;
                Token::Bin(self.take(size)?)
            }
            m::FIX_EXT_1..=m::FIX_EXT_16 => self.ext(1 << (marker - m::FIX_EXT_1))?,
            m::EXT_8..=m::EXT_32 => {
                let size = self.size(marker - m::EXT_8)?;
                self.ext(size)?
            }
            m::ARRAY_16 => Token::Array(u32::from(u16::from_be_bytes(self.array()?))),
            m::ARRAY_32 => Token::Array(u32::from_be_bytes(self.array()?)),
            m::MAP_16 => Token::Map(u32::from(u16::from_be_bytes(self.array()?))),
            m::MAP_32 => Token::Map(u32::from_be_bytes(self.array()?)),
            _ => return Err(Reason::NeverUsed),
        })
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let (head, _) = self.data[self.at..].split_first_chunk::<N>().ok_or(Reason::Truncated)?;
        self.at += N;
        Ok(*head)
    }

    /// A length of 1, 2 or 4 bytes.
    fn size(&mut self, width: u8) -> Result<usize, Reason> {
        Ok(match width {
            0 => usize::from(self.array::<1>()?[0]),
            1 => usize::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?) as usize,
        })
    }

    #[inline(always)]
    fn take(&mut self, size: usize) -> Result<&'a [u8], Reason> {
        let taken = self.data[self.at..].get(..size).ok_or(Reason::Truncated)?;
        self.at += size;
        Ok(taken)
    }

    #[inline(always)]
    fn str<S: Text<'a>>(&mut self, size: usize) -> Result<Token<'a, S>, Reason> {
        Ok(Token::Str(S::of(self.take(size)?)?))
    }

    fn ext<S>(&mut self, size: usize) -> Result<Token<'a, S>, Reason> {
        let code = i8::from_be_bytes(self.array()?);
        Ok(Token::Ext(code, self.take(size)?))
    }
}

/// Wide signed forms may hold what an unsigned one would.
fn signed<'a, S>(value: i64) -> Token<'a, S> {
    u64::try_from(value).map_or(Token::Int(value), Token::Uint)
}
