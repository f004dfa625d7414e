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

use crate::answer::Refusal;
use crate::body::{Body, Cut, Progress, Step};
use crate::pace::{Floor, Pace};

/// How long a service behind may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// To begin its answer once it has the whole request; at most twice that when the request's body was long in coming.
    pub first_byte: Duration,
    /// Bytes a second below which a client's body is given up, averaged over `first_byte`; 0 is no floor.
    pub slowest_body: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), first_byte: Duration::from_secs(30), slowest_body: 240 }
    }
}

/// Kept shorter than the 5 seconds after which common servers close an idle connection, so that a request is rarely sent into a
/// connection that is just being closed.
const KEPT_IDLE: Duration = Duration::from_secs(4);

pub(crate) struct Upstream {
    client: Client<HttpConnector, Body>,
    first_byte: Duration,
    slowest_body: u32,
}

/// There is no answer.
pub(crate) struct NoAnswer {
    pub(crate) failure: Failure,
    /// What was seen of it, for the log alone; empty where the failure says it all.
    pub(crate) cause: String,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The service closed the connection or answered something that is not HTTP.
    Broken,
    /// The client broke its request off, or framed its body wrongly.
    ClientBroken,
    /// The client stopped sending its request, or sent it too slowly.
    ClientStuck,
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
        Self { client, first_byte: timeouts.first_byte, slowest_body: timeouts.slowest_body }
    }

    /// The pace that a request's body must keep, before the answer begins and after.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(Floor { bytes_a_second: self.slowest_body, window: self.first_byte })
    }

    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        progress: Arc<Progress>,
    ) -> Result<Response<Incoming>, NoAnswer> {
        let mut answer = std::pin::pin!(self.client.request(request));
        let response = loop {
            match (tokio::time::timeout(self.first_byte, &mut answer).await, progress.take()) {
                (Ok(response), _) => break response,
                (Err(_), Step::Moved) => {}
                (Err(_), Step::Done) => return Err(Failure::Late.into()),
                (Err(_), Step::Stuck) => return Err(Failure::ClientStuck.into()),
            }
        };
        let response = response.map_err(|error| NoAnswer::seen(&error))?;
        // Nobody asked for another protocol: whoever switches now would be talked to in a language of his own choosing.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(NoAnswer {
                failure: Failure::Broken,
                cause: "it switched protocols unasked".to_owned(),
            });
        }
        Ok(response)
    }
}

impl Failure {
    /// Whether it is the client's doing: no service failed then.
    pub(crate) const fn is_the_clients(self) -> bool {
        matches!(self, Self::ClientBroken | Self::ClientStuck)
    }

    pub(crate) const fn refusal(self) -> Refusal {
        let (status, code, detail) = match self {
            Self::Broken => (
                StatusCode::BAD_GATEWAY,
                "upstream-broken",
                "The service behind gave no answer that could be read.",
            ),
            Self::ClientBroken => (
                StatusCode::BAD_REQUEST,
                "request-broken",
                "The body of the request broke off, or is not framed as HTTP asks.",
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
        Refusal { status, code, detail }
    }
}

impl NoAnswer {
    fn seen(error: &hyper_util::client::legacy::Error) -> Self {
        let cut = causes(error).find_map(|error| error.downcast_ref::<Cut>());
        let failure = match (error.is_connect(), causes(error).any(is_timeout)) {
            (true, true) => Failure::Late,
            (true, false) => Failure::Unreachable,
            (false, _) => match cut {
                Some(Cut::Broken(_)) => Failure::ClientBroken,
                Some(Cut::Slow) => return Failure::ClientStuck.into(),
                None => Failure::Broken,
            },
        };
        Self { failure, cause: causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ") }
    }
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self { failure, cause: String::new() }
    }
}

/// An error and all that caused it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}
