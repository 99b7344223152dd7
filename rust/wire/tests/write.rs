//! The literal bytes of every form at both sides of each of its boundaries.

use siftpack_wire::write::{
    Short, array_header, bin_header, byte, ext_header, float, int, map_header, str_header, uint,
};

/// The form is exactly these bytes.
#[track_caller]
fn same(form: Short, bytes: &[u8]) {
    assert_eq!(form.padded()[..form.len()], *bytes);
}

macro_rules! forms {
    ($($name:ident: $form:expr => $bytes:expr;)+) => {
        $(
            #[test]
            fn $name() {
                same($form, &$bytes);
            }
        )+
    };
}

forms! {
    nil_is_one_byte: byte(0xc0) => [0xc0];
    false_is_one_byte: byte(0xc2) => [0xc2];
    true_is_one_byte: byte(0xc3) => [0xc3];
}

forms! {
    uint_0_is_the_first_positive_fixint: uint(0) => [0x00];
    uint_127_is_the_last_positive_fixint: uint(127) => [0x7f];
    uint_128_is_the_first_of_8_bits: uint(128) => [0xcc, 0x80];
    uint_255_is_the_last_of_8_bits: uint(255) => [0xcc, 0xff];
    uint_256_is_the_first_of_16_bits: uint(256) => [0xcd, 0x01, 0x00];
    uint_65535_is_the_last_of_16_bits: uint(65_535) => [0xcd, 0xff, 0xff];
    uint_65536_is_the_first_of_32_bits: uint(65_536) => [0xce, 0x00, 0x01, 0x00, 0x00];
    uint_4294967295_is_the_last_of_32_bits: uint(0xffff_ffff) => [0xce, 0xff, 0xff, 0xff, 0xff];
    uint_4294967296_is_the_first_of_64_bits: uint(0x1_0000_0000) => [0xcf, 0, 0, 0, 1, 0, 0, 0, 0];
    uint_max_is_the_last_of_64_bits: uint(u64::MAX) => [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    uint_is_big_endian: uint(0x0102_0304_0506_0708) => [0xcf, 1, 2, 3, 4, 5, 6, 7, 8];
}

forms! {
    int_minus_1_is_the_last_negative_fixint: int(-1) => [0xff];
    int_minus_32_is_the_first_negative_fixint: int(-32) => [0xe0];
    int_minus_33_is_the_first_of_8_bits: int(-33) => [0xd0, 0xdf];
    int_minus_128_is_the_last_of_8_bits: int(-128) => [0xd0, 0x80];
    int_minus_129_is_the_first_of_16_bits: int(-129) => [0xd1, 0xff, 0x7f];
    int_minus_32768_is_the_last_of_16_bits: int(-32_768) => [0xd1, 0x80, 0x00];
    int_minus_32769_is_the_first_of_32_bits: int(-32_769) => [0xd2, 0xff, 0xff, 0x7f, 0xff];
    int_minus_2147483648_is_the_last_of_32_bits: int(-0x8000_0000) => [0xd2, 0x80, 0x00, 0x00, 0x00];
    int_minus_2147483649_is_the_first_of_64_bits: int(-0x8000_0001) => [0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff];
    int_min_is_the_last_of_64_bits: int(i64::MIN) => [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0];
}

forms! {
    int_0_takes_the_unsigned_form: int(0) => [0x00];
    int_127_takes_the_unsigned_form: int(127) => [0x7f];
    int_128_takes_the_unsigned_form: int(128) => [0xcc, 0x80];
    int_256_takes_the_unsigned_form: int(256) => [0xcd, 0x01, 0x00];
    int_65536_takes_the_unsigned_form: int(65_536) => [0xce, 0x00, 0x01, 0x00, 0x00];
    int_max_takes_the_unsigned_form: int(i64::MAX) => [0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
}

forms! {
    float_zero_is_64_bits: float(0.0) => [0xcb, 0, 0, 0, 0, 0, 0, 0, 0];
    float_keeps_the_sign_of_zero: float(-0.0) => [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0];
    float_that_fits_32_bits_still_takes_64: float(1.5) => [0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0];
    float_infinity: float(f64::INFINITY) => [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0];
    float_negative_infinity: float(f64::NEG_INFINITY) => [0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0];
    float_smallest_subnormal: float(f64::from_bits(1)) => [0xcb, 0, 0, 0, 0, 0, 0, 0, 1];
    float_largest: float(f64::MAX) => [0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    float_keeps_the_sign_and_payload_of_nan: float(f64::from_bits(0xfff8_0000_dead_beef)) => [0xcb, 0xff, 0xf8, 0, 0, 0xde, 0xad, 0xbe, 0xef];
    float_keeps_a_signalling_nan: float(f64::from_bits(0x7ff0_0000_0000_0001)) => [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 1];
}

forms! {
    str_0_is_the_first_fixstr: str_header(0) => [0xa0];
    str_31_is_the_last_fixstr: str_header(31) => [0xbf];
    str_32_is_the_first_of_8_bits: str_header(32) => [0xd9, 0x20];
    str_255_is_the_last_of_8_bits: str_header(255) => [0xd9, 0xff];
    str_256_is_the_first_of_16_bits: str_header(256) => [0xda, 0x01, 0x00];
    str_65535_is_the_last_of_16_bits: str_header(65_535) => [0xda, 0xff, 0xff];
    str_65536_is_the_first_of_32_bits: str_header(65_536) => [0xdb, 0x00, 0x01, 0x00, 0x00];
    str_4294967295_is_the_last_of_32_bits: str_header(u32::MAX) => [0xdb, 0xff, 0xff, 0xff, 0xff];
}

forms! {
    bin_0_is_the_first_of_8_bits: bin_header(0) => [0xc4, 0x00];
    bin_255_is_the_last_of_8_bits: bin_header(255) => [0xc4, 0xff];
    bin_256_is_the_first_of_16_bits: bin_header(256) => [0xc5, 0x01, 0x00];
    bin_65535_is_the_last_of_16_bits: bin_header(65_535) => [0xc5, 0xff, 0xff];
    bin_65536_is_the_first_of_32_bits: bin_header(65_536) => [0xc6, 0x00, 0x01, 0x00, 0x00];
    bin_4294967295_is_the_last_of_32_bits: bin_header(u32::MAX) => [0xc6, 0xff, 0xff, 0xff, 0xff];
}

forms! {
    array_0_is_the_first_fixarray: array_header(0) => [0x90];
    array_15_is_the_last_fixarray: array_header(15) => [0x9f];
    array_16_is_the_first_of_16_bits: array_header(16) => [0xdc, 0x00, 0x10];
    array_65535_is_the_last_of_16_bits: array_header(65_535) => [0xdc, 0xff, 0xff];
    array_65536_is_the_first_of_32_bits: array_header(65_536) => [0xdd, 0x00, 0x01, 0x00, 0x00];
    array_4294967295_is_the_last_of_32_bits: array_header(u32::MAX) => [0xdd, 0xff, 0xff, 0xff, 0xff];
}

forms! {
    map_0_is_the_first_fixmap: map_header(0) => [0x80];
    map_15_is_the_last_fixmap: map_header(15) => [0x8f];
    map_16_is_the_first_of_16_bits: map_header(16) => [0xde, 0x00, 0x10];
    map_65535_is_the_last_of_16_bits: map_header(65_535) => [0xde, 0xff, 0xff];
    map_65536_is_the_first_of_32_bits: map_header(65_536) => [0xdf, 0x00, 0x01, 0x00, 0x00];
    map_4294967295_is_the_last_of_32_bits: map_header(u32::MAX) => [0xdf, 0xff, 0xff, 0xff, 0xff];
}

forms! {
    ext_1_is_fixext: ext_header(5, 1) => [0xd4, 0x05];
    ext_2_is_fixext: ext_header(5, 2) => [0xd5, 0x05];
    ext_4_is_fixext: ext_header(5, 4) => [0xd6, 0x05];
    ext_8_is_fixext: ext_header(5, 8) => [0xd7, 0x05];
    ext_16_is_fixext: ext_header(5, 16) => [0xd8, 0x05];
    ext_0_is_the_first_of_8_bits: ext_header(5, 0) => [0xc7, 0x00, 0x05];
    ext_3_is_no_fixext: ext_header(5, 3) => [0xc7, 0x03, 0x05];
    ext_5_is_no_fixext: ext_header(5, 5) => [0xc7, 0x05, 0x05];
    ext_7_is_no_fixext: ext_header(5, 7) => [0xc7, 0x07, 0x05];
    ext_9_is_no_fixext: ext_header(5, 9) => [0xc7, 0x09, 0x05];
    ext_15_is_no_fixext: ext_header(5, 15) => [0xc7, 0x0f, 0x05];
    ext_17_is_no_fixext: ext_header(5, 17) => [0xc7, 0x11, 0x05];
    ext_32_is_no_fixext: ext_header(5, 32) => [0xc7, 0x20, 0x05];
    ext_255_is_the_last_of_8_bits: ext_header(5, 255) => [0xc7, 0xff, 0x05];
    ext_256_is_the_first_of_16_bits: ext_header(5, 256) => [0xc8, 0x01, 0x00, 0x05];
    ext_65535_is_the_last_of_16_bits: ext_header(5, 65_535) => [0xc8, 0xff, 0xff, 0x05];
    ext_65536_is_the_first_of_32_bits: ext_header(5, 65_536) => [0xc9, 0x00, 0x01, 0x00, 0x00, 0x05];
    ext_4294967295_is_the_last_of_32_bits: ext_header(5, u32::MAX) => [0xc9, 0xff, 0xff, 0xff, 0xff, 0x05];
}

forms! {
    ext_code_minus_128_is_its_byte: ext_header(-128, 1) => [0xd4, 0x80];
    ext_code_minus_1_is_its_byte: ext_header(-1, 4) => [0xd6, 0xff];
    ext_code_0_is_its_byte: ext_header(0, 3) => [0xc7, 0x03, 0x00];
    ext_code_127_is_its_byte: ext_header(127, 256) => [0xc8, 0x01, 0x00, 0x7f];
    ext_code_stands_after_a_size_of_32_bits: ext_header(-2, 0x0102_0304) => [0xc9, 0x01, 0x02, 0x03, 0x04, 0xfe];
}

/// The longest form is nine bytes; a copy of the whole array is always enough.
#[test]
fn padding_holds_the_longest_form() {
    assert_eq!(uint(u64::MAX).len(), 9);
    assert_eq!(float(0.0).len(), 9);
    assert_eq!(float(0.0).padded().len(), 16);
}
