//! What is a secret: by the name of its field ([`names`]), and by its own shape ([`values`]).
//!
//! The rules are those of `siftpack.redact`, without regular expressions, in time linear in what they look at.

mod classes;
mod keys;
mod names;
mod pairs;
mod pem;
mod tokens;
mod urls;
mod values;

use crate::ffi::{Exact, Obj, Text, text};

pub use names::{secret_bytes, secret_name};
pub use values::{holds_secret, in_text, is_secret};

/// True for a str or bytes in which a secret is.
pub fn holds_secret_obj(obj: Obj) -> bool {
    asked_of(obj, holds_secret)
}

/// True for a str or bytes that is one secret as a whole.
pub fn is_secret_obj(obj: Obj) -> bool {
    asked_of(obj, is_secret)
}

/// What cannot be looked at for want of memory is taken for a secret.
#[inline(always)]
fn asked_of(obj: Obj, test: fn(&[u8]) -> bool) -> bool {
    match obj.exact() {
        Exact::Str => match text(obj) {
            Text::Utf8(data) => test(data),
            wide => in_text(wide, test).unwrap_or(true),
        },
        Exact::Bytes => test(obj.bytes()),
        _ => false,
    }
}

/// True for a str or bytes that as a key says that its value is a secret.
pub fn secret_key(key: Obj) -> bool {
    match key.exact() {
        Exact::Str => secret_name(key),
        Exact::Bytes => secret_bytes(key.bytes()),
        _ => false,
    }
}
