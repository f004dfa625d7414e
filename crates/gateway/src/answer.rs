//! How a no is told, and how it is told that we could not tell. In: a reject or fault, and the request. Out: a finished response
//! with a stable code in it (RFC 9457) that says no more than the asker may know.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use vestibule_core::csrf::origin::Origin;
use vestibule_core::{Fault, Reject};

use crate::login_page::LoginPage;

/// Where to sign in; for proxies that make the redirect themselves.
pub(crate) const LOGIN: HeaderName = HeaderName::from_static("x-auth-login");
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// When to ask again after a fault that does not say so itself.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// The answers of one installation.
pub(crate) struct Answers {
    pub(crate) login_page: LoginPage,
    sign_in: HeaderValue,
    bearer_refused: HeaderValue,
}

/// A refusal as the outside sees it.
#[derive(Clone, Copy)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// One sentence that helps who may pass and tells nothing to who may not. No quotes or backslashes.
    pub(crate) detail: &'static str,
}

impl Answers {
    pub(crate) fn new(public: &Origin) -> Self {
        let realm = public.as_str();
        let value = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"));
        Self {
            login_page: LoginPage::new(public),
            sign_in: value(format!("Bearer realm=\"{realm}\"")),
            // RFC 6750 section 3.1. One text for every cause: what exactly was wrong with a forged JWT helps only its maker.
            bearer_refused: value(format!(
                "Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"the credential is not valid here\""
            )),
        }
    }

    /// 401: signing in could help.
    pub(crate) fn challenge(
        &self,
        reject: Reject,
        request: &HeaderMap,
        login: HeaderValue,
    ) -> Response<Full<Bytes>> {
        let mut response = problem(&Problem {
            status: StatusCode::UNAUTHORIZED,
            code: reject.code(),
            detail: "Sign in, or present a credential that this route takes.",
        });
        // Without a bearer credential there is nothing to report an error about (RFC 6750 section 3).
        let presented = request.contains_key(AUTHORIZATION) && reject != Reject::UnknownScheme;
        let challenge = if presented { &self.bearer_refused } else { &self.sign_in };
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
        response.headers_mut().insert(LOGIN, login);
        response
    }

    /// 302: a browser is loading a page, and the login page comes first.
    pub(crate) fn to_login(&self, login: HeaderValue) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, login);
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
        response
    }

    /// 403: signing in would not help.
    pub(crate) fn deny(&self, reject: Reject) -> Response<Full<Bytes>> {
        problem(&Problem { status: StatusCode::FORBIDDEN, code: reject.code(), detail: detail(reject) })
    }

    /// 503: we could not tell. Logged here, once.
    pub(crate) fn fault(&self, fault: &Fault, door: &'static str) -> Response<Full<Bytes>> {
        tracing::error!(door, fault.code = fault.code(), fault = fault.report(), "could not decide");
        let again = match fault {
            Fault::Overloaded { retry_after, .. } => *retry_after,
            _ => ASK_AGAIN,
        };
        let mut response = problem(&Problem {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "unavailable",
            detail: "It could not be told who is asking. Nothing was changed; try again.",
        });
        let seconds = again.as_secs() + u64::from(again.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

/// A problem document (RFC 9457); the problem goes along as an extension, for a door that would rather show a page.
pub(crate) fn problem(problem: &Problem) -> Response<Full<Bytes>> {
    let Problem { status, code, detail } = problem;
    let title = status.canonical_reason().unwrap_or_default();
    let body = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{},"code":"{code}","detail":"{detail}"}}"#,
        status.as_u16()
    );
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = *status;
    response.extensions_mut().insert(*problem);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}

pub(crate) fn detail(reject: Reject) -> &'static str {
    match reject {
        Reject::AmbiguousPath => "The path can be read in more than one way.",
        Reject::AmbiguousTarget => "The proxy describes no request, or two different ones.",
        Reject::CsrfOrigin | Reject::CsrfToken => {
            "An unsafe request must come from a page of this site and carry its CSRF token, \
             in the X-CSRF-Token header or the form field csrf_token."
        }
        Reject::NoRoute => "No route covers this host, path and method.",
        Reject::TwoCredentials => "The request carries two credentials; send one.",
        Reject::UntrustedPeer => "This address is not among the trusted proxies.",
        _ => "The request is refused.",
    }
}
