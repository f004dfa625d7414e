//! Cookies and bearer credentials as an attacker writes them.
#![no_main]

#[path = "bodies/cookie.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));
