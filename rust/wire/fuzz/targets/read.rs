//! Any bytes, read to their end or first refusal, obey every law that `naive::check` lists.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/naive/mod.rs"]
#[expect(dead_code, reason = "the other target checks lists of tokens")]
mod naive;

fuzz_target!(|input: &[u8]| naive::check(input));
