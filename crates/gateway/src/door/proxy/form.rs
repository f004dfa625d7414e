//! The one look into a body that the proxy door takes: the field `csrf_token` of a form. In: a body that claims to be a form.
//! Out: its bytes as they came, and the field when it is there exactly once.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use vestibule_core::decide::{CSRF_FIELD, CSRF_HEADER, Decider};
use vestibule_core::route::CsrfPolicy;
use vestibule_core::wire::form::decode;

/// A form longer than this must bring its token in the header.
pub(super) const LONGEST: usize = 64 * 1024;

const TIME_TO_SEND: Duration = Duration::from_secs(30);

/// A form, read.
pub(super) struct Form {
    pub(super) bytes: Bytes,
    pub(super) csrf_token: Option<String>,
}

/// Why a form could not be read.
pub(super) enum Unread {
    Broken,
    Slow,
    TooLong,
}

/// Whether the decision about a request hangs on a field of its body. Only then is it read before it is known who asks.
pub(super) fn is_asked(decider: &Decider, parts: &Parts, host: &str) -> bool {
    !parts.method.is_safe()
        && parts.headers.contains_key(COOKIE)
        && !parts.headers.contains_key(CSRF_HEADER)
        && is_form(parts)
        && decider
            .routes
            .load()
            .find(host, parts.uri.path(), &parts.method)
            .is_ok_and(|route| route.csrf == CsrfPolicy::Token)
}

pub(super) async fn read(parts: &Parts, body: Incoming) -> Result<Form, Unread> {
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LONGEST) {
        return Err(Unread::TooLong);
    }
    let whole = Limited::new(body, LONGEST).collect();
    let bytes = match tokio::time::timeout(TIME_TO_SEND, whole).await {
        Ok(Ok(whole)) => whole.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(Unread::TooLong),
        Ok(Err(_)) => return Err(Unread::Broken),
        Err(_) => return Err(Unread::Slow),
    };
    let csrf_token = field(&bytes, CSRF_FIELD);
    Ok(Form { bytes, csrf_token })
}

fn is_form(parts: &Parts) -> bool {
    let mut types = parts.headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else { return false };
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The decoded value of a field that is there exactly once.
fn field(form: &[u8], name: &str) -> Option<String> {
    let mut found = form.split(|byte| *byte == b'&').filter_map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let decoded = decode(halves.next()?)?;
        (decoded == name.as_bytes()).then(|| halves.next().unwrap_or_default())
    });
    match (found.next(), found.next()) {
        (Some(value), None) => String::from_utf8(decode(value)?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_counts_when_it_is_there_once_however_it_is_spelled() {
        let token = |form: &str| field(form.as_bytes(), "csrf_token");
        assert_eq!(token("csrf_token=abc"), Some("abc".to_owned()));
        assert_eq!(token("a=1&csrf_token=a%62c&b=2"), Some("abc".to_owned()));
        assert_eq!(token("csrf%5Ftoken=a+b"), Some("a b".to_owned()));
        assert_eq!(token("csrf_token=a=b"), Some("a=b".to_owned()));
        assert_eq!(token("csrf_token"), Some(String::new()));
        for none in [
            "",
            "a=1",
            "xcsrf_token=1",
            "CSRF_TOKEN=1",
            "csrf_token=1&csrf_token=1",
            "csrf_token=1&csrf%5ftoken=1",
            "csrf_token=%zz",
            "csrf_token=%4",
            "csrf_token=%ff",
            "a=1;csrf_token=1",
        ] {
            assert_eq!(token(none), None, "{none}");
        }
    }
}
