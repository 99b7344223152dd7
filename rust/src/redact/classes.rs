//! Classes of bytes, and where a word can begin.

/// One or more classes of bytes.
pub type Class = u16;

/// `0-9a-f`
pub const HEX: Class = 1;
/// `A-Z0-9`
pub const CAPITALS: Class = 1 << 1;
/// `A-Za-z0-9`
pub const ALNUM: Class = 1 << 2;
/// `A-Za-z0-9_`
pub const WORD: Class = 1 << 3;
/// `A-Za-z0-9-`
pub const SLACK: Class = 1 << 4;
/// `A-Za-z0-9_-`
pub const URL: Class = 1 << 5;
/// `A-Za-z0-9_.-`
pub const DOTTED: Class = 1 << 6;
/// `A-Za-z0-9+/`
pub const BASE64: Class = 1 << 7;
/// `A-Za-z0-9+/=`
pub const PADDED: Class = 1 << 8;
/// What a bearer token is made of.
pub const TOKEN: Class = 1 << 9;
/// What the name of a PEM block is made of, its gaps in any spelling.
pub const LABEL: Class = 1 << 10;
/// What ends the authority of a URL, in the URL or in the text around it.
pub const END: Class = 1 << 11;
/// What every key has in its mark.
pub const ANCHOR: Class = 1 << 12;
/// What every shape has; text without it holds no secret.
pub const TRIGGER: Class = 1 << 13;

const TABLE: [Class; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = classes(at.to_le_bytes()[0]);
        at += 1;
    }
    table
};

const fn classes(byte: u8) -> Class {
    let every = ALNUM | WORD | SLACK | URL | DOTTED | BASE64 | PADDED | TOKEN;
    let plain = match byte {
        b'0'..=b'9' => every | HEX | CAPITALS | LABEL,
        b'a'..=b'f' => every | HEX,
        b'g'..=b'z' => every,
        b'A'..=b'Z' => every | CAPITALS | LABEL,
        b'_' => WORD | URL | DOTTED | TOKEN,
        b'-' => SLACK | URL | DOTTED | TOKEN,
        b'.' => DOTTED | TOKEN,
        b'+' => BASE64 | PADDED | TOKEN | LABEL,
        b'/' => BASE64 | PADDED | TOKEN | END,
        b'=' => PADDED | TOKEN,
        b'~' => TOKEN,
        b'%' => LABEL,
        b' ' => LABEL | END,
        0..b' ' | b'"' | b'#' | b'\'' | b',' | b';' | b'<' | b'>' | b'?' | b'\\' | b'`' | b'|' | 0x7f => END,
        _ => 0,
    };
    match byte {
        b'_' | b'-' | b'.' | b'K' | b'I' => plain | ANCHOR | TRIGGER,
        b':' | b'%' | b'J' | b'B' | b'b' => plain | TRIGGER,
        _ => plain,
    }
}

/// True if a byte is of a class.
#[inline(always)]
pub fn is(byte: u8, class: Class) -> bool {
    TABLE[usize::from(byte)] & class != 0
}

/// The byte at an offset; zero, which no shape has, beyond the end.
#[inline(always)]
pub fn byte(data: &[u8], at: usize) -> u8 {
    data.get(at).copied().unwrap_or(0)
}

/// The bytes from an offset on; none beyond the end.
#[inline(always)]
pub fn rest(data: &[u8], at: usize) -> &[u8] {
    data.get(at..).unwrap_or_default()
}

/// The bytes of a class from an offset on, at most so many.
pub fn run(data: &[u8], at: usize, class: Class, most: usize) -> &[u8] {
    let data = rest(data, at);
    let count = data.iter().take(most).take_while(|byte| is(**byte, class)).count();
    data.get(..count).unwrap_or_default()
}

/// True if a word can begin here: after anything but an ASCII letter or digit, or after an escape.
pub fn opens(data: &[u8], at: usize) -> bool {
    let back = |count: usize| byte(data, at.wrapping_sub(count));
    let hex = |count: usize| (1..=count).all(|each| back(each).is_ascii_hexdigit());
    !back(1).is_ascii_alphanumeric()
        || (back(2) == b'\\' && b"abefnrtv0".contains(&back(1)))
        || (back(3) == b'%' && hex(2))
        || (back(4) == b'\\' && back(3) == b'x' && hex(2))
        || (back(6) == b'\\' && back(5) == b'u' && hex(4))
}
