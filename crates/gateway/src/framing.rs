//! A strict ear on an HTTP/1.1 connection. hyper repairs some messages that have two readings, and its caller never learns of it;
//! a proxy before us may have read the other one (request smuggling). In: the client's bytes. Out: the same bytes up to the first
//! that no two servers must read alike; there a NUL, which hyper refuses with 400 anywhere in a head, and then nothing more.
//!
//! Refused beyond what hyper refuses: a bare LF or CR at the end of a line, obsolete line folding, Content-Length beside
//! Transfer-Encoding, either of them twice, any coding but `chunked`, a fragment in the target, and sizes with anything but digits
//! in them (RFC 9112 sections 2.2, 3.2, 5.2, 6.1, 6.3 and 7.1).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

mod reader;

use reader::Reader;

/// What ends a head that was cut off, wherever in a field that was.
const END_OF_HEAD: &[u8] = b"x:\r\n\r\n";

/// How much of the rest of such a head is read and thrown away, so that the answer does not meet a client that is still sending: with a
/// connection that ends then, the answer can be lost.
const SKIPPED: usize = 1024 * 1024;

/// A connection whose requests have one reading. For HTTP/1.1 alone.
pub struct Strict<IO> {
    io: IO,
    reader: Reader,
    is_over: bool,
    exceeded: Arc<AtomicBool>,
    /// The rest of a head that was cut off, while it is thrown away.
    rest: Option<Rest>,
    /// What is still to be passed on of the end of a head that was cut off.
    end: &'static [u8],
}

/// How far the rest of a head has come.
struct Rest {
    left: usize,
    /// How many bytes of the empty line at its end, and of the end of the line before, were just seen.
    seen: usize,
}

impl Rest {
    /// Whether the head ends within these bytes, or enough of it was thrown away.
    fn is_over_with(&mut self, bytes: &[u8]) -> bool {
        const END: &[u8; 4] = b"\r\n\r\n";
        for byte in bytes {
            self.seen = match END.get(self.seen) {
                Some(expected) if expected == byte => self.seen + 1,
                _ => usize::from(*byte == b'\r'),
            };
            if self.seen == END.len() {
                return true;
            }
        }
        self.left = self.left.saturating_sub(bytes.len());
        self.left == 0
    }
}

impl<IO> Strict<IO> {
    /// Listens in on a fresh connection.
    pub fn new(io: IO) -> Self {
        Self::following(io, Reader::default(), Arc::default())
    }

    /// The same with heads of at most `most` bytes. A longer one is cut off and ended there, so that it can be answered, and `exceeded` is
    /// set before it is passed on: from then on every request of this connection is to be refused and none to be acted on.
    pub fn bounded(io: IO, most: usize, exceeded: Arc<AtomicBool>) -> Self {
        Self::following(io, Reader::bounded(most), exceeded)
    }

    fn following(io: IO, reader: Reader, exceeded: Arc<AtomicBool>) -> Self {
        Self { io, reader, is_over: false, exceeded, rest: None, end: &[] }
    }

    /// Passes on as much as there is room for of the end of a head that was cut off.
    fn end_head(&mut self, buffer: &mut ReadBuf<'_>) {
        let (now, later) = self.end.split_at(self.end.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.end = later;
    }
}

impl<IO: AsyncRead + Unpin> Strict<IO> {
    /// Throws away the rest of a head that was cut off: ready once it is over.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = &mut self.rest {
            let mut room = [0; 4096];
            let mut some = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut some))?;
            if some.filled().is_empty() || rest.is_over_with(some.filled()) {
                self.rest = None;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Throws away what comes behind a head that was cut off, and passes on when the client is gone: an end before that would be taken
    /// for one that does not wait for its answer.
    fn poll_nothing(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut room = [0; 4096];
            let mut some = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut some))?;
            if some.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Strict<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_some() {
            ready!(self.poll_rest(context))?;
        }
        if !self.end.is_empty() {
            self.end_head(buffer);
            return Poll::Ready(Ok(()));
        }
        if self.is_over {
            return if self.reader.is_too_large() { self.poll_nothing(context) } else { Poll::Ready(Ok(())) };
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let fresh = buffer.filled_mut().get_mut(before..).unwrap_or_default();
        if let Err(at) = self.reader.read(fresh) {
            if self.reader.is_too_large() {
                self.exceeded.store(true, Ordering::Relaxed);
                (self.is_over, self.end) = (true, END_OF_HEAD);
                let seen = if self.reader.is_at_line_start() { 2 } else { 0 };
                let mut rest = Rest { left: SKIPPED, seen };
                let is_whole = rest.is_over_with(fresh.get(at..).unwrap_or_default());
                self.rest = if is_whole { None } else { Some(rest) };
                buffer.set_filled(before + at);
                if at > 0 {
                    return Poll::Ready(Ok(()));
                }
                if self.rest.is_some() {
                    ready!(self.poll_rest(context))?;
                }
                self.end_head(buffer);
                return Poll::Ready(Ok(()));
            }
            if let Some(byte) = fresh.get_mut(at) {
                *byte = 0;
            }
            buffer.set_filled(before + at + 1);
            self.is_over = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Strict<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// All that is passed on of these bytes, and whether a head was too large.
    async fn passed(bytes: &[u8], room: usize, most: usize) -> (String, bool) {
        let exceeded = Arc::new(AtomicBool::new(false));
        let mut strict = Strict::bounded(bytes, most, Arc::clone(&exceeded));
        let (mut all, mut some) = (Vec::new(), vec![0; room]);
        loop {
            let length = strict.read(&mut some).await.unwrap();
            if length == 0 {
                return (String::from_utf8(all).unwrap(), exceeded.load(Ordering::Relaxed));
            }
            all.extend_from_slice(&some[..length]);
        }
    }

    /// A head that was cut off is a whole one for whoever reads it, wherever it was cut; nothing behind it is passed on.
    #[tokio::test]
    async fn a_head_that_is_too_large_is_cut_off_and_ended() {
        let fields = "Host: a\r\nCookie: ccccccccccccccc\r\nAccept: */*\r\n";
        let one = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        let all = format!("{one}GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        for room in 1..all.len() {
            for most in "GET / HTTP/1.1\r\n".len()..one.len() - 4 {
                let (passed, exceeded) = passed(all.as_bytes(), room, most).await;
                assert!(exceeded, "{most} {room}: {passed:?}");
                let (head, rest) = passed.split_once("\r\n\r\n").unwrap();
                assert!(head.lines().skip(1).all(|line| line.contains(':')), "{most} {room}: {passed:?}");
                assert!(rest.is_empty() && head.len() <= most + 4, "{most} {room}: {passed:?}");
                assert!(one.starts_with(head.strip_suffix("x:").unwrap()), "{most} {room}: {passed:?}");
            }
            assert_eq!(passed(all.as_bytes(), room, one.len()).await, (all.clone(), false), "{room}");
        }
    }
}
