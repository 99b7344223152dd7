//! MessagePack bytes: shortest forms out, strict tokens in. Knows nothing of Python.
//!
//! [`write`] gives the shortest form of a number or header as a few bytes on the stack.
//! [`read`] gives one [`Token`] at a time from a slice, and never trusts a length.
//! [`marker`] is the table both stand on (MessagePack specification, "Formats").
#![forbid(unsafe_code)]

pub mod error;
pub mod marker;
pub mod read;
pub mod write;

pub use error::{Error, Reason};
pub use read::{Reader, Token};
pub use write::Short;
