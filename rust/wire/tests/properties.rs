//! Laws that hold for any tokens and any bytes, beside a naive reader.

mod naive;

use naive::{Owned, check, check_tokens};
use proptest::collection::vec;
use proptest::prelude::*;

/// Sizes around the boundaries of forms as often as others.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0_usize..40,
        2 => 250_usize..262,
        1 => 65_530_usize..65_542,
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..64), (size(), any::<u8>()).prop_map(|(size, byte)| vec![byte; size]),]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(any::<char>(), 0..64).prop_map(String::from_iter),
        (size(), "[a-z]").prop_map(|(size, letter)| letter.repeat(size)),
    ]
}

/// Numbers of every width alike: the shift takes away as many bits as it likes.
fn count() -> impl Strategy<Value = u32> {
    (any::<u32>(), 0_u32..32).prop_map(|(count, shift)| count >> shift)
}

fn token() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Nil),
        any::<bool>().prop_map(Owned::Bool),
        (any::<i64>(), 0_u32..64).prop_map(|(value, shift)| Owned::Int(value >> shift)),
        (any::<u64>(), 0_u32..64).prop_map(|(value, shift)| Owned::Uint(value >> shift)),
        any::<u64>().prop_map(Owned::Float),
        text().prop_map(Owned::Str),
        data().prop_map(Owned::Bin),
        count().prop_map(Owned::Array),
        count().prop_map(Owned::Map),
        (any::<i8>(), data()).prop_map(|(code, data)| Owned::Ext(code, data)),
    ]
}

/// Forms in their longest, shortest and broken state: a marker and few bytes that make sizes small.
fn form() -> impl Strategy<Value = Vec<u8>> {
    let tail = prop_oneof![Just(0_u8), 0_u8..8, any::<u8>()];
    (any::<u8>(), vec(tail, 0..24)).prop_map(|(marker, mut tail)| {
        tail.insert(0, marker);
        tail
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any tokens written one after the other are read back as they were.
    #[test]
    fn what_was_written_is_read(tokens in vec(token(), 0..16)) {
        check_tokens(tokens);
    }

    /// Written tokens obey every law of reading, cut anywhere.
    #[test]
    fn what_was_written_and_cut_is_read_to_the_cut(tokens in vec(token(), 1..6), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        for token in &tokens {
            token.write(&mut bytes);
        }
        check(&bytes);
        check(&bytes[..cut.index(bytes.len())]);
    }

    /// Any bytes are read as the naive reader reads them: no panic, nothing past the end, offsets that only grow.
    #[test]
    fn any_bytes_are_read_as_the_naive_reader_reads_them(bytes in vec(any::<u8>(), 0..256)) {
        check(&bytes);
    }

    /// The same for bytes that look like forms.
    #[test]
    fn any_forms_are_read_as_the_naive_reader_reads_them(forms in vec(form(), 0..8)) {
        check(&forms.concat());
    }
}

/// Every input of one and two bytes, and every first byte before zeros, ones and what is not UTF-8.
#[test]
fn every_first_byte_is_read_as_the_naive_reader_reads_it() {
    for first in 0..=0xff_u8 {
        check(&[first]);
        for second in 0..=0xff_u8 {
            check(&[first, second]);
        }
        for fill in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            for size in 0..40 {
                let mut input = vec![fill; size];
                input.insert(0, first);
                check(&input);
            }
        }
    }
}

/// One token of every kind, and numbers on both sides of zero.
#[test]
fn each_kind_of_token_comes_back() {
    check_tokens(vec![
        Owned::Nil,
        Owned::Bool(false),
        Owned::Bool(true),
        Owned::Int(i64::MIN),
        Owned::Int(-1),
        Owned::Int(0),
        Owned::Int(i64::MAX),
        Owned::Uint(0),
        Owned::Uint(u64::MAX),
        Owned::Float(0),
        Owned::Float(f64::NAN.to_bits()),
        Owned::Str("é".to_owned()),
        Owned::Bin(vec![0xff]),
        Owned::Array(u32::MAX),
        Owned::Map(u32::MAX),
        Owned::Ext(-128, vec![1, 2, 3]),
    ]);
}

/// Payloads at both sides of each boundary of their header come back whole.
#[test]
fn payloads_of_each_boundary_size_come_back() {
    for size in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 255, 256, 65_535, 65_536] {
        check_tokens(vec![Owned::Str("a".repeat(size)), Owned::Bin(vec![0xc1; size]), Owned::Ext(5, vec![0xc1; size])]);
    }
}
