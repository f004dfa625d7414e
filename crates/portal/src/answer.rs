//! The last thing that happens to every answer: a problem gets its words, in HTML or JSON by what was asked, and the security
//! headers are set. In: the request and what a handler answered. Out: what leaves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;

use crate::problem::Problem;
use crate::{Portal, event, pages};

/// Puts a problem into words and sets the security headers.
pub(crate) async fn finish(State(portal): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let asked = Asked::by(&request);
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = worded(&portal, &problem, asked, response);
    }
    guard(response.headers_mut(), portal.is_https());
    response
}

/// In which form a problem is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Html,
    Json,
}

impl Asked {
    /// Programs get JSON: whoever calls the API, and whoever does not ask for HTML by name.
    fn by(request: &Request) -> Self {
        let path = request.uri().path();
        let accepts_html = request
            .headers()
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| range.split(';').next())
            .any(|range| matches!(range.trim(), "text/html" | "application/xhtml+xml"));
        if accepts_html && !path.starts_with("/auth/api/") && !path.starts_with("/.well-known/") {
            Self::Html
        } else {
            Self::Json
        }
    }
}

/// RFC 9457 section 3, with the stable code and, for faults, the incident that the log also names.
#[derive(Serialize)]
struct ProblemJson<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<&'a str>,
}

/// Keeps the head of the bare response (Allow, Retry-After, cookies) and gives it a body.
fn worded(portal: &Portal, problem: &Problem, asked: Asked, bare: Response) -> Response {
    let incident = match problem {
        Problem::Fault(fault) => Some(event::fault(portal, fault)),
        _ => None,
    };
    let wording = problem.wording();
    let mut response = match asked {
        Asked::Html => pages::problem(portal, &wording, incident.as_deref()),
        Asked::Json => {
            let json = ProblemJson {
                r#type: format!("urn:vestibule:problem:{}", wording.code),
                title: wording.title,
                status: wording.status.as_u16(),
                code: wording.code,
                detail: &wording.detail,
                incident: incident.as_deref(),
            };
            let mut response = (wording.status, Json(json)).into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
            response
        }
    };
    for (name, value) in bare.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// No script runs on our pages, nothing comes from elsewhere, nobody frames them, and nothing of them is kept.
const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'",
);

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Not `no-referrer`: with it browsers send `Origin: null` from our own forms (Fetch Standard, "append a request Origin header").
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), \
             microphone=(), midi=(), payment=(), usb=()",
        ),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Two years (ASVS 3.4.1 asks for one).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

fn guard(headers: &mut HeaderMap, is_https: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    // A logo, which may style itself, says its own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(PAGE);
    // What may be kept (the stylesheet, the published keys) says so itself.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

impl Portal {
    /// Whether browsers see us over https, which configuration demands anywhere but on loopback.
    pub(crate) fn is_https(&self) -> bool {
        self.decider.cookie.is_secure()
    }
}
