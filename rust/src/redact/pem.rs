//! Private keys in PEM. A header that is only spoken of is none: the key has to follow.

use super::classes::{BASE64, LABEL, PADDED, byte, is, rest, run};

const DASHES: &[u8] = b"-----";

/// True if a PEM block with a private key has the `B` of its `BEGIN` here.
pub fn pem_at(data: &[u8], at: usize) -> bool {
    at.checked_sub(DASHES.len()).is_some_and(|start| header(data, start).is_some())
}

/// The label of a PEM block with a private key that begins here, and where its header ends.
fn header(data: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let line = rest(data, start).strip_prefix(b"-----BEGIN")?;
    let label = run(line, 0, LABEL, 64);
    let end = data.len() - line.len() + label.len();
    let after = rest(data, end).strip_prefix(DASHES)?;
    (is_private(label) && key_follows(after)).then_some((label, end))
}

fn is_private(label: &[u8]) -> bool {
    let kind = label.strip_suffix(b"BLOCK").map_or(Some(label), without_gap);
    let kind = kind.and_then(|kind| kind.strip_suffix(b"KEY")).and_then(without_gap);
    kind.and_then(|kind| kind.strip_suffix(b"PRIVATE")).and_then(without_gap).is_some()
}

/// What stands before the gap at the end, which text in a URL spells otherwise.
fn without_gap(label: &[u8]) -> Option<&[u8]> {
    label.strip_suffix(b" ").or_else(|| label.strip_suffix(b"+")).or_else(|| label.strip_suffix(b"%20"))
}

/// True if a key comes below the line that has just ended, or on it after blanks and quotes.
fn key_follows(data: &[u8]) -> bool {
    let (mut at, mut below) = (0, false);
    loop {
        let size = line_break(data, at);
        below |= size > 0;
        if size == 0 && !matches!(byte(data, at), b' ' | b'\t') {
            break;
        }
        at += size.max(1);
    }
    if below && is(byte(data, at), BASE64) {
        return true;
    }
    at = 0;
    loop {
        match byte(data, at) {
            b' ' | b'\t' | b'"' | b'\'' | b'+' | b',' | b'>' | b'|' => at += 1,
            b'\\' => at += line_break(data, at).max(slashes(data, at)),
            _ => match line_break(data, at) {
                0 => return run(data, at, PADDED, 40).len() == 40,
                size => at += size,
            },
        }
    }
}

/// How many backslashes there are.
fn slashes(data: &[u8], at: usize) -> usize {
    rest(data, at).iter().take_while(|byte| **byte == b'\\').count()
}

/// Bytes of a line break as it is, escaped once or more, or percent-encoded.
fn line_break(data: &[u8], at: usize) -> usize {
    match byte(data, at) {
        b'\r' | b'\n' => 1,
        b'\\' => {
            let slashes = slashes(data, at);
            if matches!(byte(data, at + slashes), b'n' | b'r') { slashes + 1 } else { 0 }
        }
        b'%' if byte(data, at + 1) == b'0' && matches!(byte(data, at + 2), b'A' | b'a' | b'D' | b'd') => 3,
        _ => 0,
    }
}

/// True if the data is one PEM block with a private key and nothing else.
pub fn is_pem(data: &[u8]) -> bool {
    let Some((label, end)) = header(data, 0) else { return false };
    let body = rest(data, end);
    let last = body.windows(8).position(|window| window == b"-----END").map(|at| rest(body, at + 8));
    last.and_then(|last| last.strip_prefix(label)) == Some(DASHES)
}
