//! The page for what a visitor cannot get: for the gateway, and at `/error/{status}` for proxies (nginx `error_page`, Caddy
//! `handle_errors`, HAProxy). In: a status and the reader's language. Out: a page with human words, "Reload" and "Back", or a problem
//! document for programs. Nothing of the request is shown, and nobody's session is looked at.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Frame;
use crate::Portal;
use crate::answer::PAGE;
use crate::problem::Problem;
use crate::texts::{Language, Say};

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    frame: Frame<'a>,
    title: String,
    text: String,
    incident: Option<&'a str>,
    may_help_to_reload: bool,
}

/// `GET /error/{status}`, answered with that status.
pub(crate) async fn show(
    State(portal): State<Arc<Portal>>,
    status: Result<Path<u16>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(status) = status.map_err(|_| Problem::NotFound)?;
    let status = StatusCode::from_u16(status).ok().filter(|status| STATUSES.contains(&status.as_u16()));
    let status = status.ok_or(Problem::NotFound)?;
    if !crate::answer::accepts_html(&headers) {
        return Err(Problem::Passed(status));
    }
    let language = portal.language(&headers);
    let html = portal.refusal_html(Arc::clone(&language), status, None).ok_or(Problem::NotFound)?;
    Ok((status, [(CONTENT_TYPE, HTML), (VARY, HeaderValue::from_static("Accept"))], html).into_response())
}

/// What `/error/{status}` answers: refusals and failures that proxies and gateways have.
const STATUSES: [u16; 14] = [400, 403, 404, 405, 408, 413, 414, 421, 429, 431, 500, 502, 503, 504];

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Title and text. What has no words of its own is called by what kind it is.
pub(crate) fn words(status: StatusCode) -> [Say; 2] {
    let (title, text) = match status.as_u16() {
        400 => ("error-bad-request-title", "error-bad-request-text"),
        401 => ("problem-not-signed-in-title", "problem-not-signed-in-text"),
        403 => ("error-forbidden-title", "error-forbidden-text"),
        404 => ("problem-not-found-title", "problem-not-found-text"),
        408 => ("problem-body-too-slow-title", "problem-body-too-slow-text"),
        413 => ("error-too-large-title", "error-too-large-text"),
        414 => ("error-long-address-title", "error-long-address-text"),
        421 => ("error-misdirected-title", "error-misdirected-text"),
        429 => ("error-too-many-title", "error-too-many-text"),
        431 => ("error-cookies-title", "error-cookies-text"),
        502 => ("error-bad-gateway-title", "error-bad-gateway-text"),
        503 => ("error-unavailable-title", "error-unavailable-text"),
        504 => ("error-timeout-title", "error-timeout-text"),
        500..=599 => ("error-failed-title", "error-failed-text"),
        _ => ("problem-refused-title", "problem-refused-text"),
    };
    [Say::plain(title), Say::plain(text)]
}

impl Portal {
    /// The page for a visitor whom a gateway refuses, with the headers that it needs; `asked` are the headers of the
    /// request, which tell the language.
    pub fn refusal_page(
        &self,
        asked: &HeaderMap,
        status: StatusCode,
        incident: Option<&str>,
    ) -> http::Response<Bytes> {
        let language = self.language(asked);
        let name = HeaderValue::from_str(language.name());
        let html = self.refusal_html(language, status, incident).unwrap_or_default();
        let mut response = http::Response::new(Bytes::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HTML);
        headers.insert(CONTENT_SECURITY_POLICY, PAGE);
        headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
        if let Ok(name) = name {
            headers.insert(CONTENT_LANGUAGE, name);
        }
        response
    }

    fn refusal_html(
        &self,
        language: Arc<Language>,
        status: StatusCode,
        incident: Option<&str>,
    ) -> Option<String> {
        let [title, text] = words(status).map(|say| language.tell(&say));
        // Not there, not by this method, too large or too long: the answer would be the same.
        let may_help_to_reload = !matches!(status.as_u16(), 404 | 405 | 413 | 414);
        let frame = self.frame_in(language);
        RefusalPage { frame, title, text, incident, may_help_to_reload }.render().ok()
    }
}
