//! The one look into a body that the proxy door takes: the field `csrf_token` of a form. In: a body that claims to be a form.
//! Out: its bytes as they came, and the field.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE};
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use vestibule_core::decide::{CSRF_FIELD, CSRF_HEADER, Decider};
use vestibule_core::route::CsrfPolicy;

use crate::client_body::ClientBody;
use crate::form::{field, is_form};

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
        && is_form(&parts.headers)
        && decider
            .routes
            .load()
            .find(host, parts.uri.path(), &parts.method)
            .is_ok_and(|found| found.route.csrf == CsrfPolicy::Token)
}

pub(super) async fn read(parts: &Parts, body: ClientBody) -> Result<Form, Unread> {
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
