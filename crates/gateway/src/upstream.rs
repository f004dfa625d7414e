//! Requests to the services behind. In: a finished request. Out: the service's answer as it begins, its body still to come, or
//! which way the service failed. Connections are kept and used again; nothing follows redirects or asks a second time.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::answer::Problem;
use crate::body::{Body, Progress, Step};

/// How long a service behind may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// To begin its answer once it has the whole request; at most twice that when the request's body was long in coming.
    pub first_byte: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), first_byte: Duration::from_secs(30) }
    }
}

/// Kept shorter than the 5 seconds after which common servers close an idle connection, so that a request is rarely sent into a
/// connection that is just being closed.
const KEPT_IDLE: Duration = Duration::from_secs(4);

pub(crate) struct Upstream {
    client: Client<HttpConnector, Body>,
    first_byte: Duration,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client stopped sending its request.
    ClientStuck,
    /// The service closed the connection or answered something that is not HTTP.
    Broken,
    /// The service took too long.
    Late,
    /// There is no connection to be had.
    Unreachable,
}

impl Upstream {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(timeouts.connect));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_IDLE)
            .build(connector);
        Self { client, first_byte: timeouts.first_byte }
    }

    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        progress: Arc<Progress>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut answer = std::pin::pin!(self.client.request(request));
        let response = loop {
            match (tokio::time::timeout(self.first_byte, &mut answer).await, progress.take()) {
                (Ok(response), _) => break response,
                (Err(_), Step::Moved) => {}
                (Err(_), Step::Done) => return Err(Failure::Late),
                (Err(_), Step::Stuck) => return Err(Failure::ClientStuck),
            }
        };
        let response = response.map_err(|error| failure(&error))?;
        // Nobody asked for another protocol: whoever switches now would be talked to in a language of his own choosing.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS { Err(Failure::Broken) } else { Ok(response) }
    }
}

impl Failure {
    pub(crate) const fn problem(self) -> Problem {
        let (status, code, detail) = match self {
            Self::Broken => (
                StatusCode::BAD_GATEWAY,
                "upstream-broken",
                "The service behind gave no answer that could be read.",
            ),
            Self::ClientStuck => {
                (StatusCode::REQUEST_TIMEOUT, "request-timeout", "The rest of the request did not come.")
            }
            Self::Late => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream-timeout",
                "The service behind did not answer in time.",
            ),
            Self::Unreachable => {
                (StatusCode::BAD_GATEWAY, "upstream-unreachable", "The service behind cannot be reached.")
            }
        };
        Problem { status, code, detail }
    }
}

fn failure(error: &hyper_util::client::legacy::Error) -> Failure {
    match (error.is_connect(), is_timeout(error)) {
        (true, true) => Failure::Late,
        (true, false) => Failure::Unreachable,
        (false, _) => Failure::Broken,
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let is_one =
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
    is_one || error.source().is_some_and(is_timeout)
}
