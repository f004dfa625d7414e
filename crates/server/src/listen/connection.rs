//! One connection: HTTP/1.1 with keep-alive, watched by a slow clock so that nobody holds it open for nothing, and ended gently
//! when the program drains. In: a socket. Out: requests to the face, answers to the peer.
//!
//! hyper's own header timer would start a timer per request and knows no other limit between two requests. Here the hot path stores
//! one number where something happens, and a clock that ticks every few seconds sees whether that number stood still for too long.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use vestibule_gateway::framing::Strict;

use super::{Face, Limits, send_at_once};

/// Where a connection is: the phase in the lowest two bits, above them a count that moves with every change.
#[derive(Default)]
struct Pulse {
    state: AtomicU32,
    /// The peer takes no more bytes for now.
    is_stuck: AtomicBool,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was received yet: a browser that connects ahead of need looks like this.
    Fresh = 0,
    /// Between two requests.
    Idle = 1,
    /// Headers are arriving.
    Reading = 2,
    /// A request is being answered.
    Busy = 3,
}

impl Pulse {
    fn beat(&self, phase: Phase) {
        let before = self.state.load(Ordering::Relaxed);
        self.state.store((before & !3).wrapping_add(4) | phase as u32, Ordering::Relaxed);
    }

    /// Bytes came: the first ones after silence begin a request.
    fn received(&self) {
        if matches!(self.phase(), Phase::Fresh | Phase::Idle) {
            self.beat(Phase::Reading);
        }
    }

    fn phase(&self) -> Phase {
        match self.state.load(Ordering::Relaxed) & 3 {
            0 => Phase::Fresh,
            1 => Phase::Idle,
            2 => Phase::Reading,
            _ => Phase::Busy,
        }
    }

    /// Notes whether the peer took what was sent.
    fn sent<T>(&self, polled: &Poll<T>) {
        let was_stuck = self.is_stuck.load(Ordering::Relaxed);
        if was_stuck != polled.is_pending() {
            self.is_stuck.store(polled.is_pending(), Ordering::Relaxed);
            self.beat(self.phase());
        }
    }

    fn count(&self) -> u32 {
        self.state.load(Ordering::Relaxed)
    }

    /// How long things may stay as they are.
    fn limit(&self, limits: &Limits) -> Option<Duration> {
        match self.phase() {
            Phase::Fresh | Phase::Reading => Some(limits.header_time),
            Phase::Idle => Some(limits.idle_time),
            Phase::Busy if self.is_stuck.load(Ordering::Relaxed) => Some(limits.stuck_time),
            // How long an answer may take is for the pages and the proxy to say.
            Phase::Busy => None,
        }
    }
}

impl Limits {
    /// How often a connection is looked at: often enough that no limit is overstepped by more than half of it.
    fn tick(&self) -> Duration {
        self.header_time.min(self.idle_time).min(self.stuck_time) / 2
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    face: Arc<Face>,
    limits: Limits,
    drain: CancellationToken,
) {
    send_at_once(&stream);
    match &*face {
        // Strangers' bytes: what two servers could read differently is refused before hyper mends it.
        Face::Public { .. } => serve_on(Strict::new(stream), peer, face, limits, drain).await,
        // Proxies' bytes, written by a program that was configured to write them.
        Face::Internal { .. } => serve_on(stream, peer, face, limits, drain).await,
    }
}

async fn serve_on(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    face: Arc<Face>,
    limits: Limits,
    drain: CancellationToken,
) {
    let pulse = Arc::new(Pulse::default());
    let io = TokioIo::new(Listened { stream, pulse: Arc::clone(&pulse) });
    let service = service_fn(|request: Request<Incoming>| {
        let (face, pulse) = (&face, &pulse);
        async move {
            pulse.beat(Phase::Busy);
            let response = face.answer(request, peer, limits).await;
            Ok::<_, Infallible>(
                response.map(|body| Watched { body, _answering: Answering(Arc::clone(pulse)) }),
            )
        }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_buf_size(limits.header_block).keep_alive(true);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut clock = pin!(tokio::time::sleep(limits.tick()));
    let mut drained = pin!(drain.cancelled());
    let mut seen = (pulse.count(), Instant::now());
    let mut is_draining = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %peer, error = %error, "a connection ended early");
                }
                return;
            }
            () = drained.as_mut(), if !is_draining => {
                is_draining = true;
                if pulse.phase() == Phase::Fresh {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
            () = clock.as_mut() => {
                let count = pulse.count();
                if count != seen.0 {
                    seen = (count, Instant::now());
                } else if pulse.limit(&limits).is_some_and(|limit| seen.1.elapsed() >= limit) {
                    return;
                }
                clock.as_mut().reset(tokio::time::Instant::now() + limits.tick());
            }
        }
    }
}

/// Goes with an answer and marks its end, however it ends.
struct Answering(Arc<Pulse>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.beat(Phase::Idle);
    }
}

/// A body whose end is noticed.
struct Watched<B> {
    body: B,
    _answering: Answering,
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that notices when bytes come.
struct Listened<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pulse.received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.pulse.sent(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.pulse.sent(&polled);
        polled
    }
}
