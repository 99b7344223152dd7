//! What the reader gives for the literal bytes of every form, and what it refuses.

use siftpack_wire::{Error, Reader, Reason, Token};

const BIGGEST: usize = 65_536;
static LETTERS: [u8; BIGGEST] = [b'a'; BIGGEST];

fn text(size: usize) -> &'static str {
    core::str::from_utf8(&LETTERS[..size]).expect("letters are UTF-8")
}

fn bin(size: usize) -> &'static [u8] {
    &LETTERS[..size]
}

/// A header and that many letters behind it.
fn with(header: &[u8], size: usize) -> Vec<u8> {
    [header, bin(size)].concat()
}

/// The bytes are one form that gives this token and ends where they end.
#[track_caller]
fn gives(bytes: &[u8], token: Token<'_>) {
    let mut reader = Reader::new(bytes);
    assert_eq!(reader.next_token(), Ok(token));
    assert_eq!(reader.offset(), bytes.len());
    assert_eq!(reader.left(), 0);

    let longer = [&[0xc0], bytes, &[0xc1]].concat();
    let mut reader = Reader::new(&longer);
    assert_eq!(reader.next_token(), Ok(Token::Nil));
    assert_eq!(reader.next_token(), Ok(token), "elsewhere in the input");
    assert_eq!(reader.rest(), [0xc1], "bytes after the form are left alone");
}

/// The bytes, and the same bytes after another form, are refused for this reason where their form begins.
#[track_caller]
fn refuses(bytes: &[u8], reason: Reason) {
    assert_eq!(Reader::new(bytes).next_token(), Err(Error { reason, offset: 0 }));

    let later = [&[0xcd, 0x01, 0x00], bytes].concat();
    let mut reader = Reader::new(&later);
    assert_eq!(reader.next_token(), Ok(Token::Uint(256)));
    assert_eq!(reader.next_token(), Err(Error { reason, offset: 3 }));
    assert!(reader.offset() <= later.len());
}

macro_rules! forms {
    ($($name:ident: $bytes:expr => $token:expr;)+) => {
        $(
            #[test]
            fn $name() {
                gives(&$bytes, $token);
            }
        )+

        /// No strict prefix of a form is a form, whatever stands before it.
        #[test]
        fn each_prefix_of_each_form_is_truncated_where_the_form_begins() {
            $(
                let bytes: &[u8] = &$bytes;
                for end in 0..bytes.len() {
                    let cut = Error { reason: Reason::Truncated, offset: 0 };
                    let mut reader = Reader::new(&bytes[..end]);
                    assert_eq!(reader.next_token(), Err(cut), "{} cut to {end} bytes", stringify!($name));
                    assert!(reader.offset() <= end);
                }
                for end in 0..bytes.len().min(16) {
                    refuses(&bytes[..end], Reason::Truncated);
                }
            )+
        }
    };
}

forms! {
    nil: [0xc0] => Token::Nil;
    false_: [0xc2] => Token::Bool(false);
    true_: [0xc3] => Token::Bool(true);

    positive_fixint_first: [0x00] => Token::Uint(0);
    positive_fixint_last: [0x7f] => Token::Uint(127);
    negative_fixint_first: [0xe0] => Token::Int(-32);
    negative_fixint_last: [0xff] => Token::Int(-1);

    uint_8_shortest: [0xcc, 0x80] => Token::Uint(128);
    uint_8_largest: [0xcc, 0xff] => Token::Uint(255);
    uint_16_shortest: [0xcd, 0x01, 0x00] => Token::Uint(256);
    uint_16_largest: [0xcd, 0xff, 0xff] => Token::Uint(65_535);
    uint_32_shortest: [0xce, 0x00, 0x01, 0x00, 0x00] => Token::Uint(65_536);
    uint_32_largest: [0xce, 0xff, 0xff, 0xff, 0xff] => Token::Uint(0xffff_ffff);
    uint_64_shortest: [0xcf, 0, 0, 0, 1, 0, 0, 0, 0] => Token::Uint(0x1_0000_0000);
    uint_64_largest: [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Token::Uint(u64::MAX);
    uint_8_longer_than_needed: [0xcc, 0x00] => Token::Uint(0);
    uint_16_longer_than_needed: [0xcd, 0x00, 0x7f] => Token::Uint(127);
    uint_32_longer_than_needed: [0xce, 0, 0, 0, 0x80] => Token::Uint(128);
    uint_64_longer_than_needed: [0xcf, 0, 0, 0, 0, 0, 0, 0, 1] => Token::Uint(1);
    uint_64_is_big_endian: [0xcf, 1, 2, 3, 4, 5, 6, 7, 8] => Token::Uint(0x0102_0304_0506_0708);

    int_8_shortest: [0xd0, 0xdf] => Token::Int(-33);
    int_8_smallest: [0xd0, 0x80] => Token::Int(-128);
    int_16_shortest: [0xd1, 0xff, 0x7f] => Token::Int(-129);
    int_16_smallest: [0xd1, 0x80, 0x00] => Token::Int(-32_768);
    int_32_shortest: [0xd2, 0xff, 0xff, 0x7f, 0xff] => Token::Int(-32_769);
    int_32_smallest: [0xd2, 0x80, 0, 0, 0] => Token::Int(-0x8000_0000);
    int_64_shortest: [0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff] => Token::Int(-0x8000_0001);
    int_64_smallest: [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0] => Token::Int(i64::MIN);
    int_8_longer_than_needed: [0xd0, 0xff] => Token::Int(-1);
    int_16_longer_than_needed: [0xd1, 0xff, 0xff] => Token::Int(-1);
    int_32_longer_than_needed: [0xd2, 0xff, 0xff, 0xff, 0xff] => Token::Int(-1);
    int_64_longer_than_needed: [0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Token::Int(-1);

    int_8_that_holds_zero_is_unsigned: [0xd0, 0x00] => Token::Uint(0);
    int_8_that_holds_its_largest_is_unsigned: [0xd0, 0x7f] => Token::Uint(127);
    int_16_that_holds_zero_is_unsigned: [0xd1, 0x00, 0x00] => Token::Uint(0);
    int_16_that_holds_its_largest_is_unsigned: [0xd1, 0x7f, 0xff] => Token::Uint(32_767);
    int_32_that_holds_zero_is_unsigned: [0xd2, 0, 0, 0, 0] => Token::Uint(0);
    int_32_that_holds_its_largest_is_unsigned: [0xd2, 0x7f, 0xff, 0xff, 0xff] => Token::Uint(0x7fff_ffff);
    int_64_that_holds_zero_is_unsigned: [0xd3, 0, 0, 0, 0, 0, 0, 0, 0] => Token::Uint(0);
    int_64_that_holds_its_largest_is_unsigned: [0xd3, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Token::Uint(0x7fff_ffff_ffff_ffff);

    float_64: [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0] => Token::Float(1.5);
    float_64_infinity: [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0] => Token::Float(f64::INFINITY);
    float_64_smallest_subnormal: [0xcb, 0, 0, 0, 0, 0, 0, 0, 1] => Token::Float(f64::from_bits(1));
    float_64_largest: [0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Token::Float(f64::MAX);
    float_32: [0xca, 0x3f, 0xc0, 0, 0] => Token::Float(1.5);
    float_32_infinity: [0xca, 0xff, 0x80, 0, 0] => Token::Float(f64::NEG_INFINITY);
    float_32_smallest_subnormal: [0xca, 0, 0, 0, 1] => Token::Float(f64::from_bits(0x36a0_0000_0000_0000));
    float_32_largest: [0xca, 0x7f, 0x7f, 0xff, 0xff] => Token::Float(f64::from_bits(0x47ef_ffff_e000_0000));

    fixstr_empty: [0xa0] => Token::Str("");
    fixstr_of_more_bytes_than_letters: [0xa2, 0xc3, 0xa9] => Token::Str("é");
    fixstr_of_four_byte_letters: [0xa4, 0xf0, 0x9f, 0x8e, 0x81] => Token::Str("🎁");
    fixstr_last: with(&[0xbf], 31) => Token::Str(text(31));
    str_8_shortest: with(&[0xd9, 0x20], 32) => Token::Str(text(32));
    str_8_largest: with(&[0xd9, 0xff], 255) => Token::Str(text(255));
    str_16_shortest: with(&[0xda, 0x01, 0x00], 256) => Token::Str(text(256));
    str_16_largest: with(&[0xda, 0xff, 0xff], 65_535) => Token::Str(text(65_535));
    str_32_shortest: with(&[0xdb, 0x00, 0x01, 0x00, 0x00], 65_536) => Token::Str(text(65_536));
    str_8_longer_than_needed: [0xd9, 0x00] => Token::Str("");
    str_16_longer_than_needed: with(&[0xda, 0x00, 0x01], 1) => Token::Str("a");
    str_32_longer_than_needed: with(&[0xdb, 0, 0, 0, 1], 1) => Token::Str("a");

    bin_8_empty: [0xc4, 0x00] => Token::Bin(b"");
    bin_8_is_not_asked_for_utf8: [0xc4, 0x02, 0xff, 0xc1] => Token::Bin(b"\xff\xc1");
    bin_8_largest: with(&[0xc4, 0xff], 255) => Token::Bin(bin(255));
    bin_16_shortest: with(&[0xc5, 0x01, 0x00], 256) => Token::Bin(bin(256));
    bin_16_largest: with(&[0xc5, 0xff, 0xff], 65_535) => Token::Bin(bin(65_535));
    bin_32_shortest: with(&[0xc6, 0x00, 0x01, 0x00, 0x00], 65_536) => Token::Bin(bin(65_536));
    bin_16_longer_than_needed: with(&[0xc5, 0x00, 0x01], 1) => Token::Bin(b"a");
    bin_32_longer_than_needed: with(&[0xc6, 0, 0, 0, 1], 1) => Token::Bin(b"a");

    fixarray_first: [0x90] => Token::Array(0);
    fixarray_last: [0x9f] => Token::Array(15);
    array_16_shortest: [0xdc, 0x00, 0x10] => Token::Array(16);
    array_16_largest: [0xdc, 0xff, 0xff] => Token::Array(65_535);
    array_32_shortest: [0xdd, 0x00, 0x01, 0x00, 0x00] => Token::Array(65_536);
    array_32_largest_is_given_without_asking_for_its_elements: [0xdd, 0xff, 0xff, 0xff, 0xff] => Token::Array(u32::MAX);
    array_16_longer_than_needed: [0xdc, 0x00, 0x01] => Token::Array(1);
    array_32_longer_than_needed: [0xdd, 0, 0, 0, 1] => Token::Array(1);

    fixmap_first: [0x80] => Token::Map(0);
    fixmap_last: [0x8f] => Token::Map(15);
    map_16_shortest: [0xde, 0x00, 0x10] => Token::Map(16);
    map_16_largest: [0xde, 0xff, 0xff] => Token::Map(65_535);
    map_32_shortest: [0xdf, 0x00, 0x01, 0x00, 0x00] => Token::Map(65_536);
    map_32_largest_is_given_without_asking_for_its_pairs: [0xdf, 0xff, 0xff, 0xff, 0xff] => Token::Map(u32::MAX);
    map_16_longer_than_needed: [0xde, 0x00, 0x01] => Token::Map(1);
    map_32_longer_than_needed: [0xdf, 0, 0, 0, 1] => Token::Map(1);

    fixext_1: [0xd4, 0x05, 0x61] => Token::Ext(5, b"a");
    fixext_2: with(&[0xd5, 0x05], 2) => Token::Ext(5, bin(2));
    fixext_4: with(&[0xd6, 0x05], 4) => Token::Ext(5, bin(4));
    fixext_8: with(&[0xd7, 0x05], 8) => Token::Ext(5, bin(8));
    fixext_16: with(&[0xd8, 0x05], 16) => Token::Ext(5, bin(16));
    ext_8_empty: [0xc7, 0x00, 0x05] => Token::Ext(5, b"");
    ext_8_between_fixext_sizes: with(&[0xc7, 0x03, 0x05], 3) => Token::Ext(5, bin(3));
    ext_8_largest: with(&[0xc7, 0xff, 0x05], 255) => Token::Ext(5, bin(255));
    ext_16_shortest: with(&[0xc8, 0x01, 0x00, 0x05], 256) => Token::Ext(5, bin(256));
    ext_16_largest: with(&[0xc8, 0xff, 0xff, 0x05], 65_535) => Token::Ext(5, bin(65_535));
    ext_32_shortest: with(&[0xc9, 0x00, 0x01, 0x00, 0x00, 0x05], 65_536) => Token::Ext(5, bin(65_536));
    ext_8_longer_than_needed: [0xc7, 0x01, 0x05, 0x61] => Token::Ext(5, b"a");
    ext_16_longer_than_needed: [0xc8, 0x00, 0x01, 0x05, 0x61] => Token::Ext(5, b"a");
    ext_32_longer_than_needed: [0xc9, 0, 0, 0, 1, 0x05, 0x61] => Token::Ext(5, b"a");
    ext_code_smallest: [0xd4, 0x80, 0x61] => Token::Ext(-128, b"a");
    ext_code_minus_1: [0xd4, 0xff, 0x61] => Token::Ext(-1, b"a");
    ext_code_largest: [0xc7, 0x00, 0x7f] => Token::Ext(127, b"");
}

#[track_caller]
fn float_bits(bytes: &[u8]) -> u64 {
    match Reader::new(bytes).next_token() {
        Ok(Token::Float(value)) => value.to_bits(),
        other => panic!("not a float: {other:?}"),
    }
}

#[test]
fn floats_keep_the_sign_of_zero() {
    assert_eq!(float_bits(&[0xcb, 0, 0, 0, 0, 0, 0, 0, 0]), 0);
    assert_eq!(float_bits(&[0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0]), 1 << 63);
    assert_eq!(float_bits(&[0xca, 0, 0, 0, 0]), 0);
    assert_eq!(float_bits(&[0xca, 0x80, 0, 0, 0]), 1 << 63);
}

#[test]
fn float_64_keeps_every_bit_of_a_nan() {
    let quiet = [0xcb, 0xff, 0xf8, 0, 0, 0xde, 0xad, 0xbe, 0xef];
    assert_eq!(float_bits(&quiet), 0xfff8_0000_dead_beef);
    let signalling = [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 1];
    assert_eq!(float_bits(&signalling), 0x7ff0_0000_0000_0001);
}

#[test]
fn float_32_nan_is_a_nan() {
    assert!(f64::from_bits(float_bits(&[0xca, 0x7f, 0xc0, 0, 0])).is_nan());
    assert!(f64::from_bits(float_bits(&[0xca, 0xff, 0x80, 0, 1])).is_nan());
}

#[test]
fn no_bytes_are_truncated() {
    refuses(&[], Reason::Truncated);
}

#[test]
fn c1_is_refused_alone_and_before_other_bytes() {
    refuses(&[0xc1], Reason::NeverUsed);
    refuses(&[0xc1, 0xc0], Reason::NeverUsed);
}

/// 0xc1 is refused as a marker only; inside numbers and payloads it is a byte like any other.
#[test]
fn c1_inside_a_form_is_a_byte() {
    gives(&[0xcc, 0xc1], Token::Uint(0xc1));
    gives(&[0xc4, 0x01, 0xc1], Token::Bin(b"\xc1"));
    gives(&[0xd4, 0xc1, 0xc1], Token::Ext(-63, b"\xc1"));
}

/// Every ill-formed sequence of the Unicode standard's table 3-7, in each of the four string forms.
#[test]
fn a_string_that_is_not_utf8_is_refused_where_its_form_begins() {
    let wrong: [&[u8]; 10] = [
        b"\x80",             // a continuation byte alone
        b"\xc3",             // a sequence cut short
        b"\xe2\x82",         // one byte later
        b"\xf0\x9f\x8e",     // and later
        b"\xc0\x80",         // NUL in two bytes
        b"\xe0\x80\xaf",     // a slash in three
        b"\xed\xa0\x80",     // a lone surrogate
        b"\xf4\x90\x80\x80", // past U+10FFFF
        b"\xff",             // never in UTF-8
        b"ok\xc3(",          // after good letters
    ];
    for payload in wrong {
        let size = u8::try_from(payload.len()).expect("short");
        refuses(&[&[0xa0 | size], payload].concat(), Reason::NotUtf8);
        refuses(&[&[0xd9, size], payload].concat(), Reason::NotUtf8);
        refuses(&[&[0xda, 0, size], payload].concat(), Reason::NotUtf8);
        refuses(&[&[0xdb, 0, 0, 0, size], payload].concat(), Reason::NotUtf8);
    }
}

/// A letter cut off by the end of the string is not completed from the bytes behind the string.
#[test]
fn a_letter_may_not_go_on_past_its_string() {
    refuses(&[0xa1, 0xc3, 0xa9], Reason::NotUtf8);
}

/// A string that is cut short is truncated before anybody looks at its letters.
#[test]
fn truncation_is_found_before_bad_utf8() {
    refuses(&[0xa2, 0xff], Reason::Truncated);
}

#[test]
fn a_length_of_4294967295_is_truncated_and_takes_no_memory() {
    for marker in [0xc6, 0xdb] {
        refuses(&[marker, 0xff, 0xff, 0xff, 0xff], Reason::Truncated);
        let some = with(&[marker, 0xff, 0xff, 0xff, 0xff], BIGGEST);
        refuses(&some, Reason::Truncated);
    }
    let ext = [0xc9, 0xff, 0xff, 0xff, 0xff, 0x05];
    refuses(&ext, Reason::Truncated);
    refuses(&with(&ext, BIGGEST), Reason::Truncated);
}

#[test]
fn a_payload_one_byte_short_is_truncated() {
    refuses(&with(&[0xdb, 0x00, 0x01, 0x00, 0x00], 65_535), Reason::Truncated);
    refuses(&with(&[0xc5, 0x01, 0x00], 255), Reason::Truncated);
    refuses(&with(&[0xd8, 0x05], 15), Reason::Truncated);
}

#[test]
fn payloads_are_borrowed_from_the_input() {
    let input = [0xc4, 0x02, 1, 2];
    let Ok(Token::Bin(payload)) = Reader::new(&input).next_token() else {
        panic!("not a binary value");
    };
    assert!(core::ptr::eq(payload, &raw const input[2..]));
}

#[test]
fn the_cursor_counts_what_was_read_and_what_is_left() {
    let mut reader = Reader::new(&[0x92, 0xcd, 0x01, 0x00, 0xc0]);
    assert_eq!((reader.offset(), reader.left()), (0, 5));
    assert_eq!(reader.next_token(), Ok(Token::Array(2)));
    assert_eq!((reader.offset(), reader.left()), (1, 4));
    assert_eq!(reader.next_token(), Ok(Token::Uint(256)));
    assert_eq!((reader.offset(), reader.left()), (4, 1));
    assert_eq!(reader.rest(), [0xc0]);
    assert_eq!(reader.next_token(), Ok(Token::Nil));
    assert_eq!((reader.offset(), reader.left()), (5, 0));
    assert_eq!(reader.rest(), []);
}

#[test]
fn rewind_goes_back_and_never_forward() {
    let mut reader = Reader::new(&[0x01, 0x02, 0x03]);
    let start = reader.offset();
    assert_eq!(reader.next_token(), Ok(Token::Uint(1)));
    assert_eq!(reader.next_token(), Ok(Token::Uint(2)));
    reader.rewind(3);
    assert_eq!(reader.offset(), 2);
    reader.rewind(usize::MAX);
    assert_eq!(reader.offset(), 2);
    reader.rewind(start);
    assert_eq!(reader.next_token(), Ok(Token::Uint(1)));
}

#[test]
fn a_refusal_says_why_and_where_in_one_line() {
    let line = |reason| Error { reason, offset: 7 }.to_string();
    assert_eq!(line(Reason::Truncated), "truncated input at offset 7");
    assert_eq!(line(Reason::NeverUsed), "byte 0xc1, which MessagePack never uses at offset 7");
    assert_eq!(line(Reason::NotUtf8), "string is not UTF-8 at offset 7");
}
