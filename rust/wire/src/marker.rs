//! First bytes of every form, as the specification's table has them.

/// Largest positive fixint.
pub const FIX_POS_MAX: u8 = 0x7f;
/// `1000xxxx`: map of up to 15 pairs.
pub const FIX_MAP: u8 = 0x80;
/// `1001xxxx`: array of up to 15 elements.
pub const FIX_ARRAY: u8 = 0x90;
/// `101xxxxx`: string of up to 31 bytes.
pub const FIX_STR: u8 = 0xa0;
/// nil
pub const NIL: u8 = 0xc0;
/// The one byte no form begins with.
pub const NEVER_USED: u8 = 0xc1;
/// false
pub const FALSE: u8 = 0xc2;
/// true
pub const TRUE: u8 = 0xc3;
/// bin with an 8-bit length; 16 and 32 follow.
pub const BIN_8: u8 = 0xc4;
/// bin with a 16-bit length.
pub const BIN_16: u8 = 0xc5;
/// bin with a 32-bit length.
pub const BIN_32: u8 = 0xc6;
/// ext with an 8-bit length; 16 and 32 follow.
pub const EXT_8: u8 = 0xc7;
/// ext with a 16-bit length.
pub const EXT_16: u8 = 0xc8;
/// ext with a 32-bit length.
pub const EXT_32: u8 = 0xc9;
/// 32-bit float.
pub const FLOAT_32: u8 = 0xca;
/// 64-bit float.
pub const FLOAT_64: u8 = 0xcb;
/// 8-bit unsigned; 16, 32, 64 follow.
pub const UINT_8: u8 = 0xcc;
/// 16-bit unsigned.
pub const UINT_16: u8 = 0xcd;
/// 32-bit unsigned.
pub const UINT_32: u8 = 0xce;
/// 64-bit unsigned.
pub const UINT_64: u8 = 0xcf;
/// 8-bit signed; 16, 32, 64 follow.
pub const INT_8: u8 = 0xd0;
/// 16-bit signed.
pub const INT_16: u8 = 0xd1;
/// 32-bit signed.
pub const INT_32: u8 = 0xd2;
/// 64-bit signed.
pub const INT_64: u8 = 0xd3;
/// ext of one byte; 2, 4, 8, 16 follow.
pub const FIX_EXT_1: u8 = 0xd4;
/// ext of sixteen bytes.
pub const FIX_EXT_16: u8 = 0xd8;
/// string with an 8-bit length; 16 and 32 follow.
pub const STR_8: u8 = 0xd9;
/// string with a 16-bit length.
pub const STR_16: u8 = 0xda;
/// string with a 32-bit length.
pub const STR_32: u8 = 0xdb;
/// array with a 16-bit count.
pub const ARRAY_16: u8 = 0xdc;
/// array with a 32-bit count.
pub const ARRAY_32: u8 = 0xdd;
/// map with a 16-bit count.
pub const MAP_16: u8 = 0xde;
/// map with a 32-bit count.
pub const MAP_32: u8 = 0xdf;
/// Smallest negative fixint byte (-32).
pub const FIX_NEG_MIN: u8 = 0xe0;
