//! Which field names say that their value is a secret: the rule of `siftpack.redact`, without its regular expression.

use crate::ffi::{Obj, Text, text};

const ENDINGS: [&str; 26] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "apikey",
    "api_key",
    "api_keys",
    "access_key",
    "secret_key",
    "private_key",
    "signing_key",
    "encryption_key",
    "access_token",
    "refresh_token",
    "auth_token",
    "bearer_token",
    "session_token",
    "id_token",
    "api_token",
    "client_secret",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "cookies",
];
const WHOLE: [&str; 3] = ["token", "bearer", "jwt"];
const LONGEST: usize = 128;

/// True if a field of this name holds a secret by its name alone.
pub fn secret_name(name: Obj) -> bool {
    let mut ascii = [b'_'; LONGEST];
    let length = match text(name) {
        Text::Utf8(bytes) if bytes.is_ascii() => fill(&mut ascii, bytes.iter().map(|byte| u32::from(*byte))),
        Text::Utf8(bytes) => {
            let characters = core::str::from_utf8(bytes).unwrap_or_default();
            fill(&mut ascii, characters.chars().map(u32::from))
        }
        Text::One(bytes) => fill(&mut ascii, bytes.iter().map(|byte| u32::from(*byte))),
        Text::Two(units) => fill(&mut ascii, units.iter().map(|unit| u32::from(*unit))),
        Text::Four(points) => fill(&mut ascii, points.iter().copied()),
    };
    length.is_some_and(|length| is_secret(&ascii[..length]))
}

/// ASCII letters and digits as they are, anything else an underscore; None if the name is too long.
#[expect(clippy::cast_possible_truncation, reason = "checked to be ASCII")]
fn fill(ascii: &mut [u8; LONGEST], points: impl Iterator<Item = u32>) -> Option<usize> {
    let mut length = 0;
    for point in points {
        let slot = ascii.get_mut(length)?;
        if point < 128 && (point as u8).is_ascii_alphanumeric() {
            *slot = point as u8;
        }
        length += 1;
    }
    Some(length)
}

fn is_secret(name: &[u8]) -> bool {
    // No phrase is shorter than three letters or ends in another letter: most names end here.
    let Some(last) = name.iter().rev().find(|byte| **byte != b'_') else { return false };
    if name.len() < 3 || !b"detysnlrDETYSNLR".contains(last) {
        return false;
    }
    let words = words(name);
    let joined = words.as_str();
    WHOLE.contains(&joined)
        || ENDINGS
            .iter()
            .any(|ending| joined.strip_suffix(ending).is_some_and(|head| head.is_empty() || head.ends_with('_')))
}

/// The words of a name, lower case, joined by underscores.
fn words(name: &[u8]) -> String {
    let mut out = String::with_capacity(2 * name.len());
    let part = |out: &mut String, byte: Option<u8>| match byte {
        Some(byte) => out.push(char::from(byte.to_ascii_lowercase())),
        None if !out.is_empty() && !out.ends_with('_') => out.push('_'),
        None => {}
    };
    for (at, byte) in name.iter().enumerate() {
        if *byte == b'_' {
            part(&mut out, None);
            continue;
        }
        if byte.is_ascii_uppercase() && at > 0 {
            let after = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            if !name[at - 1].is_ascii_uppercase() || after {
                part(&mut out, None);
            }
        }
        part(&mut out, Some(*byte));
    }
    if out.ends_with('_') {
        out.pop();
    }
    out
}
