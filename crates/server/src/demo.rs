//! The small service behind `vestibule dev`: it knows nobody's session and trusts nothing but the JWT that comes with a
//! request. In: requests from the gateway. Out: a page that shows what the browser holds and what the service received.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use vestibule_core::port::Clock;
use vestibule_core::wire::form;
use vestibule_verify::{Claims, KeySet, Reject, Verified, Verifier};

mod page;

/// The audience that the demo's JWTs are minted for.
pub(crate) const AUDIENCE: &str = "demo";

/// The most lines kept of what one subject wrote.
const LINES_KEPT: usize = 20;

/// The service.
pub(crate) struct Demo {
    /// What it trusts: the issuer, its own audience, public keys.
    pub(crate) verifier: Verifier,
    /// Where the published keys are, asked again when a JWT names one that is not known yet.
    pub(crate) published: Box<dyn Fn() -> KeySet + Send + Sync>,
    /// The time, for the remaining life of a JWT.
    pub(crate) clock: Arc<dyn Clock>,
    /// The name of the cookie that the browser holds, to show it; the service never receives it.
    pub(crate) cookie: String,
    /// The prefix of Vestibule's own pages.
    pub(crate) portal: String,
    /// What signed-in people wrote, by subject.
    pub(crate) lines: Mutex<HashMap<String, Vec<String>>>,
}

/// Serves until the listener's task is dropped.
pub(crate) async fn serve(demo: Arc<Demo>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: accepting again at once would spin.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let demo = Arc::clone(&demo);
        let service = hyper::service::service_fn(move |request| {
            let demo = Arc::clone(&demo);
            async move { Ok::<_, Infallible>(demo.answer(request).await) }
        });
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the demo service ended early");
            }
        });
    }
}

impl Demo {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        // The decision is made on the JWT alone: no session, no store, no question back to the gateway.
        let claims = match self.verified(request.headers()) {
            Ok(claims) => claims,
            Err(why) => return refused(why),
        };
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/") => self.page(&claims, request.headers()),
            (&Method::GET | &Method::HEAD, "/demo/received") => self.received(&claims, request.headers()),
            (&Method::GET | &Method::HEAD, "/demo/style.css") => {
                asset("text/css; charset=utf-8", page::STYLE)
            }
            (&Method::GET | &Method::HEAD, "/demo/live.js") => {
                asset("text/javascript; charset=utf-8", page::SCRIPT)
            }
            (&Method::POST, "/demo/lines") => self.write(&claims, request).await,
            (_, "/" | "/demo/received" | "/demo/style.css" | "/demo/live.js") => not_allowed("GET, HEAD"),
            (_, "/demo/lines") => not_allowed("POST"),
            _ => text(StatusCode::NOT_FOUND, "The demo service has no such page."),
        }
    }

    fn verified(&self, headers: &HeaderMap) -> Result<Verified<Claims>, &'static str> {
        let jwt = bearer(headers).ok_or("no JWT came with the request")?;
        let verify = || self.verifier.verify_at(jwt, self.clock.now().unix_seconds());
        let verified = match verify() {
            Err(Reject::KeyUnknown) => {
                self.verifier.replace_keys((self.published)());
                verify()
            }
            verified => verified,
        };
        verified.map_err(|reject| reject.code())
    }

    fn page(&self, claims: &Claims, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let lines = self.lines.lock().get(claims.sub()).cloned().unwrap_or_default();
        let now = self.clock.now().unix_seconds();
        let html = page::render(&page::Shown {
            claims,
            headers,
            cookie: &self.cookie,
            portal: &self.portal,
            lines: &lines,
            now,
        });
        respond(StatusCode::OK, "text/html; charset=utf-8", html)
    }

    fn received(&self, claims: &Claims, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let now = self.clock.now().unix_seconds();
        let headers: Vec<Value> =
            page::headers_shown(headers).into_iter().map(|(name, value)| json!([name, value])).collect();
        let body = json!({
            "jti": claims.jti(),
            "expires_in": claims.exp().saturating_sub(now),
            "headers": headers,
        });
        respond(StatusCode::OK, "application/json", body.to_string())
    }

    async fn write(&self, claims: &Claims, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Ok(body) = Limited::new(request.into_body(), 16 * 1024).collect().await else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "A line may have 200 characters.");
        };
        let line = form_field(&body.to_bytes(), "line").unwrap_or_default();
        let line: String = line.trim().chars().filter(|c| !c.is_control()).take(200).collect();
        if !line.is_empty() {
            let mut all = self.lines.lock();
            let lines = all.entry(claims.sub().to_owned()).or_default();
            lines.push(line);
            let surplus = lines.len().saturating_sub(LINES_KEPT);
            lines.drain(..surplus);
        }
        let mut response = text(StatusCode::SEE_OTHER, "Written.");
        response.headers_mut().insert(LOCATION, HeaderValue::from_static("/#lines"));
        response
    }
}

/// The JWT in the one Authorization header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok()?.strip_prefix("Bearer "),
        _ => None,
    }
}

/// The value of a field in an urlencoded form.
fn form_field(body: &[u8], name: &str) -> Option<String> {
    let mut pairs = body.split(|byte| *byte == b'&');
    let value = pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(form::decode(value)?).ok()
}

fn refused(why: &str) -> Response<Full<Bytes>> {
    text(
        StatusCode::UNAUTHORIZED,
        &format!(
            "This service trusts nothing but a JWT minted for it ({why}).\nReach it through the gateway."
        ),
    )
}

fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Not with this method.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn asset(kind: &'static str, body: &'static str) -> Response<Full<Bytes>> {
    respond(StatusCode::OK, kind, body)
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", format!("{body}\n"))
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::POLICY));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_decoded_once_and_never_guessed() {
        assert_eq!(form_field(b"a=1&line=x+y%21%3C&b=2", "line").as_deref(), Some("x y!<"));
        assert_eq!(form_field(b"line=%2541", "line").as_deref(), Some("%41"));
        assert_eq!(form_field(b"lines=x", "line"), None);
        for bad in [&b"line=%4"[..], b"line=%zz", b"line=%ff", b"\xff"] {
            assert_eq!(form_field(bad, "line"), None);
        }
    }

    #[test]
    fn only_one_bearer_header_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
        assert_eq!(bearer(&headers), Some("a.b.c"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer d.e.f"));
        assert_eq!(bearer(&headers), None);
    }
}
