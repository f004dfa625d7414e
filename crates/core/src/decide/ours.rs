//! Whether a credential of ours stands somewhere in an `Authorization` header that the service would get. In: the header's value as the
//! client sent it. Out: yes or no, by form alone: also a token that has expired, and one that is written as no program should.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use serde_json::{Map, Value};
use vestibule_verify::inspect;
use zeroize::Zeroizing;

use crate::refresh_token::RefreshToken;
use crate::session::SessionToken;

/// Whether a value holds a session token, a refresh token, or an access token of this issuer; plain or in the base64 of `Basic` (RFC 7617
/// section 2). The value of the session cookie is not found: by its form it could be any service's own key.
pub(super) fn is_in(value: &[u8], issuer: &str) -> bool {
    names_one(value, issuer) || basic(value).is_some_and(|pair| names_one(&pair, issuer))
}

/// What any reading of the value could take for a token is judged as one: words end at whatever no token of ours contains.
fn names_one(text: &[u8], issuer: &str) -> bool {
    let words = text.split(|byte| !(byte.is_ascii_alphanumeric() || b"-_.".contains(byte)));
    words.filter_map(|word| std::str::from_utf8(word).ok()).any(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.iter().any(|part| SessionToken::looks_like_bearer(part) || RefreshToken::looks_like(part))
            || parts.windows(3).any(|jwt| is_access_token(&Zeroizing::new(jwt.join(".")), issuer))
    })
}

/// An access token is for the issuer itself; a JWT for a service is that service's business.
fn is_access_token(jwt: &str, issuer: &str) -> bool {
    let says =
        |claims: &Map<String, Value>, name: &str| claims.get(name).and_then(Value::as_str) == Some(issuer);
    let claims = inspect(jwt, 0).ok().and_then(|jwt| jwt.claims);
    claims.is_some_and(|claims| says(&claims, "iss") && says(&claims, "aud"))
}

/// Name and password of `Basic`.
fn basic(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, pair) = std::str::from_utf8(value).ok()?.trim_ascii().split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = pair.trim_ascii().trim_end_matches('=').as_bytes();
    BASE64_NOPAD.decode(pair).or_else(|_| BASE64URL_NOPAD.decode(pair)).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64URL_NOPAD};

    use super::*;

    const ISSUER: &str = "https://auth.test";

    /// A JWT by its form: nobody signed it.
    fn jwt(claims: &str) -> String {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.AAAA", part(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#), part(claims))
    }

    /// A credential of ours stays here as the name or the password of `Basic`, too.
    #[test]
    fn a_credential_is_found_in_basic() {
        let access = jwt(r#"{"iss":"https://auth.test","aud":"https://auth.test"}"#);
        for token in ["vst_AQEB", "vrt_AQEB", &access] {
            for pair in [format!("{token}:"), format!("git:{token}"), format!("é:{token}")] {
                let encoded = BASE64.encode(pair.as_bytes());
                for value in [format!("Basic {encoded}"), format!("bAsIc\t{}", encoded.trim_end_matches('='))]
                {
                    assert!(is_in(value.as_bytes(), ISSUER), "{value}");
                }
            }
        }
        for other in ["", "Basic", "Basic ", "Basic =", "Basic dmVydDp2c3Q=", "Basic \u{e4}", "B\u{e4}sic x"]
        {
            assert!(!is_in(other.as_bytes(), ISSUER), "{other}");
        }
    }

    #[test]
    fn only_a_jwt_for_the_issuer_itself_is_an_access_token() {
        for (claims, expected) in [
            (r#"{"iss":"https://auth.test","aud":"https://auth.test","exp":1}"#, true),
            (r#"{"iss":"https://auth.test","aud":"orders"}"#, false),
            (r#"{"iss":"https://other.test","aud":"https://auth.test"}"#, false),
            (r#"{"aud":"https://auth.test"}"#, false),
            ("[]", false),
        ] {
            assert_eq!(is_in(format!("Bearer {}", jwt(claims)).as_bytes(), ISSUER), expected, "{claims}");
        }
        assert!(is_in(b"\xff \"vst_x\" \xff", ISSUER) && !is_in(b"Bearer xvst_x", ISSUER));
    }
}
