//! How a no is told, and how it is told that we could not tell. In: a reject or fault, and the request. Out: a finished response
//! with a stable code in it (RFC 9457) that says no more than the asker may know, and the log line that says the rest. Whatever is
//! refused for another reason than a missing sign-in has an incident, in both.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use vestibule_core::csrf::origin::Origin;
use vestibule_core::port::Entropy;
use vestibule_core::problem::{Incident, MEDIA_TYPE, Problem};
use vestibule_core::wire::Paths;
use vestibule_core::wire::guard::{self, Hsts};
use vestibule_core::{Fault, Reject};

use crate::login_page::LoginPage;

/// Where to sign in; for proxies that make the redirect themselves.
pub(crate) const LOGIN: HeaderName = HeaderName::from_static("x-auth-login");
/// The log target of what somebody tried; the program's log takes so many of them in a second, for anybody can cause them.
const REFUSAL: &str = "vestibule::refusal";
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The answers of one installation.
pub(crate) struct Answers {
    pub(crate) login_page: LoginPage,
    sign_in: HeaderValue,
    bearer_refused: HeaderValue,
    hsts: Hsts,
    entropy: Arc<dyn Entropy>,
}

/// A refusal as the outside sees it.
#[derive(Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// One sentence that helps who may pass and tells nothing to who may not.
    pub(crate) detail: &'static str,
}

/// What a response of ours tells; goes along as an extension, for a door that would rather show a page.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) refusal: Refusal,
    pub(crate) incident: Option<Incident>,
}

impl Answers {
    pub(crate) fn new(public: &Origin, paths: &Paths, hsts: Hsts, entropy: Arc<dyn Entropy>) -> Self {
        let realm = public.as_str();
        let value = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"));
        Self {
            login_page: LoginPage::new(public, paths),
            sign_in: value(format!("Bearer realm=\"{realm}\"")),
            // RFC 6750 section 3.1. One text for every cause: what exactly was wrong with a forged JWT helps only its maker.
            bearer_refused: value(format!(
                "Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"the credential is not valid here\""
            )),
            hsts,
            entropy,
        }
    }

    /// 401: signing in could help.
    pub(crate) fn challenge(
        &self,
        door: &'static str,
        reject: Reject,
        request: &HeaderMap,
        login: HeaderValue,
    ) -> Response<Full<Bytes>> {
        let refusal = Refusal {
            status: StatusCode::UNAUTHORIZED,
            code: reject.code(),
            detail: "Sign in, or present a credential that this route takes.",
        };
        let mut response = self.tell(refusal, self.log_challenge(door, reject));
        // Without a bearer credential there is nothing to report an error about (RFC 6750 section 3).
        let presented = request.contains_key(AUTHORIZATION) && reject != Reject::UnknownScheme;
        let challenge = if presented { &self.bearer_refused } else { &self.sign_in };
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
        response.headers_mut().insert(LOGIN, login);
        response
    }

    /// 302: a browser is loading a page, and the login page comes first.
    pub(crate) fn to_login(
        &self,
        door: &'static str,
        reject: Reject,
        login: HeaderValue,
    ) -> Response<Full<Bytes>> {
        self.log_challenge(door, reject);
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, login);
        guard::set(response.headers_mut(), &self.hsts);
        response
    }

    /// 403: signing in would not help.
    pub(crate) fn deny(&self, door: &'static str, reject: Reject) -> Response<Full<Bytes>> {
        self.refuse(door, reject, StatusCode::FORBIDDEN)
    }

    /// 403 for a question that was not one: by whom it was put is what an operator needs to set it right.
    pub(crate) fn not_asked(
        &self,
        door: &'static str,
        reject: Reject,
        peer: IpAddr,
    ) -> Response<Full<Bytes>> {
        let why = match reject {
            Reject::UntrustedPeer => "this peer is not in trusted_proxies.forward_auth",
            _ => "this peer describes no request, or two different ones",
        };
        let (code, incident) = (reject.detail(), self.incident());
        tracing::warn!(target: REFUSAL, door, outcome = "deny", reject.code = code, peer.address = %peer, %incident, "refused: {why}");
        let refusal = Refusal { status: StatusCode::FORBIDDEN, code: reject.code(), detail: detail(reject) };
        self.tell(refusal, Some(incident))
    }

    /// The same as [`Self::deny`] under a status that fits better.
    pub(crate) fn refuse(
        &self,
        door: &'static str,
        reject: Reject,
        status: StatusCode,
    ) -> Response<Full<Bytes>> {
        let incident = self.incident();
        log_refusal(door, "deny", reject, Some(&incident));
        self.tell(Refusal { status, code: reject.code(), detail: detail(reject) }, Some(incident))
    }

    /// What is no question at all: nothing was decided about it.
    pub(crate) fn not_taken(&self, door: &'static str, refusal: Refusal) -> Response<Full<Bytes>> {
        let incident = self.incident();
        tracing::debug!(door, refusal.code = refusal.code, %incident, "not taken");
        self.tell(refusal, Some(incident))
    }

    /// 503: we could not tell. Logged here, once.
    pub(crate) fn fault(&self, door: &'static str, fault: &Fault) -> Response<Full<Bytes>> {
        let incident = self.incident();
        tracing::error!(
            target: "vestibule::fault",
            door,
            %incident,
            fault.code = fault.code(),
            fault.report = fault.report(),
            "could not decide"
        );
        let refusal = Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: fault.problem_code(),
            detail: "It could not be told who is asking. Nothing was changed; try again.",
        };
        let mut response = self.tell(refusal, Some(incident));
        response.headers_mut().insert(RETRY_AFTER, fault.retry_after());
        response
    }

    /// A name for what is about to be logged and told.
    pub(crate) fn incident(&self) -> Incident {
        Incident::draw(self.entropy.as_ref())
    }

    /// A problem document with all that an answer of ours to a browser carries.
    pub(crate) fn tell(&self, refusal: Refusal, incident: Option<Incident>) -> Response<Full<Bytes>> {
        let Refusal { status, code, detail } = refusal;
        let title = status.canonical_reason().unwrap_or_default();
        let incident_name = incident.as_ref().map(Incident::as_str);
        let problem = Problem { status, code, title, detail, incident: incident_name };
        let mut response = Response::new(Full::from(problem.json()));
        *response.status_mut() = status;
        response.extensions_mut().insert(Told { refusal, incident });
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, MEDIA_TYPE);
        guard::set(headers, &self.hsts);
        headers.insert(CACHE_CONTROL, NO_STORE);
        response
    }

    /// Not having signed in is no incident; presenting what no browser of ours holds is one.
    fn log_challenge(&self, door: &'static str, reject: Reject) -> Option<Incident> {
        let incident = is_suspicious(reject).then(|| self.incident());
        log_refusal(door, "challenge", reject, incident.as_ref());
        incident
    }
}

/// Whether it means that someone tries something.
const fn is_suspicious(reject: Reject) -> bool {
    matches!(reject, Reject::AmbiguousCookie | Reject::TwoCredentials)
}

fn log_refusal(door: &'static str, outcome: &'static str, reject: Reject, incident: Option<&Incident>) {
    let (code, incident) = (reject.detail(), incident.map(tracing::field::display));
    if is_suspicious(reject) {
        tracing::warn!(target: REFUSAL, door, outcome, reject.code = code, incident, "refused");
    } else {
        tracing::debug!(door, outcome, reject.code = code, incident, "refused");
    }
}

fn detail(reject: Reject) -> &'static str {
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
        Reject::Upgrade => "No connection is turned into anything but a WebSocket.",
        _ => "The request is refused.",
    }
}
