//! Bodies on their way through: streamed as they come, never gathered unless they are a form to be looked into. In: hyper's
//! incoming body, or bytes. Out: the same bytes, or an end where a client sends them too slowly.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::client_body::ClientBody;
use crate::pace::Pace;
use crate::upstream::Failure;

/// The body of an answer, or of a request to an upstream.
pub struct Body(Kind);

enum Kind {
    Stream(Incoming),
    Watched(ClientBody, Arc<Progress>, Pace),
    Reported(Incoming, Option<OnCut>),
    Whole(Full<Bytes>),
}

/// Called once when a body breaks off, with the cause.
type OnCut = Box<dyn FnOnce(&hyper::Error) + Send>;

/// Why a body ended before its end.
#[derive(Debug)]
pub enum Cut {
    /// The connection it came on broke.
    Broken(hyper::Error),
    /// Its sender was too slow.
    Slow,
}

impl Body {
    /// A body whose every step is noted, and that ends when it does not keep pace.
    pub(crate) fn watched(body: ClientBody, progress: Arc<Progress>, pace: Pace) -> Self {
        if http_body::Body::is_end_stream(&body) {
            progress.0.store(DONE, Ordering::Relaxed);
        }
        Self(Kind::Watched(body, progress, pace))
    }

    /// A body that calls `on_cut` when it breaks off.
    pub(crate) fn reported(body: Incoming, on_cut: impl FnOnce(&hyper::Error) + Send + 'static) -> Self {
        if http_body::Body::is_end_stream(&body) {
            return Self(Kind::Stream(body));
        }
        Self(Kind::Reported(body, Some(Box::new(on_cut))))
    }
}

impl From<Incoming> for Body {
    fn from(body: Incoming) -> Self {
        Self(Kind::Stream(body))
    }
}

impl From<Full<Bytes>> for Body {
    fn from(body: Full<Bytes>) -> Self {
        Self(Kind::Whole(body))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.0 {
            Kind::Stream(body) => Pin::new(body).poll_frame(context).map_err(Cut::Broken),
            Kind::Watched(body, progress, pace) => {
                let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(context) else {
                    ready!(pace.wait(context));
                    progress.0.store(CUT_SLOW, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(Cut::Slow)));
                };
                if let Some(Err(cause)) = frame {
                    progress.0.store(CUT_BROKEN, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(Cut::Broken(cause))));
                }
                let bytes = frame.as_ref().and_then(|it| it.as_ref().ok()?.data_ref());
                pace.came(bytes.map_or(0, Bytes::len), Instant::now());
                progress.step(frame.is_none() || http_body::Body::is_end_stream(body));
                Poll::Ready(frame.map(|it| it.map_err(Cut::Broken)))
            }
            Kind::Reported(body, on_cut) => {
                let frame = ready!(Pin::new(body).poll_frame(context));
                if let Some(Err(cause)) = &frame
                    && let Some(on_cut) = on_cut.take()
                {
                    on_cut(cause);
                }
                Poll::Ready(frame.map(|it| it.map_err(Cut::Broken)))
            }
            Kind::Whole(body) => {
                let Ok(frame) = ready!(Pin::new(body).poll_frame(context)).transpose();
                Poll::Ready(frame.map(Ok))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Stream(body) | Kind::Reported(body, _) => body.is_end_stream(),
            Kind::Watched(body, ..) => body.is_end_stream(),
            Kind::Whole(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Stream(body) | Kind::Reported(body, _) => body.size_hint(),
            Kind::Watched(body, ..) => body.size_hint(),
            Kind::Whole(body) => body.size_hint(),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(_) => f.write_str("the body ended before its end"),
            Self::Slow => f.write_str("the body came too slowly"),
        }
    }
}

impl Error for Cut {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken(cause) => Some(cause),
            Self::Slow => None,
        }
    }
}

/// How far a request's body has come, for who waits for the answer.
#[derive(Default)]
pub(crate) struct Progress(AtomicU8);

/// What became of a body since it was last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All of it is sent.
    Done,
    /// More of it came.
    Moved,
    /// Nothing of it came.
    Stuck,
}

const STUCK: u8 = 0;
const MOVED: u8 = 1;
const DONE: u8 = 2;
/// Its sender broke it off.
const CUT_BROKEN: u8 = 3;
/// Its sender was too slow.
const CUT_SLOW: u8 = 4;

impl Progress {
    /// Of a body that needs no waiting for.
    pub(crate) fn done() -> Self {
        Self(AtomicU8::new(DONE))
    }

    /// How the client failed, if its body ended before its end.
    pub(crate) fn cut(&self) -> Option<Failure> {
        match self.0.load(Ordering::Relaxed) {
            CUT_BROKEN => Some(Failure::ClientBroken),
            CUT_SLOW => Some(Failure::ClientStuck),
            _ => None,
        }
    }

    pub(crate) fn take(&self) -> Step {
        match self.0.compare_exchange(MOVED, STUCK, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Step::Moved,
            Err(DONE) => Step::Done,
            Err(_) => Step::Stuck,
        }
    }

    fn step(&self, is_last: bool) {
        self.0.store(if is_last { DONE } else { MOVED }, Ordering::Relaxed);
    }
}
