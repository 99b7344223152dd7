//! Why bytes were refused, and where.

use core::fmt;

/// The reason alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A form, string or payload goes on past the end of the input.
    Truncated,
    /// The byte 0xc1, which MessagePack never uses.
    NeverUsed,
    /// A string that is not UTF-8.
    NotUtf8,
}

/// A refusal: the reason and the offset, in bytes, of the form that was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Why.
    pub reason: Reason,
    /// Where the form begins.
    pub offset: usize,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "truncated input",
            Self::NeverUsed => "byte 0xc1, which MessagePack never uses",
            Self::NotUtf8 => "string is not UTF-8",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}", self.reason, self.offset)
    }
}

impl core::error::Error for Error {}
