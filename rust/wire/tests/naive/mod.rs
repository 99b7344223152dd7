//! A second reader, slow and plain, written from the specification's table alone, and the laws that bind the real one
//! to it. The property tests and the fuzz targets share it.

use siftpack_wire::{Error, Reader, Reason, Token, write};

/// A token that owns its payload. Floats are their bits, so that every NaN equals itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Str(String),
    Bin(Vec<u8>),
    Array(u32),
    Map(u32),
    Ext(i8, Vec<u8>),
}

impl From<Token<'_>> for Owned {
    fn from(token: Token<'_>) -> Self {
        match token {
            Token::Nil => Self::Nil,
            Token::Bool(value) => Self::Bool(value),
            Token::Int(value) => Self::Int(value),
            Token::Uint(value) => Self::Uint(value),
            Token::Float(value) => Self::Float(value.to_bits()),
            Token::Str(value) => Self::Str(value.to_owned()),
            Token::Bin(value) => Self::Bin(value.to_owned()),
            Token::Array(count) => Self::Array(count),
            Token::Map(count) => Self::Map(count),
            Token::Ext(code, value) => Self::Ext(code, value.to_owned()),
        }
    }
}

impl Owned {
    /// What reading gives back: a non-negative number is unsigned, however it was handed to the writer.
    pub fn read_back(self) -> Self {
        match self {
            Self::Int(value) => u64::try_from(value).map_or(self, Self::Uint),
            other => other,
        }
    }

    /// Writes the form with the crate's writer.
    pub fn write(&self, out: &mut Vec<u8>) {
        let size = |payload: &[u8]| u32::try_from(payload.len()).expect("payloads are short");
        let (form, payload): (_, &[u8]) = match self {
            Self::Nil => (write::byte(0xc0), &[]),
            Self::Bool(false) => (write::byte(0xc2), &[]),
            Self::Bool(true) => (write::byte(0xc3), &[]),
            Self::Int(value) => (write::int(*value), &[]),
            Self::Uint(value) => (write::uint(*value), &[]),
            Self::Float(bits) => (write::float(f64::from_bits(*bits)), &[]),
            Self::Str(text) => (write::str_header(size(text.as_bytes())), text.as_bytes()),
            Self::Bin(data) => (write::bin_header(size(data)), data),
            Self::Array(count) => (write::array_header(*count), &[]),
            Self::Map(count) => (write::map_header(*count), &[]),
            Self::Ext(code, data) => (write::ext_header(*code, size(data)), data),
        };
        out.extend_from_slice(&form.padded()[..form.len()]);
        out.extend_from_slice(payload);
    }
}

/// The first form of the input and its length in bytes.
pub fn read(input: &[u8]) -> Result<(Owned, usize), Reason> {
    let mut at = 0;
    let mut bytes = |size: usize| {
        let left = &input[at..];
        if left.len() < size {
            return Err(Reason::Truncated);
        }
        at += size;
        Ok(&left[..size])
    };
    let unsigned = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum * 256 + u64::from(*byte));
    let size = |bytes: &[u8]| usize::try_from(unsigned(bytes)).expect("four bytes at most");
    let narrow = |value: u64| u32::try_from(value).expect("four bytes at most");

    let first = bytes(1)?[0];
    let token = match first {
        0x00..=0x7f => Owned::Uint(first.into()),
        0x80..=0x8f => Owned::Map((first - 0x80).into()),
        0x90..=0x9f => Owned::Array((first - 0x90).into()),
        0xa0..=0xbf => text(bytes((first - 0xa0).into())?)?,
        0xc0 => Owned::Nil,
        0xc1 => return Err(Reason::NeverUsed),
        0xc2 => Owned::Bool(false),
        0xc3 => Owned::Bool(true),
        0xc4..=0xc6 => {
            let size = size(bytes(1 << (first - 0xc4))?);
            Owned::Bin(bytes(size)?.to_vec())
        }
        0xc7..=0xc9 => {
            let size = size(bytes(1 << (first - 0xc7))?);
            Owned::Ext(code(bytes(1)?), bytes(size)?.to_vec())
        }
        0xca => {
            let bits = narrow(unsigned(bytes(4)?));
            Owned::Float(f64::from(f32::from_bits(bits)).to_bits())
        }
        0xcb => Owned::Float(unsigned(bytes(8)?)),
        0xcc..=0xcf => Owned::Uint(unsigned(bytes(1 << (first - 0xcc))?)),
        0xd0..=0xd3 => {
            let width = 1 << (first - 0xd0);
            let value = i128::from(unsigned(bytes(width)?));
            let range = 1_i128 << (8 * width);
            number(if value < range / 2 { value } else { value - range })
        }
        0xd4..=0xd8 => Owned::Ext(code(bytes(1)?), bytes(1 << (first - 0xd4))?.to_vec()),
        0xd9..=0xdb => {
            let size = size(bytes(1 << (first - 0xd9))?);
            text(bytes(size)?)?
        }
        0xdc | 0xdd => Owned::Array(narrow(unsigned(bytes(2 << (first - 0xdc))?))),
        0xde | 0xdf => Owned::Map(narrow(unsigned(bytes(2 << (first - 0xde))?))),
        0xe0..=0xff => number(i128::from(first) - 256),
    };
    Ok((token, at))
}

fn text(bytes: &[u8]) -> Result<Owned, Reason> {
    String::from_utf8(bytes.to_vec()).map(Owned::Str).map_err(|_| Reason::NotUtf8)
}

fn code(byte: &[u8]) -> i8 {
    i8::from_be_bytes([byte[0]])
}

fn number(value: i128) -> Owned {
    match u64::try_from(value) {
        Ok(value) => Owned::Uint(value),
        Err(_) => Owned::Int(i64::try_from(value).expect("eight bytes at most")),
    }
}

/// Reads the input to its end or to its first refusal, and panics unless at every form
///
/// - the reader and [`read`] give the same token, or refuse for the same reason;
/// - the offset moves on by the length of the form, and never past the end;
/// - a payload lies in the input, right before the offset;
/// - a refusal names the offset where its form begins;
/// - the writer's form of the token reads as the same token, and is no longer than the one it came from, a float of 32
///   bits excepted.
pub fn check(input: &[u8]) {
    let mut reader = Reader::new(input);
    while reader.left() > 0 {
        let start = reader.offset();
        let result = reader.next_token();
        let end = reader.offset();
        assert!(start <= end && end <= input.len(), "{start} to {end}");
        assert_eq!(reader.left(), input.len() - end);
        assert!(core::ptr::eq(reader.rest(), &raw const input[end..]));
        let (token, expected, length) = match (result, read(&input[start..])) {
            (Ok(token), Ok((expected, length))) => (token, expected, length),
            (result, expected) => {
                let expected = expected.map_err(|reason| Error { reason, offset: start });
                assert_eq!(result.err(), expected.err());
                return;
            }
        };
        assert_eq!(end, start + length, "{token:?}");
        if let Token::Str(_) | Token::Bin(_) | Token::Ext(..) = token {
            let payload = match token {
                Token::Str(text) => text.as_bytes(),
                Token::Bin(data) | Token::Ext(_, data) => data,
                _ => &[],
            };
            assert!(core::ptr::eq(payload, &raw const input[end - payload.len()..end]));
        }
        let short = input[start] == 0xca;
        let token = Owned::from(token);
        match (&token, &expected) {
            // Widening a NaN may change its payload, and need not do so twice in the same way.
            (Owned::Float(one), Owned::Float(two)) if short && f64::from_bits(*one).is_nan() => {
                assert!(f64::from_bits(*two).is_nan());
            }
            _ => assert_eq!(token, expected),
        }
        let mut again = Vec::new();
        token.write(&mut again);
        assert!(short || again.len() <= length, "{token:?} was shorter");
        let mut second = Reader::new(&again);
        assert_eq!(second.next_token().map(Owned::from), Ok(token));
        assert_eq!(second.left(), 0);
    }
    let end = Error { reason: Reason::Truncated, offset: input.len() };
    assert_eq!(reader.next_token(), Err(end));
}

/// Writes the tokens one after the other, and panics unless they are read back as they were and nothing else is.
pub fn check_tokens(tokens: Vec<Owned>) {
    let mut bytes = Vec::new();
    for token in &tokens {
        token.write(&mut bytes);
    }
    let mut reader = Reader::new(&bytes);
    for token in tokens {
        let start = reader.offset();
        assert_eq!(reader.next_token().map(Owned::from), Ok(token.read_back()));
        assert!(start < reader.offset());
    }
    assert_eq!(reader.left(), 0);
}
