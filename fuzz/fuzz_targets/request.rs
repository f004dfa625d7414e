//! Forwarded headers, origins, forms and paths as an attacker writes them.
#![no_main]

#[path = "bodies/request.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
