//! Tokens, keys and JSON as an attacker writes them.
#![no_main]

#[path = "bodies/jws.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
