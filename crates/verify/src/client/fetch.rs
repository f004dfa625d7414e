//! One bounded question over HTTP. In: a location, the media types that count, a bound. Out: the body and what its headers say of
//! freshness, "not modified", or a fault. Redirects are answers like any other: not the one asked for.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};

use super::fault::DiscoveryFault;
use super::location::Location;

/// An entity tag longer than this is not kept.
const MAX_ETAG_BYTES: usize = 256;
const MAX_HEAD_BYTES: usize = 64 * 1024;

pub(super) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    patience: Duration,
}

/// A kind of document: what it is called, the media types that it may have, how long it may be.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) media_types: &'static [&'static str],
    pub(super) accept: &'static str,
    pub(super) max_bytes: usize,
}

pub(super) enum Answer {
    Found { body: Bytes, etag: Option<HeaderValue>, fresh_for: Option<Duration> },
    NotModified { fresh_for: Option<Duration> },
}

impl Fetcher {
    pub(super) fn new(patience: Duration) -> Result<Self, DiscoveryFault> {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| DiscoveryFault::Tls(error.to_string()))?;
        // A machine without root certificates can still ask itself; https then fails for want of a trusted issuer.
        let tls = match tls.clone().with_native_roots() {
            Ok(trusting) => trusting,
            Err(_) => tls.with_root_certificates(RootCertStore::empty()),
        };
        let mut sockets = HttpConnector::new();
        sockets.enforce_http(false);
        sockets.set_connect_timeout(Some(patience));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .wrap_connector(sockets);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(connector);
        Ok(Self { client, patience })
    }

    /// Asks once. With `known`, "not modified" is an answer too.
    pub(super) async fn get(
        &self,
        from: &Location,
        kind: Kind,
        known: Option<&HeaderValue>,
    ) -> Result<Answer, DiscoveryFault> {
        match tokio::time::timeout(self.patience, self.ask(from, kind, known)).await {
            Ok(answer) => answer,
            Err(_) => Err(DiscoveryFault::Timeout { url: from.text() }),
        }
    }

    async fn ask(
        &self,
        from: &Location,
        kind: Kind,
        known: Option<&HeaderValue>,
    ) -> Result<Answer, DiscoveryFault> {
        let unreachable = |error: &(dyn Error + 'static)| DiscoveryFault::Unreachable {
            url: from.text(),
            why: innermost(error).to_string(),
        };
        let mut request = Request::get(from.uri().clone())
            .header(ACCEPT, kind.accept)
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, concat!("vestibule-verify/", env!("CARGO_PKG_VERSION")));
        if let Some(etag) = known {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = request.body(Empty::new()).map_err(|error| unreachable(&error))?;
        let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
        let (head, body) = response.into_parts();
        let fresh_for = fresh_for(&head.headers);
        match head.status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Answer::NotModified { fresh_for }),
            status => return Err(DiscoveryFault::Status { url: from.text(), status: status.as_u16() }),
        }
        if !is_of(kind, &head.headers) {
            return Err(DiscoveryFault::ContentType { url: from.text(), wanted: kind.accept });
        }
        if body.size_hint().lower() > kind.max_bytes as u64 {
            return Err(DiscoveryFault::TooLarge { url: from.text() });
        }
        let body = Limited::new(body, kind.max_bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return DiscoveryFault::TooLarge { url: from.text() };
            }
            unreachable(error.as_ref())
        })?;
        let etag = head.headers.get(ETAG).filter(|etag| etag.len() <= MAX_ETAG_BYTES).cloned();
        Ok(Answer::Found { body: body.to_bytes(), etag, fresh_for })
    }
}

fn is_of(kind: Kind, headers: &HeaderMap) -> bool {
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap_or("?"));
        if values.next().is_some() { Some("?") } else { value }
    };
    let media_type = one(CONTENT_TYPE).and_then(|it| it.split(';').next()).unwrap_or_default().trim();
    kind.media_types.iter().any(|it| media_type.eq_ignore_ascii_case(it))
        && one(CONTENT_ENCODING).is_none_or(|it| it.eq_ignore_ascii_case("identity"))
}

/// What is left of `max-age` (RFC 9111 sections 4.2.1 and 5.1); nothing for answers that say they must not be kept.
fn fresh_for(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut max_age = None;
    for directive in directives.flat_map(|value| value.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            max_age = value.trim_matches('"').parse().ok();
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()).unwrap_or(0);
    max_age.map(|seconds: u64| Duration::from_secs(seconds.saturating_sub(age)))
}

/// Errors of connections nest; the innermost says what happened.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        fresh_for(&headers.collect()).map(|duration| duration.as_secs())
    }

    #[test]
    fn freshness_is_what_is_left_of_max_age() {
        assert_eq!(seconds(&[]), None);
        assert_eq!(seconds(&[("cache-control", "public, max-age=300")]), Some(300));
        assert_eq!(seconds(&[("cache-control", "public"), ("cache-control", "MAX-AGE=\"60\"")]), Some(60));
        assert_eq!(seconds(&[("cache-control", "max-age=300"), ("age", "100")]), Some(200));
        assert_eq!(seconds(&[("cache-control", "max-age=300"), ("age", "301")]), Some(0));
        assert_eq!(seconds(&[("cache-control", "no-store")]), Some(0));
        assert_eq!(seconds(&[("cache-control", "max-age=300, no-cache")]), Some(0));
        assert_eq!(seconds(&[("cache-control", "max-age=-1")]), None);
        assert_eq!(seconds(&[("cache-control", "s-maxage=9")]), None);
    }

    #[test]
    fn a_document_is_of_its_kind_or_refused() {
        let kind = Kind { media_types: &["application/json"], accept: "application/json", max_bytes: 1 };
        let of = |headers: &[(&'static str, &'static str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            is_of(kind, &headers.collect())
        };
        assert!(of(&[("content-type", "application/json")]));
        assert!(of(&[("content-type", "Application/JSON; charset=utf-8"), ("content-encoding", "identity")]));
        assert!(!of(&[]));
        assert!(!of(&[("content-type", "text/html")]));
        assert!(!of(&[("content-type", "application/json"), ("content-encoding", "gzip")]));
    }
}
