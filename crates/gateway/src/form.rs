//! The one look into a body that doors take: a field of a form. In: headers, or the bytes of a form. Out: whether it claims to be
//! one, and the field when it is there exactly once.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use vestibule_core::wire::form::decode;

/// Whether a body is said to be a form, once and plainly.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else { return false };
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The decoded value of a field that is there exactly once.
pub(crate) fn field(form: &[u8], name: &str) -> Option<String> {
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
