//! The body of a client's request, with an onlooker that learns whether the client is being waited for. In: hyper's incoming body.
//! Out: the same.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// Observes how a body arrives.
pub trait Onlooker: Send + Sync {
    /// Nothing has arrived: the client is waited for.
    fn waits(&self);

    /// This many bytes arrived.
    fn came(&self, bytes: usize);

    /// The client is not waited for any more: the body ended, or its rest is not read. Can be called more than once.
    fn is_over(&self);
}

/// A client's body. A request without one costs nothing here.
pub struct ClientBody {
    body: Incoming,
    onlooker: Option<Arc<dyn Onlooker>>,
}

impl ClientBody {
    /// A body that `onlooker` observes, if there is a body.
    pub fn watched(body: Incoming, onlooker: impl FnOnce() -> Arc<dyn Onlooker>) -> Self {
        let onlooker = (!body.is_end_stream()).then(onlooker);
        Self { body, onlooker }
    }
}

impl From<Incoming> for ClientBody {
    fn from(body: Incoming) -> Self {
        Self { body, onlooker: None }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Some(onlooker) = &self.onlooker {
            match &polled {
                Poll::Pending => onlooker.waits(),
                Poll::Ready(Some(Ok(frame))) => onlooker.came(frame.data_ref().map_or(0, Bytes::len)),
                Poll::Ready(Some(Err(_)) | None) => onlooker.is_over(),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ClientBody {
    fn drop(&mut self) {
        if let Some(onlooker) = &self.onlooker {
            onlooker.is_over();
        }
    }
}
