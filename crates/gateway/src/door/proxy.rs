//! The built-in proxy: one more door, which also carries the request to the service behind. In: a client's request. Out: the
//! service's answer to that request with our identity headers in it and our secrets not; or a no, and then nothing is carried.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONNECTION, EXPECT, HOST, TRANSFER_ENCODING, VIA};
use http::request::Parts;
use http::response;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use vestibule_core::csrf::origin::Origin;
use vestibule_core::decide::Inquiry;
use vestibule_core::route::Route;
use vestibule_core::wire::CookieName;
use vestibule_core::{Fault, Reject};

use crate::answer::{NO_STORE, Refusal};
use crate::body::{Body, Progress};
use crate::client_body::ClientBody;
use crate::identity::CSRF;
use crate::scrub::Scrub;
use crate::swap::{Outcome, Pass, Swap};
use crate::tally::Tally;
use crate::upstream::{Failure, NoAnswer, Timeouts, Upstream};
use vestibule_core::wire::is_navigation;

mod form;
mod page;
mod shape;

use form::Unread;
use page::Reader;
pub use page::RefusalPages;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How much of a refused request's body is read, and for how long, so that the client gets to read the answer.
const DISCARDED: usize = 64 * 1024;
const TIME_TO_DISCARD: Duration = Duration::from_secs(1);

/// The service's answer began and broke off. The client sees the connection end early; there is no other way to report it.
const CUT_CODE: &str = "upstream-cut";

const NOT_SERVED: Refusal = Refusal {
    status: StatusCode::NOT_FOUND,
    code: "no-upstream",
    detail: "This route is served by the proxy in front, not here.",
};

/// Carries requests to the services behind. HTTP/1.1 both ways, no upgrades, no tunnels, no trailers.
pub struct ProxyDoor {
    swap: Arc<Swap>,
    scrub: Scrub,
    upstream: Upstream,
    scheme: HeaderValue,
    tally: Tally,
    pages: Option<Arc<dyn RefusalPages>>,
}

impl ProxyDoor {
    /// `cookies` are the names of ours, `public` is the origin that browsers see. The metrics recorder must be installed before.
    pub fn new(swap: Arc<Swap>, cookies: Vec<CookieName>, public: &Origin, timeouts: Timeouts) -> Self {
        Self {
            swap,
            scrub: Scrub::new(cookies),
            upstream: Upstream::new(timeouts),
            scheme: HeaderValue::from_static(if public.is_https() { "https" } else { "http" }),
            tally: Tally::new("proxy"),
            pages: None,
        }
    }

    /// The same, with pages in the program's theme for visitors who are refused.
    #[must_use]
    pub fn with_pages(self, pages: Arc<dyn RefusalPages>) -> Self {
        Self { pages: Some(pages), ..self }
    }

    /// Answers one request from `peer`; a refusal is a page where a browser was loading one, and a problem document otherwise.
    pub async fn answer(&self, request: Request<ClientBody>, peer: IpAddr) -> Response<Body> {
        if !is_navigation(request.method(), request.headers()) {
            return self.attend(request, peer).await;
        }
        let reader = Reader::new(self.pages.clone(), request.headers());
        reader.instead_of_problem(self.attend(request, peer).await)
    }

    async fn attend(&self, request: Request<ClientBody>, peer: IpAddr) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let host = match shape::host(&parts) {
            Ok(host) => host,
            Err(what) => return closing(self.swap.answers.not_taken(self.tally.door, what)),
        };
        if !form::is_asked(&self.swap.decider, &parts, host) {
            return match self.ask(&parts, host, None).await {
                Ok(pass) => {
                    let progress = Arc::new(Progress::default());
                    let body = Body::watched(body, Arc::clone(&progress), self.upstream.pace());
                    self.carry(pass, parts, body, peer, progress).await
                }
                Err(answer) => refused(answer, &parts, body).await,
            };
        }
        let form = match form::read(&parts, body).await {
            Ok(form) => form,
            Err(unread) => return closing(self.swap.answers.not_taken(self.tally.door, unread.refusal())),
        };
        match self.ask(&parts, host, form.csrf_token.as_deref()).await {
            Ok(pass) => {
                let body = Body::from(Full::new(form.bytes));
                self.carry(pass, parts, body, peer, Arc::new(Progress::done())).await
            }
            Err(answer) => answer.map(Body::from),
        }
    }

    /// A pass, or the answer of who gets none.
    async fn ask(
        &self,
        parts: &Parts,
        host: &str,
        csrf_field: Option<&str>,
    ) -> Result<Pass, Response<Full<Bytes>>> {
        let (answers, door) = (&self.swap.answers, self.tally.door);
        let inquiry = Inquiry {
            method: &parts.method,
            host,
            path: parts.uri.path(),
            headers: &parts.headers,
            csrf_field,
        };
        match self.swap.ask(&inquiry, &self.tally).await {
            Ok(Outcome::Pass(pass)) => Ok(pass),
            Ok(Outcome::Challenge(reject)) => {
                let path_and_query = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
                let login = answers.login_page.url(&parts.method, host, path_and_query, &parts.headers);
                Err(if is_navigation(&parts.method, &parts.headers) {
                    answers.to_login(door, reject, login)
                } else {
                    answers.challenge(door, reject, &parts.headers, login)
                })
            }
            Ok(Outcome::Deny(Reject::AmbiguousPath)) => {
                Err(answers.refuse(door, Reject::AmbiguousPath, StatusCode::BAD_REQUEST))
            }
            Ok(Outcome::Deny(reject)) => Err(answers.deny(door, reject)),
            Err(fault) => Err(answers.fault(door, &fault)),
        }
    }

    /// Carries a permitted request on, and its answer back. Consumes the permit: one yes, one request.
    async fn carry(
        &self,
        pass: Pass,
        parts: Parts,
        body: Body,
        peer: IpAddr,
        progress: Arc<Progress>,
    ) -> Response<Body> {
        let (answers, door) = (&self.swap.answers, self.tally.door);
        let route = pass.permit.route();
        let Some(upstream) = &route.upstream else {
            return closing(answers.not_taken(door, NOT_SERVED));
        };
        let target = match target(upstream, &parts.uri) {
            Ok(target) => target,
            Err(fault) => return closing(answers.fault(door, &fault)),
        };
        let Ok(mut headers) = self.scrub.request(&parts.headers, route) else {
            let what = shape::malformed("The Connection header names a header that is not to be removed.");
            return closing(answers.not_taken(door, what));
        };
        self.rebuild(&mut headers, &parts, peer);
        pass.write(&mut headers);
        // An empty credential is no credential but a malformed one (RFC 9110 section 11.4). The client's own is gone already. A service
        // that looks for a token of its own takes an empty header for a wrong one, and does not look into the form.
        let csrf = CSRF;
        let own_csrf = route.passes_csrf_token().then_some(&csrf);
        let assertions =
            [&AUTHORIZATION, &route.assertion_header].into_iter().chain(&route.elsewhere.assertions);
        for name in assertions.chain(own_csrf) {
            if headers.get(name).is_some_and(HeaderValue::is_empty) {
                headers.remove(name);
            }
        }
        if parts.headers.contains_key(TRANSFER_ENCODING) && body.size_hint().exact().is_none() {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.uri_mut() = target;
        *request.headers_mut() = headers;
        match self.upstream.send(request, Arc::clone(&progress)).await {
            Ok(response) => self.bring_back(&pass, response, progress),
            Err(no_answer) => self.failed(&no_answer, route),
        }
    }

    /// What the service behind learns of the way here, from us alone.
    fn rebuild(&self, headers: &mut HeaderMap, parts: &Parts, peer: IpAddr) {
        let client = HeaderValue::try_from(peer.to_canonical().to_string());
        headers.insert(FORWARDED_FOR, client.unwrap_or(HeaderValue::from_static("unknown")));
        headers.insert(FORWARDED_PROTO, self.scheme.clone());
        if let Some(host) = parts.headers.get(HOST) {
            headers.insert(FORWARDED_HOST, host.clone());
        }
        headers.append(VIA, HeaderValue::from_static("1.1 vestibule"));
    }

    fn bring_back(
        &self,
        pass: &Pass,
        response: Response<Incoming>,
        progress: Arc<Progress>,
    ) -> Response<Body> {
        let (response::Parts { status, headers, .. }, body) = response.into_parts();
        let jwt = pass.token.as_deref().map(|token| token.jwt());
        let mut headers = self.scrub.response(&headers, pass.permit.route(), jwt);
        // What one visitor was shown must not be kept for the next, unless the service knows better and says so.
        if pass.permit.principal().is_some() && !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, NO_STORE);
        }
        // Kept until the body has ended, which can take hours: the route alone, and not the credentials of the pass.
        let route = Arc::clone(pass.permit.route());
        let mut response = Response::new(Body::reported(body, move |cause| {
            // hyper gives up the answer when the request's body breaks off: that is no failure of the service.
            if let Some(failure) = progress.cut() {
                Tally::client_failed(failure.refusal().code);
                return;
            }
            Tally::upstream_failed(CUT_CODE);
            tracing::warn!(
                route = route.path.as_str(),
                upstream = route.upstream.as_ref().map(tracing::field::display),
                upstream.failure = CUT_CODE,
                cause = %cause,
                "an answer of the upstream broke off"
            );
        }));
        *response.status_mut() = status;
        *response.version_mut() = Version::HTTP_11;
        *response.headers_mut() = headers;
        response
    }

    fn failed(&self, no_answer: &NoAnswer, route: &Route) -> Response<Body> {
        let what = no_answer.failure.refusal();
        if no_answer.failure.is_the_clients() {
            Tally::client_failed(what.code);
            return closing(self.swap.answers.not_taken(self.tally.door, what));
        }
        Tally::upstream_failed(what.code);
        let incident = self.swap.answers.incident();
        let upstream = route.upstream.as_ref().map(tracing::field::display);
        tracing::warn!(
            route = route.path.as_str(),
            upstream,
            upstream.failure = what.code,
            cause = no_answer.cause,
            %incident,
            "no answer from behind"
        );
        closing(self.swap.answers.tell(what, Some(incident)))
    }
}

impl Unread {
    const fn refusal(&self) -> Refusal {
        match self {
            Self::Broken => shape::malformed("The form ended before its end."),
            Self::Slow => Failure::ClientStuck.refusal(),
            Self::TooLong => Refusal {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                code: "form-too-long",
                detail: "A form of more than 64 KiB must carry its CSRF token in the X-CSRF-Token header.",
            },
        }
    }
}

/// A service, asked for exactly the path and query that were decided about.
fn target(upstream: &Uri, asked: &Uri) -> Result<Uri, Fault> {
    if upstream.path() != "/" || upstream.query().is_some() {
        return Err(Fault::Bug(
            "an upstream is an origin: what would its path add to the one decided about?",
        ));
    }
    let mut parts = upstream.clone().into_parts();
    parts.path_and_query = Some(asked.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
    Uri::from_parts(parts).map_err(|_| Fault::Bug("an upstream has no scheme or no host"))
}

/// Answers a request whose body nobody wanted: a little of it is read and thrown away, else the connection ends, so that its
/// bytes can never be taken for the next request.
async fn refused(answer: Response<Full<Bytes>>, parts: &Parts, mut body: ClientBody) -> Response<Body> {
    // Who sends what can be read in two ways is not read any further (RFC 9112 section 11.2); and a client that waits for our
    // word before it sends its body is not asked to send it in vain.
    if answer.status() == StatusCode::BAD_REQUEST || parts.headers.contains_key(EXPECT) {
        return closing(answer);
    }
    if body.is_end_stream() {
        return answer.map(Body::from);
    }
    let is_over = async {
        let mut left = DISCARDED;
        loop {
            let Some(frame) = body.frame().await else { return true };
            let length = frame.ok().and_then(|frame| frame.into_data().ok()).map(|data| data.len());
            match length.and_then(|length| left.checked_sub(length)) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
    };
    match tokio::time::timeout(TIME_TO_DISCARD, is_over).await {
        Ok(true) => answer.map(Body::from),
        Ok(false) | Err(_) => closing(answer),
    }
}

fn closing(answer: Response<Full<Bytes>>) -> Response<Body> {
    let mut answer = answer.map(Body::from);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
