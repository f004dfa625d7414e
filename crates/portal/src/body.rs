//! A request's body, bounded in size and time and in the one media type that its address takes. In: head and body. Out: bytes.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The largest body that any address here takes.
const MAX_BYTES: usize = 16 * 1024;

/// How long a body may take to arrive: as long as a request's headers. The forms of our pages are a few hundred bytes.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// How much of a body that nobody wants is read and thrown away, and for how long: an answer that meets a client, or a proxy, still
/// sending is lost with the connection, and a person sees a broken page in place of what was wrong.
const DISCARDED_BYTES: usize = 1024 * 1024;
const DISCARD_WAIT: Duration = Duration::from_secs(1);

/// A media type, as sent.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// A media type, as sent.
pub(crate) const JSON: &str = "application/json";

/// Reads a body of this media type; any other, and a missing one, is refused.
pub(crate) async fn read(headers: &HeaderMap, body: Body, expected: &'static str) -> Result<Bytes, Problem> {
    if !is(headers, expected) {
        discard(headers, body).await;
        return Err(Problem::MediaType(expected));
    }
    collect(headers, body, MAX_WAIT).await
}

/// Reads a JSON body of this shape. What its parser has to say may quote a secret: `expected` is said instead.
pub(crate) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    expected: &'static str,
) -> Result<T, Problem> {
    let bytes = read(headers, body, JSON).await?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::Malformed(expected))
}

/// Reads the body of a call that needs none: empty, whatever its media type is said to be, or in this one.
pub(crate) async fn read_optional(
    headers: &HeaderMap,
    body: Body,
    expected: &'static str,
) -> Result<Bytes, Problem> {
    let is_announced = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if is_announced || is(headers, expected) {
        return read(headers, body, expected).await;
    }
    let bytes = collect(headers, body, MAX_WAIT).await?;
    if bytes.is_empty() { Ok(bytes) } else { Err(Problem::MediaType(expected)) }
}

async fn collect(headers: &HeaderMap, body: Body, wait: Duration) -> Result<Bytes, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_BYTES as u64) {
        discard(headers, body).await;
        return Err(Problem::BodyTooLarge);
    }
    match tokio::time::timeout(wait, Limited::new(body, MAX_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(cause)) if cause.is::<LengthLimitError>() => Err(Problem::BodyTooLarge),
        Ok(Err(_)) => Err(Problem::Malformed("The body broke off.")),
        Err(_) => Err(Problem::BodyTooSlow),
    }
}

async fn discard(headers: &HeaderMap, mut body: Body) {
    // Who waits for our word before sending is not asked to send in vain.
    if headers.contains_key(EXPECT) {
        return;
    }
    let thrown_away = async {
        let mut left = DISCARDED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    tokio::time::timeout(DISCARD_WAIT, thrown_away).await.ok();
}

/// Whether the one Content-Type is this type, with no parameter but `charset=utf-8`, and nothing is encoded.
fn is(headers: &HeaderMap, expected: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(sent), None) = (types.next(), types.next()) else { return false };
    let Ok(sent) = sent.to_str() else { return false };
    let (essence, parameters) = sent.split_once(';').unwrap_or((sent, "charset=utf-8"));
    let parameters = parameters.trim().trim_end_matches(';');
    essence.trim().eq_ignore_ascii_case(expected)
        && (parameters.eq_ignore_ascii_case("charset=utf-8")
            || parameters.eq_ignore_ascii_case("charset=\"utf-8\""))
        && !headers.contains_key(CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::Frame;

    use super::*;

    /// A client that announced a body and fell silent.
    struct Silent;

    impl http_body::Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let collected = collect(&HeaderMap::new(), Body::new(Silent), Duration::from_millis(20)).await;
        assert!(matches!(collected, Err(Problem::BodyTooSlow)));
    }

    #[tokio::test]
    async fn a_body_announced_as_too_large_is_refused_whether_or_not_it_comes() {
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, (MAX_BYTES + 1).into())]);
        let collected = collect(&headers, Body::new(Silent), Duration::from_secs(5)).await;
        assert!(matches!(collected, Err(Problem::BodyTooLarge)));
    }
}
