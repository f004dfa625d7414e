//! One round of fuzzing how a session token is found and read: for libFuzzer, and for the bounded run on stable.
//! In: any bytes. Out: nothing; what must never happen is an assertion.

use std::sync::LazyLock;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue};
use vestibule_core::session::SessionToken;
use vestibule_core::wire::cookie::{self, Https};
use vestibule_core::wire::{self, CookieName, Credential, Transport};

const NAME: &str = "__Host-Http-vestibule";
const ACCESS_NAME: &str = "__Host-Http-vestibule_access";

static COOKIE_NAME: LazyLock<CookieName> =
    LazyLock::new(|| CookieName::session("vestibule", Https::Yes).unwrap());
static ACCESS_COOKIE_NAME: LazyLock<CookieName> =
    LazyLock::new(|| CookieName::access("vestibule", Https::Yes).unwrap());

/// Nothing panics; what is taken is in our form, to the byte, and stands alone.
pub(crate) fn run(bytes: &[u8]) {
    value(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        bearer(text);
    }
    request(bytes);
}

/// A cookie's value is taken if and only if it is written as we write it.
fn value(bytes: &[u8]) {
    let taken = SessionToken::from_cookie_value(bytes).ok();
    assert_eq!(taken.is_some(), is_ours(bytes), "{}", bytes.escape_ascii());
    if let Some(token) = taken {
        assert_eq!(token.reveal_cookie_value().as_bytes(), bytes, "read as it is written");
    }
}

/// 256 bits in base64url without padding (RFC 4648 section 5): the last of 43 characters has two bits that must be zero.
fn is_ours(bytes: &[u8]) -> bool {
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    bytes.len() == 43
        && bytes.iter().all(in_alphabet)
        && bytes.last().is_some_and(|last| b"AEIMQUYcgkosw048".contains(last))
}

fn bearer(text: &str) {
    if let Ok(token) = SessionToken::from_bearer(text) {
        assert_eq!(token.reveal_bearer(), text, "read as it is written");
    }
}

/// Lines of a Cookie header, and behind a NUL an Authorization header.
fn request(bytes: &[u8]) {
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let mut headers = HeaderMap::new();
    for line in halves.next().unwrap_or_default().split(|byte| *byte == b'\n') {
        if let Ok(line) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, line);
        }
    }
    if let Some(Ok(line)) = halves.next().map(HeaderValue::from_bytes) {
        headers.append(AUTHORIZATION, line);
    }
    let (ours, access) = (pairs(&headers, NAME), pairs(&headers, ACCESS_NAME));
    if let Ok(found) = cookie::single(&headers, &COOKIE_NAME) {
        assert_eq!(
            found.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>(),
            ours,
            "ours once, or not at all"
        );
    }
    if let Ok(Some(presented)) = wire::present(&headers, &COOKIE_NAME, Some(&ACCESS_COOKIE_NAME)) {
        match (presented.transport, presented.credential) {
            (Transport::Cookie, Credential::Reference(token)) => {
                assert!(!headers.contains_key(AUTHORIZATION) && access.is_empty(), "two credentials");
                assert_eq!(ours, [token.reveal_cookie_value().into_bytes()]);
            }
            (Transport::Cookie, Credential::Value(jwt)) => {
                assert!(!headers.contains_key(AUTHORIZATION) && ours.is_empty(), "two credentials");
                assert_eq!(access, [jwt.as_bytes()]);
            }
            (Transport::Header, Credential::Reference(token)) => {
                assert!(ours.is_empty() && access.is_empty(), "two credentials");
                let line = headers.get(AUTHORIZATION).unwrap().to_str().unwrap();
                assert_eq!(line.split_once(' ').unwrap().1, token.reveal_bearer());
            }
            (Transport::Header, Credential::Value(jwt)) => {
                assert!(ours.is_empty() && access.is_empty(), "two credentials");
                assert!(headers.get(AUTHORIZATION).unwrap().to_str().unwrap().ends_with(jwt));
            }
        }
    }
    // Whoever has no such cookie does not know its name.
    if let Ok(Some(presented)) = wire::present(&headers, &COOKIE_NAME, None) {
        assert!(presented.transport == Transport::Header || !ours.is_empty(), "not ours");
    }
}

/// The values of all cookies of exactly that name.
fn pairs(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    let named = pairs.filter_map(|pair| {
        let pair = pair.strip_prefix(b" ").unwrap_or(pair);
        Some(pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?.to_vec())
    });
    named.collect()
}
