//! Encrypted tokens and the keys for them as an attacker writes them.
#![no_main]

#[path = "bodies/jwe.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
