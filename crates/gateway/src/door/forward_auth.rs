//! The forward-auth door, `ANY /check`: a proxy that holds a request asks whether it may go on, and takes the identity headers
//! of the answer along. In: the proxy's sub-request and its address. Out: 200 with every identity header, or a no.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method, Response};
use http_body_util::Full;
use vestibule_core::Reject;
use vestibule_core::decide::Inquiry;
use vestibule_core::wire::forwarded::{self, Target, TrustedProxies};

use crate::answer::NO_STORE;
use crate::swap::{Outcome, Pass, Swap};
use crate::tally::Tally;
use vestibule_core::wire::is_navigation;

/// Room for the identity headers, a few plain copies and what hyper adds, without growing.
const ROOM: usize = 12;

/// Answers sub-requests of nginx (`auth_request`), Caddy (`forward_auth`), Traefik (`forwardAuth`) and HAProxy.
pub struct ForwardAuth {
    swap: Arc<Swap>,
    proxies: ArcSwap<TrustedProxies>,
    tally: Tally,
}

impl ForwardAuth {
    /// `proxies` are the peers that may ask. The metrics recorder must be installed before.
    pub fn new(swap: Arc<Swap>, proxies: TrustedProxies) -> Self {
        Self { swap, proxies: ArcSwap::from_pointee(proxies), tally: Tally::new("forward-auth") }
    }

    /// Takes new peers, from the next request on.
    pub fn replace_proxies(&self, proxies: TrustedProxies) {
        self.proxies.store(Arc::new(proxies));
    }

    /// Answers one sub-request; its body, should it have one, is nobody's business here.
    pub async fn answer(&self, request: &Parts, peer: IpAddr) -> Response<Full<Bytes>> {
        let answers = &self.swap.answers;
        let headers = &request.headers;
        let target = match forwarded::target(headers, peer, &self.proxies.load()) {
            Ok(target) => target,
            Err(reject) => {
                self.tally.refused("deny", reject);
                return answers.not_asked(self.tally.door, reject, peer);
            }
        };
        // A trace would show a client the JWT of its own request, and a tunnel has no path to decide about.
        if matches!(target.method, Method::CONNECT | Method::TRACE) {
            self.tally.refused("deny", Reject::NoRoute);
            return answers.deny(self.tally.door, Reject::NoRoute);
        }
        if leaves_http(headers) {
            self.tally.refused("deny", Reject::Upgrade);
            return answers.deny(self.tally.door, Reject::Upgrade);
        }
        let inquiry = Inquiry {
            method: &target.method,
            host: target.host,
            path: path(target.path_and_query),
            headers,
            csrf_field: None,
        };
        match self.swap.ask(&inquiry, &self.tally).await {
            Ok(Outcome::Pass(pass)) => passed(&pass),
            Ok(Outcome::Challenge(reject)) => {
                let Target { method, host, path_and_query } = &target;
                let login = answers.login_page.url(method, host, path_and_query, headers);
                if wants_redirect(request) && is_navigation(method, headers) {
                    answers.to_login(self.tally.door, reject, login)
                } else {
                    answers.challenge(self.tally.door, reject, headers, login)
                }
            }
            Ok(Outcome::Deny(reject)) => answers.deny(self.tally.door, reject),
            Err(fault) => answers.fault(self.tally.door, &fault),
        }
    }
}

/// Exactly 200: Envoy takes nothing else for a yes.
fn passed(pass: &Pass) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let mut headers = HeaderMap::with_capacity(ROOM + pass.permit.route().elsewhere.len());
    pass.write(&mut headers);
    headers.insert(CACHE_CONTROL, NO_STORE);
    *response.headers_mut() = headers;
    response
}

/// Whether a proxy that carries `Upgrade` along could end up with a tunnel in place of requests: after h2c a client would have the
/// service to itself, and say in every further request who it is ("h2c smuggling"). A WebSocket is one
/// channel to one service that was decided about, and so may pass.
fn leaves_http(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|to| !to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn path(path_and_query: &str) -> &str {
    path_and_query.split_once('?').map_or(path_and_query, |(path, _)| path)
}

/// `?redirect=1` on the sub-request itself: the operator's wish, for proxies that hand our answer through to the browser.
fn wants_redirect(request: &Parts) -> bool {
    request.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "redirect=1"))
}
