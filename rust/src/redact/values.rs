//! Which text holds a secret, by shapes that nothing innocent has. The rule of `siftpack.redact.values`.
//!
//! Every shape has one byte that is rare in text. Text is searched for these bytes, and each shape looks around its own.

use super::classes::{TRIGGER, is, rest};
use super::keys::{is_key, key_at};
use super::pem::{is_pem, pem_at};
use super::tokens::{Jwts, authorization_at, is_authorization, is_jwt};
use super::urls::{is_url, password_at};
use crate::ffi::{Spot, Text};

/// True if a secret is anywhere in the data: text in UTF-8 or any other encoding that leaves ASCII as it is.
pub fn holds_secret(data: &[u8]) -> bool {
    let (mut at, mut jwts) = (0, Jwts::default());
    while let Some(step) = rest(data, at).iter().position(|byte| is(*byte, TRIGGER)) {
        at += step;
        let found = match data.get(at) {
            Some(b'J') => jwts.at(data, at),
            Some(b':' | b'%') => password_at(data, at),
            Some(b'b') => authorization_at(data, at),
            Some(b'B') => authorization_at(data, at) || pem_at(data, at),
            _ => key_at(data, at),
        };
        if found {
            return true;
        }
        at += 1;
    }
    false
}

/// True if the data is one secret and nothing else but ASCII whitespace around it.
pub fn is_secret(data: &[u8]) -> bool {
    let data = data.trim_ascii();
    is_key(data) || is_jwt(data) || is_url(data) || is_authorization(data) || is_pem(data)
}

/// Asks one of the two of a str. Its UTF-8 is taken as it is; wide text is transcoded first, which may be refused.
pub fn in_text(characters: Text<'_>, test: fn(&[u8]) -> bool) -> Result<bool, Spot> {
    if let Text::Utf8(bytes) = characters {
        return Ok(test(bytes));
    }
    let (size, _) = characters.measure();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| Spot::NoMemory)?;
    bytes.resize(size, 0);
    characters.write(&mut bytes);
    Ok(test(&bytes))
}
