//! The last thing that happens to every answer: a problem gets its words, in HTML or JSON by what was asked, and the security
//! headers are set. In: the request and what a handler answered. Out: what leaves.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use vestibule_core::problem::{MEDIA_TYPE, Problem as Document};
use vestibule_core::wire::{Paths, guard};
use vestibule_core::{Fault, Reject};

use crate::problem::Problem;
use crate::texts::Language;
use crate::{Portal, event, pages};

/// Puts a problem into words and sets the security headers.
pub(crate) async fn finish(State(portal): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let asked = Asked::by(&request, &portal.paths);
    let language = portal.language(request.headers());
    let mut response = carried_through(request, next).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = worded(&portal, &problem, asked, Arc::clone(&language), response);
    }
    if response.headers().get(header::CONTENT_TYPE).is_some_and(is_html)
        && let Ok(name) = HeaderValue::from_str(language.name())
    {
        response.headers_mut().insert(header::CONTENT_LANGUAGE, name);
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Language"));
    }
    // A logo, which may style itself, and a page with our script say their own.
    response.headers_mut().entry(header::CONTENT_SECURITY_POLICY).or_insert(PAGE);
    guard::set(response.headers_mut(), &portal.hsts);
    response
}

/// Only pages are in a language.
fn is_html(media_type: &HeaderValue) -> bool {
    media_type.as_bytes().starts_with(b"text/html")
}

/// What an unsafe request begins is carried through, whether or not anybody waits for the answer: dropped halfway, an attempt would
/// be counted and not logged, or a session ended and its JWTs not revoked.
async fn carried_through(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        // The panic has its own line in the log.
        Err(_) => Problem::from(Fault::Bug("a request was not carried through")).into_response(),
    }
}

/// In which form a problem is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Html,
    Json,
}

impl Asked {
    /// Programs get JSON: whoever calls the API, and whoever does not ask for HTML by name.
    fn by(request: &Request, paths: &Paths) -> Self {
        let path = request.uri().path();
        if accepts_html(request.headers())
            && !paths.inner(path).is_some_and(|inner| inner.starts_with("/api/"))
            && !path.starts_with("/.well-known/")
        {
            Self::Html
        } else {
            Self::Json
        }
    }
}

/// Whether HTML is asked for by name.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| matches!(range.trim(), "text/html" | "application/xhtml+xml"))
}

/// Keeps the head of the bare response (Allow, Retry-After, cookies) and gives it a body.
fn worded(
    portal: &Portal,
    problem: &Problem,
    asked: Asked,
    language: Arc<Language>,
    bare: Response,
) -> Response {
    let incident = match problem {
        Problem::Fault(fault) => Some(event::fault(portal, fault)),
        _ => None,
    };
    let wording = problem.wording();
    let mut response = match asked {
        Asked::Html if matches!(problem, Problem::Rejected(Reject::AmbiguousCookie)) => {
            let page = portal.conflict_page(language, None);
            page.unwrap_or_else(|_| wording.status.into_response())
        }
        Asked::Html => pages::problem(portal, language, problem, incident.as_deref()),
        Asked::Json => {
            let document = Document {
                status: wording.status,
                code: wording.code,
                title: wording.title,
                detail: &wording.detail,
                incident: incident.as_deref(),
            };
            (wording.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], document.json()).into_response()
        }
    };
    for (name, value) in bare.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// For a page without a script: none runs, and nothing comes from elsewhere.
pub(crate) const PAGE: HeaderValue = HeaderValue::from_static(WITHOUT_SCRIPT);

const WITHOUT_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// The same for a page with our script: the file at this URL runs, and no other file of this origin.
pub(crate) fn page_with_script(url: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::try_from(format!("{WITHOUT_SCRIPT}; script-src {url}"))
        .map_err(|_| Fault::Bug("the URL of the script is no header value"))
}
