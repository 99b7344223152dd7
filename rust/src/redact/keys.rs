//! Keys that begin with a mark of who issued them: `ghp_`, `AKIA`, `sk-` and their like.

use super::classes::{
    ALNUM, ANCHOR, CAPITALS, Class, DOTTED, HEX, PADDED, SLACK, URL, WORD, byte, is, opens, rest, run,
};
use super::pairs::Pairs;

const ANY: usize = usize::MAX;
/// Bytes of a key that are looked at.
pub const WINDOW: usize = 64;
/// Bytes that a token has at least where the issuer does not say more.
pub const LEAST: usize = 20;

/// A mark, the characters that may follow it, how many at least and at most.
pub struct Key {
    /// Words have the mark too.
    doubtful: bool,
    pub mark: &'static [u8],
    follow: Class,
    least: usize,
    most: usize,
}

const fn key(mark: &'static str, follow: Class, least: usize, most: usize) -> Key {
    Key { doubtful: false, mark: mark.as_bytes(), follow, least, most }
}

const fn doubtful(mark: &'static str, follow: Class, least: usize, most: usize) -> Key {
    Key { doubtful: true, ..key(mark, follow, least, most) }
}

/// The table of `siftpack.redact.keys`.
pub const KEYS: &[Key] = &[
    doubtful("sk-", URL, LEAST, ANY),
    key("sk_live_", ALNUM, 16, ANY),
    key("sk_test_", ALNUM, 16, ANY),
    key("rk_live_", ALNUM, 16, ANY),
    key("rk_test_", ALNUM, 16, ANY),
    key("whsec_", PADDED, 24, ANY),
    key("AKIA", CAPITALS, 16, 16),
    key("ASIA", CAPITALS, 16, 16),
    key("AIza", URL, 35, 35),
    key("ya29.", DOTTED, LEAST, ANY),
    key("GOCSPX-", URL, 28, 28),
    key("dop_v1_", HEX, 64, 64),
    key("doo_v1_", HEX, 64, 64),
    key("dor_v1_", HEX, 64, 64),
    key("ghp_", ALNUM, 36, ANY),
    key("gho_", ALNUM, 36, ANY),
    key("ghu_", ALNUM, 36, ANY),
    key("ghs_", ALNUM, 36, ANY),
    key("ghr_", ALNUM, 36, ANY),
    key("github_pat_", WORD, 36, ANY),
    key("glpat-", DOTTED, LEAST, ANY),
    key("gldt-", DOTTED, LEAST, ANY),
    key("glrt-", DOTTED, LEAST, ANY),
    key("glptt-", DOTTED, LEAST, ANY),
    key("glcbt-", DOTTED, LEAST, ANY),
    key("npm_", ALNUM, 36, ANY),
    key("pypi-AgE", URL, 50, ANY),
    key("xoxa-", SLACK, LEAST, ANY),
    key("xoxb-", SLACK, LEAST, ANY),
    key("xoxe-", SLACK, LEAST, ANY),
    key("xoxo-", SLACK, LEAST, ANY),
    key("xoxp-", SLACK, LEAST, ANY),
    key("xoxr-", SLACK, LEAST, ANY),
    key("xoxs-", SLACK, LEAST, ANY),
    key("xapp-", SLACK, LEAST, ANY),
    doubtful("SG.", DOTTED, 60, 80),
    key("SK", HEX, 32, 32),
    key("shpat_", HEX, 32, 32),
    key("shpca_", HEX, 32, 32),
    key("shppa_", HEX, 32, 32),
    key("shpss_", HEX, 32, 32),
    key("hf_", ALNUM, 30, 40),
    key("gsk_", ALNUM, 40, ANY),
    key("xai-", ALNUM, 40, ANY),
    key("pplx-", ALNUM, 40, ANY),
    key("nvapi-", URL, 40, ANY),
    key("r8_", ALNUM, 37, 40),
    key("tvly-", URL, LEAST, ANY),
    key("pcsk_", WORD, 40, ANY),
    key("jina_", ALNUM, 60, ANY),
    key("lsv2_pt_", WORD, 32, ANY),
    key("lsv2_sk_", WORD, 32, ANY),
    key("hvs.", URL, 24, ANY),
    key("AGE-SECRET-KEY-1", CAPITALS, 58, 58),
    key("glsa_", WORD, 32, ANY),
    key("ntn_", ALNUM, 40, ANY),
    key("figd_", URL, 36, ANY),
    key("lin_api_", ALNUM, 36, ANY),
    key("sbp_", HEX, 40, 40),
    key("sb_secret_", URL, LEAST, ANY),
];

/// Where in its mark each key has its anchor: the first byte there that every key has one of.
const ANCHORS: [usize; KEYS.len()] = {
    let (mut anchors, mut row) = ([1; KEYS.len()], 0);
    while row < KEYS.len() {
        while !matches!(KEYS[row].mark[anchors[row]], b'_' | b'-' | b'.' | b'K' | b'I') {
            anchors[row] += 1;
        }
        row += 1;
    }
    anchors
};

/// The keys by the two bytes before a separator, or the one before a capital and the capital.
static BY_ANCHOR: Pairs<{ KEYS.len() }> = {
    let (mut pairs, mut row) = (Pairs::new(), 0);
    while row < KEYS.len() {
        let (mark, at) = (KEYS[row].mark, ANCHORS[row]);
        match mark[at] {
            b'K' | b'I' => pairs.add(mark[at - 1], mark[at]),
            _ => pairs.add(mark[at - 2], mark[at - 1]),
        }
        row += 1;
    }
    pairs
};

/// The keys by the two bytes they begin with.
static BY_START: Pairs<{ KEYS.len() }> = {
    let (mut pairs, mut row) = (Pairs::new(), 0);
    while row < KEYS.len() {
        pairs.add(KEYS[row].mark[0], KEYS[row].mark[1]);
        row += 1;
    }
    pairs
};

/// True if the mark of a key has its anchor here, and the key follows.
#[inline(always)]
pub fn key_at(data: &[u8], at: usize) -> bool {
    let (here, before) = (byte(data, at), byte(data, at.wrapping_sub(1)));
    let mut rows = match here {
        b'K' | b'I' => BY_ANCHOR.rows(before, here),
        _ => BY_ANCHOR.rows(byte(data, at.wrapping_sub(2)), before),
    };
    rows.any(|row| KEYS[row].begins(data, at.wrapping_sub(ANCHORS[row])))
}

impl Key {
    /// True if such a key begins here.
    fn begins(&self, data: &[u8], start: usize) -> bool {
        if !rest(data, start).starts_with(self.mark) || !opens(data, start) {
            return false;
        }
        // One more than a key has tells that it is none; more than that need not be read.
        let longest = if self.most == ANY { self.least.max(WINDOW) } else { self.most + 1 };
        self.is_body(run(data, start + self.mark.len(), self.follow, longest))
    }

    fn is_body(&self, body: &[u8]) -> bool {
        if body.len() < self.least || body.len() > self.most {
            return false;
        }
        // Sixteen capitals may well be without a digit, and nothing else follows these marks.
        if self.follow == CAPITALS { differ(body) >= 6 } else { looks_random(body, self.doubtful) }
    }
}

/// True if one of the keys is anywhere in the data.
pub fn holds_key(data: &[u8]) -> bool {
    data.iter().enumerate().any(|(at, byte)| is(*byte, ANCHOR) && key_at(data, at))
}

/// True if the data is one of the keys and nothing else.
pub fn is_key(data: &[u8]) -> bool {
    BY_START.rows(byte(data, 0), byte(data, 1)).any(|row| {
        let key = &KEYS[row];
        data.strip_prefix(key.mark)
            .is_some_and(|body| body.iter().all(|byte| is(*byte, key.follow)) && key.is_body(body))
    })
}

/// How many different bytes there are; the data is ASCII.
fn differ(data: &[u8]) -> u32 {
    data.iter().fold(0_u128, |seen, byte| seen | 1 << (byte & 127)).count_ones()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Other,
    Digit,
    Small,
    Capital,
}

impl Sort {
    fn of(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digit,
            b'a'..=b'z' => Self::Small,
            b'A'..=b'Z' => Self::Capital,
            _ => Self::Other,
        }
    }
}

/// Letters and digits without a break between them.
#[derive(Clone, Copy, Default)]
struct Stretch {
    size: u32,
    digit: bool,
    letter: bool,
}

/// True if text looks drawn at random: not like words, numbers or names with separators between them.
///
/// Of the first 64 characters at least six differ, and there is a stretch of twelve with letters and digits, or a UUID,
/// or they change four times between small, capital and digit, with a digit or with more capitals, or more small
/// letters, than names have. Where words are to be expected, more of it is asked for.
pub fn looks_random(text: &[u8], doubtful: bool) -> bool {
    let (longest, most, share) = if doubtful { (16, 6, 5) } else { (12, 4, 6) };
    let window = text.get(..WINDOW).unwrap_or(text);
    if differ(window) < 6 {
        return false;
    }
    let (mut digits, mut small, mut capital, mut changes) = (0, 0, 0, 0);
    let (mut last, mut stretch) = (Sort::Other, Stretch::default());
    for byte in window {
        let sort = Sort::of(*byte);
        match sort {
            Sort::Other => stretch = Stretch::default(),
            Sort::Digit => digits += 1,
            Sort::Small => small += 1,
            Sort::Capital => capital += 1,
        }
        if sort != Sort::Other {
            changes += u32::from(last != sort && last != Sort::Other);
            stretch.size += 1;
            stretch.digit |= sort == Sort::Digit;
            stretch.letter |= sort != Sort::Digit;
            if stretch.size >= longest && stretch.digit && stretch.letter {
                return true;
            }
        }
        last = sort;
    }
    let mixed = digits > 0 || share * u32::min(small, capital) >= small + capital;
    (changes >= most && mixed) || window.windows(36).any(is_uuid)
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}
