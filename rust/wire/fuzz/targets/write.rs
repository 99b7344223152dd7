//! Any list of tokens, written and read, comes back as it was; the bytes obey every law of reading.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/naive/mod.rs"]
mod naive;

use naive::Owned;

/// Payloads of one input come to this many bytes at most, so that it is run in good time.
const ALL_PAYLOADS: usize = 1 << 17;

/// What is left of the fuzzer's input. When it runs out, it goes on with zeros.
struct Plan<'a> {
    bytes: &'a [u8],
    payloads: usize,
}

impl Plan<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        let size = N.min(self.bytes.len());
        taken[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        taken
    }

    /// size u24, of which two bits of the first byte count | what it is filled with u8
    fn payload(&mut self) -> Vec<u8> {
        let [far, high, low, fill] = self.take();
        let size = match far % 2 {
            0 => usize::from(low),
            _ => usize::from(far / 2 % 2) << 16 | usize::from(high) << 8 | usize::from(low),
        };
        let size = size.min(self.payloads);
        self.payloads -= size;
        vec![fill; size]
    }

    /// kind u8 | what the kind needs
    fn token(&mut self) -> Owned {
        let [kind] = self.take();
        match kind % 10 {
            0 => Owned::Nil,
            1 => Owned::Bool(kind >= 128),
            2 => Owned::Int(i64::from_be_bytes(self.take()) >> (kind / 10 * 8 % 64)),
            3 => Owned::Uint(u64::from_be_bytes(self.take()) >> (kind / 10 * 8 % 64)),
            4 => Owned::Float(u64::from_be_bytes(self.take())),
            5 => Owned::Str(self.text()),
            6 => Owned::Bin(self.payload()),
            7 => Owned::Array(u32::from_be_bytes(self.take()) >> (kind / 10 * 8 % 32)),
            8 => Owned::Map(u32::from_be_bytes(self.take()) >> (kind / 10 * 8 % 32)),
            _ => {
                let [code] = self.take();
                Owned::Ext(i8::from_be_bytes([code]), self.payload())
            }
        }
    }

    /// Letters of one byte, and one of more bytes or none behind them.
    fn text(&mut self) -> String {
        let [last] = self.take();
        let mut letters = self.payload();
        for letter in &mut letters {
            *letter %= 128;
        }
        let mut text = String::from_utf8(letters).expect("ASCII");
        text.push_str(["", "é", "€", "🎁"][usize::from(last % 4)]);
        text
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut plan = Plan { bytes, payloads: ALL_PAYLOADS };
    let mut tokens = Vec::new();
    while !plan.bytes.is_empty() {
        tokens.push(plan.token());
    }
    let mut written = Vec::new();
    for token in &tokens {
        token.write(&mut written);
    }
    naive::check(&written);
    naive::check_tokens(tokens);
});
