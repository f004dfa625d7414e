use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;

use super::{Jws, LastHeader, MAX_HEADER_BYTES, MAX_JWT_BYTES, decode};
use crate::{Algorithm, Reject};

fn parse(jwt: &str) -> Result<Jws<'_>, Reject> {
    Jws::parse(jwt, &LastHeader::default())
}

fn header(text: &str) -> String {
    format!("{}.e30.AA", BASE64URL_NOPAD.encode(text.as_bytes()))
}

#[test]
fn the_parts_come_out_as_they_went_in() {
    let jwt = header(r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#);
    let jws = parse(&jwt).ok().unwrap();
    assert_eq!((jws.header.algorithm, jws.header.key_id.as_str()), (Algorithm::Es256, "k"));
    assert_eq!((jws.payload.as_slice(), jws.signature.as_slice()), (&b"{}"[..], &[0][..]));
    assert_eq!(jws.signing_input, jwt.trim_end_matches(".AA").as_bytes());
}

/// JW-15: the caps are exact.
#[test]
fn the_caps_are_exact() {
    let with_length = |length: usize| {
        let base = r#"{"alg":"ES256","kid":"k","typ":"at+jwt","x":""}"#;
        base.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(length - base.len())))
    };
    assert!(parse(&header(&with_length(MAX_HEADER_BYTES))).is_ok());
    assert_eq!(parse(&header(&with_length(MAX_HEADER_BYTES + 1))).err(), Some(Reject::HeaderTooLarge));
    let long = |length: usize| {
        let start = header(r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#);
        // Multiples of four, so that no character has unused bits.
        format!("{start}{}", "A".repeat(length - start.len()))
    };
    let longest = long(MAX_JWT_BYTES);
    assert_ne!(parse(&longest).err(), Some(Reject::TooLarge));
    assert_eq!(parse(&long(MAX_JWT_BYTES + 1)).err(), Some(Reject::TooLarge));
}

#[test]
fn a_remembered_header_is_used_for_the_same_text_only() {
    let last = LastHeader::default();
    let es = header(r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#);
    let first = Jws::parse(&es, &last).ok().unwrap();
    last.remember(&first.header);
    let again = Jws::parse(&es, &last).ok().unwrap();
    assert!(std::sync::Arc::ptr_eq(&first.header, &again.header));
    let other = header(r#"{"alg":"ES256","kid":"l","typ":"at+jwt"}"#);
    assert_eq!(Jws::parse(&other, &last).ok().unwrap().header.key_id, "l");
    let none = header(r#"{"alg":"none","kid":"k","typ":"at+jwt"}"#);
    assert_eq!(Jws::parse(&none, &last).err(), Some(Reject::AlgorithmUnsupported));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,300}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_text_of_the_alphabet_makes_it_panic(text in "[A-Za-z0-9_.-]{0,400}") {
        let _ = parse(&text);
    }

    /// Every byte string has exactly one text.
    #[test]
    fn base64url_goes_there_and_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = BASE64URL_NOPAD.encode(&bytes);
        prop_assert_eq!(decode(&text), Ok(bytes));
    }

    #[test]
    fn a_text_that_decodes_is_the_one_text_of_its_bytes(text in "[A-Za-z0-9_-]{0,40}") {
        if let Ok(bytes) = decode(&text) {
            prop_assert_eq!(BASE64URL_NOPAD.encode(&bytes), text);
        }
    }
}
