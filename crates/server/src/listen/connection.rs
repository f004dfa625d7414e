//! One connection: HTTP/1.1 with keep-alive, watched by a slow clock so that nobody holds it open for nothing, and ended gently
//! when the program drains. In: a socket. Out: requests to the face, answers to the peer.
//!
//! hyper's own header timer would start a timer per request and knows no other limit between two requests. Here the hot path stores
//! one number where something happens, and a clock that ticks every few seconds sees whether that number stood still for too long.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
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

use super::places::Seat;
use super::{Face, Head, Limits, send_at_once};

/// Where a connection is: the phase in the lowest two bits, above them a count that moves with every change.
#[derive(Default)]
pub(super) struct Pulse {
    state: AtomicU32,
    /// The peer takes no more bytes for now.
    is_stuck: AtomicBool,
    /// Bytes that the peer took.
    taken: AtomicU64,
    /// Bytes that came from the peer.
    came: AtomicU64,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
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
    pub(super) fn beat(&self, phase: Phase) {
        let before = self.state.load(Ordering::Relaxed);
        self.state.store((before & !3).wrapping_add(4) | phase as u32, Ordering::Relaxed);
    }

    /// So many bytes came: the first ones after silence begin a request. One task reads at a time.
    fn received(&self, bytes: usize) {
        let before = self.came.load(Ordering::Relaxed);
        self.came.store(before.wrapping_add(bytes as u64), Ordering::Relaxed);
        if matches!(self.phase(), Phase::Fresh | Phase::Idle) {
            self.beat(Phase::Reading);
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.state.load(Ordering::Relaxed) & 3 {
            0 => Phase::Fresh,
            1 => Phase::Idle,
            2 => Phase::Reading,
            _ => Phase::Busy,
        }
    }

    /// Notes whether the peer took what was sent. One task writes at a time, so what is read is what was stored.
    fn sent(&self, polled: &Poll<std::io::Result<usize>>) {
        self.is_stuck.store(polled.is_pending(), Ordering::Relaxed);
        if let Poll::Ready(Ok(bytes)) = polled {
            let before = self.taken.load(Ordering::Relaxed);
            self.taken.store(before.wrapping_add(*bytes as u64), Ordering::Relaxed);
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.state.load(Ordering::Relaxed)
    }

    /// How long things may stay as they are.
    fn limit(&self, limits: &Limits) -> Option<Duration> {
        match self.phase() {
            Phase::Fresh | Phase::Reading => Some(limits.header_time),
            Phase::Idle => Some(limits.idle_time),
            // How long an answer may take is for the pages and the proxy to say; how slowly it may be taken, see `Slowness`.
            Phase::Busy => None,
        }
    }
}

impl Limits {
    /// How often a connection is looked at: often enough that no limit is overstepped by more than half of it.
    fn tick(&self) -> Duration {
        self.header_time.min(self.idle_time).min(self.stuck_time) / 2
    }

    /// For how long who just came is left alone, whoever needs the place.
    pub(super) fn grace(&self) -> Duration {
        self.header_time / 10
    }
}

/// How a peer takes its answer, as long as it is the peer who is waited for: seen at each tick.
#[derive(Default)]
struct Slowness {
    since: Option<(Instant, u64)>,
}

impl Slowness {
    /// Whether the peer took less than it must for too long. A byte now and then is as slow as none.
    fn is_too_much(&mut self, pulse: &Pulse, limits: &Limits) -> bool {
        if !pulse.is_stuck.load(Ordering::Relaxed) {
            self.since = None;
            return false;
        }
        let taken = pulse.taken.load(Ordering::Relaxed);
        let (since, before) = *self.since.get_or_insert((Instant::now(), taken));
        let waited = since.elapsed();
        if waited < limits.stuck_time {
            return false;
        }
        self.since = None;
        let least = u128::from(limits.slowest_body) * waited.as_millis() / 1000;
        u128::from(taken.wrapping_sub(before)) < least.max(1)
    }
}

/// Serves one connection to its end; `drain` says whether the program is why it is asked to leave.
pub(super) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    face: Arc<Face>,
    limits: Limits,
    seat: &Arc<Seat>,
    drain: &CancellationToken,
) {
    send_at_once(&stream);
    match &*face {
        // Strangers' bytes: what two servers could read differently is refused before hyper mends it.
        Face::Public { .. } => {
            let exceeded = Arc::new(AtomicBool::new(false));
            let strict = Strict::bounded(stream, limits.header_block, Arc::clone(&exceeded));
            serve_on(strict, peer, face, limits, seat, drain, Heads::Cut(exceeded)).await;
        }
        // Proxies' bytes, written by a program that was configured to write them.
        Face::Internal { .. } => {
            serve_on(stream, peer, face, limits, seat, drain, Heads::Whole(AtomicU64::new(0))).await;
        }
    }
}

/// How it is seen on a connection that a head is too large.
enum Heads {
    /// It was cut off on its way here, and this says so.
    Cut(Arc<AtomicBool>),
    /// It is here. Heads are measured where more bytes came than one may take; with it, how many had come when it was last asked.
    Whole(AtomicU64),
}

impl Heads {
    fn judge<B>(&self, request: &Request<B>, came: u64, limits: &Limits) -> Head {
        let is_too_large = match self {
            Self::Cut(exceeded) => exceeded.load(Ordering::Relaxed),
            Self::Whole(before) => {
                let most = limits.header_block as u64;
                came.wrapping_sub(before.swap(came, Ordering::Relaxed)) > most
                    && length(request) > limits.header_block
            }
        };
        if is_too_large { Head::TooLarge } else { Head::Fits }
    }

    /// How many bytes hyper may hold of a head before it refuses it by itself, with nothing but a status.
    fn room(&self, limits: &Limits) -> usize {
        match self {
            // Never: it is cut off before.
            Self::Cut(_) => limits.header_block + 8 * 1024,
            Self::Whole(_) => limits.header_block * 4,
        }
    }
}

/// The bytes of a request's line and headers, about.
fn length<B>(request: &Request<B>) -> usize {
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let target = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    fields.sum::<usize>() + target + request.method().as_str().len()
}

async fn serve_on(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    face: Arc<Face>,
    limits: Limits,
    seat: &Arc<Seat>,
    drain: &CancellationToken,
    heads: Heads,
) {
    let io = TokioIo::new(Listened { stream, seat: Arc::clone(seat) });
    let service = service_fn(|request: Request<Incoming>| {
        let face = &face;
        let head = heads.judge(&request, seat.pulse.came.load(Ordering::Relaxed), &limits);
        async move {
            seat.pulse.beat(Phase::Busy);
            let response = face.answer(request, peer, limits, seat, head).await;
            Ok::<_, Infallible>(
                response.map(|body| Watched { body, _answering: Answering(Arc::clone(seat)) }),
            )
        }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_buf_size(heads.room(&limits)).keep_alive(true);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut clock = pin!(tokio::time::sleep(limits.tick()));
    let mut asked_to_leave = pin!(seat.leave.cancelled());
    let (mut is_leaving, mut slowness) = (false, Slowness::default());
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %peer, error = %error, "a connection ended early");
                }
                return;
            }
            () = asked_to_leave.as_mut(), if !is_leaving => {
                is_leaving = true;
                match seat.pulse.phase() {
                    Phase::Fresh => return,
                    // Who takes his time with a request makes room; but what is on its way when the program ends is answered.
                    Phase::Reading if !drain.is_cancelled() => return,
                    Phase::Busy if !drain.is_cancelled() && seat.dawdles_since().is_some() => return,
                    _ => connection.as_mut().graceful_shutdown(),
                }
            }
            () = clock.as_mut() => {
                let quiet_for = seat.look();
                if seat.pulse.limit(&limits).is_some_and(|limit| quiet_for >= limit) {
                    return;
                }
                if slowness.is_too_much(&seat.pulse, &limits) {
                    tracing::debug!(peer = %peer, "a connection ended: its peer hardly took its answer");
                    return;
                }
                clock.as_mut().reset(tokio::time::Instant::now() + limits.tick());
            }
        }
    }
}

/// Goes with an answer and marks its end, however it ends.
struct Answering(Arc<Seat>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.pulse.beat(Phase::Idle);
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
    seat: Arc<Seat>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let bytes = buffer.filled().len().saturating_sub(before);
        if bytes > 0 {
            self.seat.pulse.received(bytes);
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
        self.seat.pulse.sent(&polled);
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
        self.seat.pulse.sent(&polled);
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how many of so many looks a peer is kept that takes so many bytes before each, and then no more for now.
    fn kept(slowest_body: u32, bytes: usize, looks: u32) -> u32 {
        let limits = Limits { stuck_time: Duration::from_millis(50), slowest_body, ..Limits::default() };
        let (pulse, mut slowness) = (Pulse::default(), Slowness::default());
        for look in 0..looks {
            if bytes > 0 {
                pulse.sent(&Poll::Ready(Ok(bytes)));
            }
            pulse.sent(&Poll::Pending);
            if slowness.is_too_much(&pulse, &limits) {
                return look;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        looks
    }

    /// DS-02: a byte now and then is as slow as none.
    #[test]
    fn a_peer_that_sips_its_answer_is_let_go_and_one_that_drinks_slowly_is_not() {
        assert!(kept(10_000, 0, 30) < 10);
        assert!(kept(10_000, 1, 30) < 10);
        assert_eq!(kept(10_000, 4000, 30), 30);
        assert!(kept(0, 0, 30) < 10, "nothing at all");
        assert_eq!(kept(0, 1, 30), 30, "no floor");
    }
}
