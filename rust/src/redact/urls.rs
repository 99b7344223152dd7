//! Passwords in URLs: `scheme://user:password@host`, also percent-encoded inside another URL.
//!
//! What stands in the place of the password may be a mask or a name to be filled in; that is no secret. An `@` after
//! the authority has ended is part of a path, and a digest after it is part of an image's name.

use super::classes::{END, byte, is, rest};
use super::keys::holds_key;

const LONGEST_MASK: usize = 128;
const WORDS: [&[u8]; 9] =
    [b"redacted", b"masked", b"hidden", b"filtered", b"removed", b"scrubbed", b"omitted", b"sanitized", b"censored"];

/// True if a URL with a password has its colon here, as it is or percent-encoded.
pub fn password_at(data: &[u8], at: usize) -> bool {
    if !byte(data, at.wrapping_sub(1)).is_ascii_alphanumeric() {
        return false;
    }
    let after = rest(data, at);
    if let Some(from) = after.strip_prefix(b"://").or_else(|| after.strip_prefix(br":\/\/")) {
        return has_password(authority(from), false);
    }
    let Some(from) = after.strip_prefix(b"%3A").or_else(|| after.strip_prefix(b"%3a")) else { return false };
    let slash = |from: &'static [u8]| move |data| strip_ignoring_case(data, from);
    let from = from.strip_prefix(b"//").or_else(|| Some(from).and_then(slash(b"%2F%2F")));
    from.is_some_and(|from| has_password(encoded_authority(from), true))
}

fn strip_ignoring_case<'a>(data: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    data.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix)).map(|_| rest(data, prefix.len()))
}

fn authority(data: &[u8]) -> &[u8] {
    let end = data.iter().enumerate().position(|(at, each)| match each {
        // Ideographic and fullwidth punctuation ends a URL in text that has no spaces.
        0xe3 => byte(data, at + 1) == 0x80,
        0xef => byte(data, at + 1) == 0xbc,
        _ => is(*each, END),
    });
    data.get(..end.unwrap_or(data.len())).unwrap_or_default()
}

fn encoded_authority(data: &[u8]) -> &[u8] {
    let end = data.iter().enumerate().position(|(at, each)| match each {
        b'%' => escaped(data, at).is_some_and(|each| is(each, END)),
        b'&' | b'+' | 0x80.. => true,
        _ => is(*each, END),
    });
    data.get(..end.unwrap_or(data.len())).unwrap_or_default()
}

/// The byte that `%` and two hexadecimal digits stand for.
fn escaped(data: &[u8], at: usize) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(byte(data, at + 1))? << 4 | digit(byte(data, at + 2))?)
}

/// The characters of an authority, each with where it begins and ends.
fn symbols(data: &[u8], encoded: bool) -> impl Iterator<Item = (u8, usize, usize)> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let (start, each) = (at, *data.get(at)?);
        let decoded = if encoded && each == b'%' { escaped(data, at) } else { None };
        at += if decoded.is_some() { 3 } else { 1 };
        Some((decoded.unwrap_or(each), start, at))
    })
}

fn has_password(authority: &[u8], encoded: bool) -> bool {
    let (mut colon, mut sign, mut filled_in) = (None, None, false);
    for (symbol, start, end) in symbols(authority, encoded) {
        match symbol {
            // A colon inside braces belongs to what is to be filled in there: ${USER:-nobody}.
            b'{' if colon.is_none() => filled_in = true,
            b'}' => filled_in = false,
            b':' if !filled_in => colon = colon.or(Some(end)),
            b'@' => sign = Some((start, end)),
            _ => {}
        }
    }
    let (Some(from), Some((to, host))) = (colon, sign) else { return false };
    let Some(password) = authority.get(from..to) else { return false };
    !password.is_empty() && is_host(rest(authority, host), encoded) && !is_masked(password, encoded)
}

/// False for the digest of a pinned image, and for what follows `[user:password@]`, which says that it may be left out.
fn is_host(data: &[u8], encoded: bool) -> bool {
    let begins =
        |head: &[u8]| symbols(data, encoded).map(|(symbol, ..)| symbol).take(head.len()).eq(head.iter().copied());
    !(begins(b"sha256:") || begins(b"sha384:") || begins(b"sha512:") || begins(b"]"))
}

/// Percent-decodes what is not longer than a mask can be.
fn decode<'a>(data: &[u8], into: &'a mut [u8; LONGEST_MASK]) -> Option<&'a [u8]> {
    let mut size = 0;
    for (symbol, ..) in symbols(data, true) {
        *into.get_mut(size)? = symbol;
        size += 1;
    }
    into.get(..size)
}

fn is_masked(password: &[u8], encoded: bool) -> bool {
    let (mut once, mut twice) = ([0; LONGEST_MASK], [0; LONGEST_MASK]);
    let password = if encoded { decode(password, &mut once) } else { Some(password) };
    let Some(password) = password.filter(|password| password.len() <= LONGEST_MASK) else { return false };
    is_mask(password) || decode(password, &mut twice).is_some_and(is_mask)
}

fn is_mask(password: &[u8]) -> bool {
    let repeated = |byte: &u8| b"*xX.-_?".contains(byte) && password.iter().all(|each| each == byte);
    let dots = |each: &[u8]| matches!(each, [0xe2, 0x80, 0xa2 | 0xa6]);
    password.first().is_some_and(repeated)
        || password.windows(3).any(|window| window == b"***")
        || password.chunks(3).all(dots)
        || is_placeholder(password)
        || is_mask_word(password)
}

fn is_placeholder(password: &[u8]) -> bool {
    match password {
        [b'{' | b'[' | b'(' | b'<', .., b'}' | b']' | b')' | b'>']
        | [b'$' | b'%', b'{' | b'(', .., b'}' | b')']
        | [b'%', b'{' | b'(', .., b'}' | b')', b'a'..=b'z']
        | [b'%', .., b'%']
        | [b'%', b'a'..=b'z'] => true,
        [b'$', name @ ..] => {
            !name.is_empty() && name.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        }
        _ => false,
    }
}

fn is_mask_word(mut password: &[u8]) -> bool {
    while let [b'*' | b'_' | b'[' | b'-', inner @ ..] = password {
        password = inner;
    }
    while let [inner @ .., b'*' | b'_' | b']' | b'-'] = password {
        password = inner;
    }
    WORDS.iter().any(|word| password.eq_ignore_ascii_case(word))
}

/// True if the data is one URL with a password, or a key in the place of its user, and nothing else.
pub fn is_url(data: &[u8]) -> bool {
    let Some(at) = data.windows(3).position(|window| window == b"://") else { return false };
    let (schemes, from) = (data.get(..at).unwrap_or_default(), rest(data, at + 3));
    let is_scheme = |scheme: &[u8]| {
        scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|byte| matches!(byte, b'+' | b'.' | b'-') || byte.is_ascii_alphanumeric())
    };
    if !schemes.split(|byte| *byte == b':').all(is_scheme)
        || !schemes.last().is_some_and(u8::is_ascii_alphanumeric)
        || from.iter().any(|byte| matches!(byte, 0..=b' ' | b'"' | b'<' | b'>' | 0x7f))
    {
        return false;
    }
    let authority = authority(from);
    let user = authority.iter().rposition(|byte| *byte == b'@').and_then(|end| authority.get(..end));
    has_password(authority, false) || user.is_some_and(holds_key)
}
