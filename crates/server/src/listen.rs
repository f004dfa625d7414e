//! The sockets: two listeners, each with bounds on connections, header blocks and time. In: bytes from strangers. Out: requests for
//! the doors and pages, with the peer's address beside them; nothing stands between hyper and `/check`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use vestibule_core::problem::{MEDIA_TYPE, Problem};
use vestibule_core::wire::paths::LOGIN;
use vestibule_core::wire::{guard, is_navigation};
use vestibule_gateway::ClientBody;
use vestibule_portal::{Peer, WELL_KNOWN};

use crate::assemble::Endpoints;
use crate::status::Status;

mod connection;
mod places;

pub(crate) use places::TURNED_AWAY;
use places::{Places, Seat};

#[cfg(test)]
mod tests;

/// What a listener puts up with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at once; when there are more, those that lie unused or dawdle over a request's body make room, and where none does the
    /// rest waits in the kernel's queue.
    pub(crate) connections: usize,
    /// Connections at once of one source that is no known proxy.
    pub(crate) per_source: usize,
    /// Bytes of one request's line and headers together.
    pub(crate) header_block: usize,
    /// Bytes of path and query.
    pub(crate) uri: usize,
    /// How long a request's headers may take to arrive.
    pub(crate) header_time: Duration,
    /// How long a connection may lie unused between two requests.
    pub(crate) idle_time: Duration,
    /// Over how long it is averaged how slowly a peer may take its answer.
    pub(crate) stuck_time: Duration,
    /// Bytes a second below which it may not; 0 is a byte each `stuck_time`.
    pub(crate) slowest_body: u32,
}

impl Limits {
    /// The usual limits for a process that may have so many files open: a proxied request takes two, and there are two listeners.
    pub(crate) fn within(open_files: u64) -> Self {
        let connections = usize::try_from(open_files / 4).unwrap_or(usize::MAX);
        Self { connections: connections.clamp(16, 10_000), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_source: usize::MAX,
            header_block: 32 * 1024,
            uri: 8 * 1024,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            stuck_time: Duration::from_secs(60),
            slowest_body: 0,
        }
    }
}

/// The line and headers of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    Fits,
    /// It takes more than [`Limits::header_block`], and may be cut off: not to be acted on.
    TooLarge,
}

/// What answers on a listener.
pub(crate) enum Face {
    /// Proxies and operators.
    Internal { front: Arc<Endpoints>, status: Arc<Status> },
    /// Browsers and API clients.
    Public { front: Arc<Endpoints> },
}

/// Listens on an address, or says in one line why it cannot.
pub(crate) async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!("{key}: {address} is in use by another program; stop it, or choose another port")
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            bail!(
                "{key}: {address} may not be used by this account; choose a port above 1023, or grant CAP_NET_BIND_SERVICE"
            )
        }
        Err(error) => bail!("{key}: cannot listen on {address}: {error}"),
    }
}

/// Accepts connections until `drain`; each runs on its own and is told of `drain`, too. Those from `known` networks have no limit of
/// their own.
pub(crate) async fn accept(
    listener: TcpListener,
    face: Face,
    limits: Limits,
    known: Vec<IpNet>,
    drain: CancellationToken,
    connections: TaskTracker,
) {
    let places = Places::new(limits, known, face.name());
    let face = Arc::new(face);
    loop {
        let (stream, peer) = tokio::select! {
            // Who got through to us before the end came is not turned away.
            biased;
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
            () = drain.cancelled() => return,
        };
        let peer = peer.ip().to_canonical();
        let Some(taken) = places.admit(peer, &drain).await else { continue };
        let (face, drain) = (Arc::clone(&face), drain.clone());
        connections.spawn(async move {
            connection::serve(stream, peer, face, limits, &taken.seat, &drain).await;
            drop(taken);
        });
    }
}

/// A connection that was gone before it was accepted is nothing; being out of file handles passes, but not at once.
async fn pause_after(error: &io::Error) {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) {
        return;
    }
    tracing::error!(error = %error, "no connection can be accepted");
    tokio::time::sleep(Duration::from_millis(500)).await;
}

impl Face {
    /// What the configuration calls its listener.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Internal { .. } => "internal",
            Self::Public { .. } => "public",
        }
    }

    /// Answers one request. What is whole goes out as it is; only what streams is boxed.
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        limits: Limits,
        seat: &Arc<Seat>,
        head: Head,
    ) -> Response<Either<Full<Bytes>, axum::body::Body>> {
        if let Some(refusal) = self.refusal(&request, &limits, head) {
            return refusal.map(Either::Left);
        }
        if let Self::Internal { front, .. } = self
            && request.uri().path() == "/check"
        {
            // The sub-request has no body worth reading.
            let (parts, _) = request.into_parts();
            return front.forward_auth.answer(&parts, peer).await.map(Either::Left);
        }
        // A future is as large as its largest branch, and it is copied before it runs. So `/check` pays for itself alone.
        Box::pin(self.answer_other(request, peer, seat)).await
    }

    /// A refusal that needs nothing but the request's line and headers.
    fn refusal(
        &self,
        request: &Request<Incoming>,
        limits: &Limits,
        head: Head,
    ) -> Option<Response<Full<Bytes>>> {
        let (Self::Internal { front, .. } | Self::Public { front }) = self;
        if head == Head::TooLarge {
            let kilobytes = limits.header_block / 1024;
            let detail =
                format!("The request line and headers take more than {kilobytes} KiB; send fewer cookies.");
            let mut answer = front.refusal(
                request,
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers-too-large",
                &detail,
            );
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Some(answer);
        }
        let uri_length = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
        (uri_length > limits.uri).then(|| {
            let detail = "The URL is longer than 8 KiB.";
            front.refusal(request, StatusCode::URI_TOO_LONG, "uri-too-long", detail)
        })
    }

    /// Answers what is not `/check`.
    async fn answer_other(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        seat: &Arc<Seat>,
    ) -> Response<Either<Full<Bytes>, axum::body::Body>> {
        match self {
            // For resource servers the same on both sides.
            Self::Internal { front, .. } if front.introspection.is_at(request.uri().path()) => {
                front.introspection.answer(of_peer(watched(request, seat), peer)).await.map(Either::Right)
            }
            Self::Internal { front, status } => {
                internal(front, status, request, seat).await.map(Either::Left)
            }
            Self::Public { front } => public(front, watched(request, seat), peer).await.map(Either::Right),
        }
    }
}

async fn internal(
    front: &Endpoints,
    status: &Status,
    request: Request<Incoming>,
    seat: &Arc<Seat>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if path == "/csrf" {
        return front.csrf.answer(watched(request, seat)).await;
    }
    if !matches!(path, "/healthz" | "/metrics" | "/readyz") {
        let introspection = front.introspection.address();
        let detail =
            format!("There is nothing here; proxies ask /check, services /csrf and {introspection}.");
        return front.problem(StatusCode::NOT_FOUND, "not-found", &detail);
    }
    if !request.method().is_safe() {
        let mut response =
            front.problem(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Ask with GET.");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/healthz" => status.health(),
        "/metrics" => status.metrics(),
        _ => status.readiness(&front.untrusted).await,
    }
}

async fn public(front: &Endpoints, request: Request<ClientBody>, peer: IpAddr) -> Response<axum::body::Body> {
    front.untrusted.note(peer, request.headers());
    let path = request.uri().path();
    if front.portal.paths.inner(path).is_some() || WELL_KNOWN.contains(&path) {
        return pages(front, request, peer).await;
    }
    if !front.carries() {
        let login = front.portal.paths.to(LOGIN);
        let detail =
            format!("This listener carries no requests: no route has an upstream. Sign in at {login}.");
        return front
            .refusal(&request, StatusCode::NOT_FOUND, "not-found", &detail)
            .map(axum::body::Body::new);
    }
    front.proxy.answer(request, peer).await.map(axum::body::Body::new)
}

async fn pages(front: &Endpoints, request: Request<ClientBody>, peer: IpAddr) -> Response<axum::body::Body> {
    match front.pages.clone().oneshot(of_peer(request, peer)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// A client that is slow with its body is noticed: its place is wanted when there is none left.
fn watched(request: Request<Incoming>, seat: &Arc<Seat>) -> Request<ClientBody> {
    request.map(|body| ClientBody::watched(body, || Arc::<Seat>::clone(seat)))
}

fn of_peer(request: Request<ClientBody>, peer: IpAddr) -> Request<axum::body::Body> {
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(Peer(peer));
    request
}

impl Endpoints {
    /// A refusal before any door or page is asked: a page of the theme where a browser loads one, and a problem otherwise.
    fn refusal<B>(
        &self,
        request: &Request<B>,
        status: StatusCode,
        code: &str,
        detail: &str,
    ) -> Response<Full<Bytes>> {
        let mut response = if is_navigation(request.method(), request.headers()) {
            let mut page = self.portal.refusal_page(request.headers(), status, None).map(Full::from);
            guard::set(page.headers_mut(), &self.hsts);
            page
        } else {
            self.problem(status, code, detail)
        };
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept, Sec-Fetch-Mode"));
        response
    }

    /// A problem (RFC 9457) that neither a door nor a page has a say in.
    fn problem(&self, status: StatusCode, code: &str, detail: &str) -> Response<Full<Bytes>> {
        let title = status.canonical_reason().unwrap_or_default();
        let problem = Problem { status, code, title, detail, incident: None };
        let mut response = Response::new(Full::from(problem.json()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
        guard::set(response.headers_mut(), &self.hsts);
        response
    }
}

/// Keeps small answers from waiting for more to send.
fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "TCP_NODELAY cannot be set");
    }
}
