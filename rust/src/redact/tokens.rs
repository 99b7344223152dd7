//! Tokens by their form: JWTs, and what stands after `Bearer` and `Basic`.

use super::classes::{BASE64, PADDED, TOKEN, URL, byte, opens, rest, run};
use super::keys::{LEAST, WINDOW, looks_random};

const ANY: usize = usize::MAX;
/// Fewest characters of the base64 of a user and a password.
const LEAST_BASIC: usize = 10;
/// How many of them are looked at.
const MOST_BASIC: usize = 128;

/// Looks for JWTs at the third letter of their beginning, `eyJ`.
#[derive(Default)]
pub struct Jwts {
    /// What begins before this offset has a shorter first part than what was looked at, and the same others.
    from: usize,
}

impl Jwts {
    /// True if a JWT begins with its `J` here.
    pub fn at(&mut self, data: &[u8], at: usize) -> bool {
        let Some(start) = at.checked_sub(2) else { return false };
        if start < self.from || !rest(data, start).starts_with(b"eyJ") || !opens(data, start) {
            return false;
        }
        if jwt(data, start, 20).is_some() {
            return true;
        }
        self.from = start + run(data, start, URL, ANY).len();
        false
    }
}

/// Where a JWT ends that begins here, with no more of the last part than so many characters.
fn jwt(data: &[u8], start: usize, most: usize) -> Option<usize> {
    let mut at = start;
    for (least, most, dot) in [(16, ANY, true), (10, ANY, true), (20, most, false)] {
        if dot && !rest(data, at).starts_with(b"eyJ") {
            return None;
        }
        let size = run(data, at, URL, most).len();
        at += size;
        if size < least || (dot && byte(data, at) != b'.') {
            return None;
        }
        at += usize::from(dot);
    }
    Some(at)
}

/// True if the data is a JWT and nothing else.
pub fn is_jwt(data: &[u8]) -> bool {
    jwt(data, 0, ANY) == Some(data.len())
}

/// Where the value after a scheme begins that is named here.
fn value(data: &[u8], start: usize, scheme: &[u8]) -> Option<usize> {
    if !rest(data, start).get(..scheme.len())?.eq_ignore_ascii_case(scheme) {
        return None;
    }
    let after = start + scheme.len();
    let mut at = after;
    loop {
        match byte(data, at) {
            b' ' | b'\t' | b'+' => at += 1,
            b'%' if rest(data, at).starts_with(b"%20") => at += 3,
            _ => return (at > after).then_some(at),
        }
    }
}

/// True if a value of the Authorization header begins here.
pub fn authorization_at(data: &[u8], at: usize) -> bool {
    // The second letter tells nearly every word from the two.
    match byte(data, at + 1) {
        b'e' | b'E' => {
            value(data, at, b"bearer").is_some_and(|from| opens(data, at) && is_bearer(run(data, from, TOKEN, WINDOW)))
        }
        b'a' | b'A' => value(data, at, b"basic")
            .is_some_and(|from| opens(data, at) && is_basic(run(data, from, BASE64, MOST_BASIC))),
        _ => false,
    }
}

/// True if the data is a value of the Authorization header and nothing else.
pub fn is_authorization(data: &[u8]) -> bool {
    let only =
        |scheme, class| value(data, 0, scheme).filter(|from| run(data, *from, class, ANY).len() == data.len() - from);
    only(b"bearer".as_slice(), TOKEN).is_some_and(|from| is_bearer(rest(data, from)))
        || only(b"basic", PADDED).is_some_and(|from| {
            let token = run(data, from, BASE64, ANY);
            rest(data, from + token.len()).iter().all(|byte| *byte == b'=') && is_basic(token)
        })
}

fn is_bearer(token: &[u8]) -> bool {
    token.len() >= LEAST && looks_random(token, true)
}

/// True if the token is the base64 of a user, a colon and a password.
fn is_basic(token: &[u8]) -> bool {
    let token = token.get(..MOST_BASIC).unwrap_or(token);
    if token.len() < LEAST_BASIC || token.len() % 4 == 1 {
        return false;
    }
    let (mut bits, mut count, mut colon) = (0_u32, 0, false);
    for byte in token {
        bits = bits << 6 | sextet(*byte);
        count += 6;
        if count < 8 {
            continue;
        }
        count -= 8;
        let decoded = bits >> count & 0xff;
        colon |= decoded == u32::from(b':');
        if decoded < 0x20 || decoded == 0x7f || (decoded > 0x7f && !colon) {
            return false;
        }
    }
    colon
}

fn sextet(byte: u8) -> u32 {
    u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    })
}
