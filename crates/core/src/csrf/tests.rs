use http::{HeaderMap, HeaderValue};

use super::origin::{NotAnOrigin, Origin, Origins};
use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A literal, so that a change of the constant in the code fails here.
const TWELVE_HOURS: Duration = Duration::from_secs(43_200);

fn tokens() -> CsrfTokens {
    CsrfTokens::new(Pepper::new(&[1; 32]), [2; 16]).unwrap()
}

fn id(byte: u8) -> SessionId {
    SessionId::from_bytes([byte; 16])
}

#[test]
fn every_page_has_its_own_token_and_all_stay_valid_for_twelve_hours() {
    let tokens = tokens();
    let (first, second) =
        (tokens.issue(Binding::Session(&id(1)), NOW), tokens.issue(Binding::Session(&id(1)), NOW));
    assert_ne!(first, second);
    assert_eq!(first.len(), TOKEN_LENGTH);
    for token in [&first, &second] {
        let check = |now| tokens.check(Binding::Session(&id(1)), token.as_bytes(), now);
        assert_eq!(check(NOW), Ok(()));
        assert_eq!(check(NOW.after(TWELVE_HOURS - Duration::from_secs(1))), Ok(()));
        assert_eq!(check(NOW.after(TWELVE_HOURS)), Err(Reject::CsrfToken));
    }
}

/// How many tokens were issued is not to be read off them: from one to the next about half of the nonce's bits change, none of its bytes stay,
/// and two processes have nothing in common.
#[test]
fn a_token_does_not_tell_how_many_there_were() {
    let nonce = |token: &str| {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        <[u8; 16]>::try_from(&bytes[4..20]).unwrap()
    };
    let (tokens, other) = (tokens(), CsrfTokens::new(Pepper::new(&[1; 32]), [3; 16]).unwrap());
    let issue = |by: &CsrfTokens| nonce(&by.issue(Binding::Session(&id(1)), NOW));
    let nonces: Vec<_> = (0..256).map(|_| issue(&tokens)).collect();
    let mut changed = 0;
    for pair in nonces.windows(2) {
        changed += pair[0].iter().zip(pair[1]).map(|(one, next)| (one ^ next).count_ones()).sum::<u32>();
    }
    let mean = f64::from(changed) / 255.0;
    assert!((60.0..68.0).contains(&mean), "{mean} of 128 bits change");
    for at in 0..16 {
        let values: std::collections::HashSet<u8> = nonces.iter().map(|nonce| nonce[at]).collect();
        assert!(values.len() > 100, "byte {at} has {} values", values.len());
    }
    let all: std::collections::HashSet<_> = nonces.iter().collect();
    assert_eq!(all.len(), 256);
    assert!((0..256).all(|_| !all.contains(&issue(&other))));
}

/// CS-02.
#[test]
fn a_token_is_for_one_session_and_one_purpose() {
    let tokens = tokens();
    let token = tokens.issue(Binding::Session(&id(1)), NOW);
    assert!(tokens.check(Binding::Session(&id(2)), token.as_bytes(), NOW).is_err());
    assert!(tokens.check(Binding::PreSession(&[1; 32]), token.as_bytes(), NOW).is_err());
    let other_installation = CsrfTokens::new(Pepper::new(&[9; 32]), [2; 16]).unwrap();
    assert!(other_installation.check(Binding::Session(&id(1)), token.as_bytes(), NOW).is_err());
    let form = tokens.issue(Binding::PreSession(&[3; 32]), NOW);
    assert!(tokens.check(Binding::PreSession(&[3; 32]), form.as_bytes(), NOW).is_ok());
    assert!(tokens.check(Binding::PreSession(&[4; 32]), form.as_bytes(), NOW).is_err());
}

#[test]
fn a_changed_character_anywhere_spoils_a_token() {
    let tokens = tokens();
    let token = tokens.issue(Binding::Session(&id(1)), NOW).into_bytes();
    for position in 0..token.len() {
        let mut changed = token.clone();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        assert!(tokens.check(Binding::Session(&id(1)), &changed, NOW).is_err(), "position {position}");
    }
    for bad in [&b""[..], &token[..47], &[token.as_slice(), b"A"].concat(), &[0xFF; 48]] {
        assert!(tokens.check(Binding::Session(&id(1)), bad, NOW).is_err());
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

/// CS-01, CS-08: stricter than Go's `CrossOriginProtection`, which lets a request through that says nothing and ignores the scheme.
#[test]
fn only_our_own_pages_and_the_person_at_the_browser_make_unsafe_requests() {
    let ours = Origins::new(vec![
        Origin::parse("https://app.test").unwrap(),
        Origin::parse("http://localhost:8080").unwrap(),
    ]);
    let passes: &[&[(&'static str, &str)]] = &[
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://app.test")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://app.test")],
        &[("origin", "https://app.test")],
        &[("origin", "http://localhost:8080")],
    ];
    for case in passes {
        assert_eq!(ours.judge(&headers(case)), Ok(()), "{case:?}");
    }
    let refused: &[&[(&'static str, &str)]] = &[
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("sec-fetch-site", "Same-Origin")],
        &[("sec-fetch-site", "same-origin, none")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://sub.app.test")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", "http://app.test")],
        &[("origin", "https://app.test:444")],
        &[("origin", "https://app.test:443")],
        &[("origin", "https://app.test.")],
        &[("origin", "https://app.test/")],
        &[("origin", "https://APP.test")],
        &[("origin", "https://app.test.evil.test")],
        &[("origin", "https://evilapp.test")],
        &[("origin", "https://xn--pp-hia.test")],
        &[("origin", "https://app.test"), ("origin", "https://evil.test")],
        &[("origin", "https://app.test https://evil.test")],
        &[("origin", "http://localhost:8081")],
        &[("origin", "\u{e4}")],
    ];
    for case in refused {
        assert_eq!(ours.judge(&headers(case)), Err(Reject::CsrfOrigin), "{case:?}");
    }
}

#[test]
fn origins_have_one_form() {
    let form = |text| Origin::parse(text).map(|origin| origin.as_str().to_owned());
    assert_eq!(form("HTTPS://App.Test:443"), Ok("https://app.test".to_owned()));
    assert_eq!(form("http://app.test:8080"), Ok("http://app.test:8080".to_owned()));
    assert_eq!(form("http://[::1]:8080"), Ok("http://[::1]:8080".to_owned()));
    assert_eq!(form("http://app.test:80"), Ok("http://app.test".to_owned()));
    assert_eq!(form("https://app.test:80"), Ok("https://app.test:80".to_owned()));
    assert_eq!(form("http://app.test:443"), Ok("http://app.test:443".to_owned()));
    assert_eq!(form("https://[::1]"), Ok("https://[::1]".to_owned()));
    assert_eq!(Origin::parse("http://[::1]:8080").unwrap().host(), "[::1]");
    assert_eq!(Origin::parse("http://app.test:8080").unwrap().host(), "app.test");
    assert_eq!(Origin::parse("http://app.test").unwrap().host(), "app.test");
    assert_eq!(Origin::parse("http://[::1]").unwrap().host(), "[::1]");
    assert!(Origin::parse("https://app.test").unwrap().is_https());
    assert!(!Origin::parse("http://app.test").unwrap().is_https());
    // Literals: what Chromium and Firefox send as `Origin` from pages of these addresses.
    for (written, sent) in [
        ("https://B\u{FC}cher.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://my_app.internal:8443", "https://my_app.internal:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://[2001:DB8:0:0:0:0:0:1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:65535", "http://localhost:65535"),
    ] {
        assert_eq!(form(written), Ok(sent.to_owned()), "{written}");
    }
    for bad in [
        "",
        "app.test",
        "ftp://app.test",
        "https://",
        "https://app.test/",
        "https://app.test/x",
        "https://app.test?x",
        "https://app.test#x",
        "https://app.test\\x",
        "https:app.test",
        "https:\\\\app.test",
        " https://app.test",
        "https://app.test ",
        "https://a\tpp.test",
        "https://%61pp.test",
        "https://a@app.test",
        "https://a:b@app.test",
        "https://app.test.",
        "https://app.test:",
        "https://app.test:port",
        "https://app.test:65536",
        "https://:443",
        "https://app.test.:443",
        "https://app.test:0",
        "https://app.test:65536",
        "https://app.test:8443x",
        "https://app.test:-1",
        "https://app[::1]:443",
        "https://[::1",
        "https://[::1]x",
        "https://[fe80::1%25eth0]",
        "https://a[b]",
        "https://*.example.com",
        "https://*",
        "https://a;b",
        "https://a,b",
        "https://a b",
        "https://a!b",
        "https://a..b",
        "https://.a",
        "https://-a.test",
        "https://a-.test",
        "https://256.256.256.256",
        "https://1.2.3.4.5",
        "https://xn--a",
        "https://a\u{AD}",
        "https://",
        "null",
    ] {
        assert_eq!(form(bad), Err(NotAnOrigin), "{bad:?}");
    }
    let label = "a".repeat(63);
    assert!(Origin::parse(&format!("https://{label}.test")).is_ok());
    assert!(Origin::parse(&format!("https://{label}a.test")).is_err());
    assert!(Origin::parse(&format!("https://{}", [label.as_str(); 4].join("."))).is_err());
}

proptest::proptest! {
    /// Whatever is taken is its own serialised form, and the URL standard agrees.
    #[test]
    fn an_origin_is_what_the_url_standard_serialises(text in "https?://[a-zA-Z0-9.\\[\\]:*;_%@/-]{0,20}") {
        if let Ok(origin) = Origin::parse(&text) {
            let again = Origin::parse(origin.as_str());
            proptest::prop_assert_eq!(again.as_ref(), Ok(&origin));
            let url = url::Url::parse(&text).unwrap();
            proptest::prop_assert_eq!(url.origin().ascii_serialization(), origin.as_str());
        }
    }
}
