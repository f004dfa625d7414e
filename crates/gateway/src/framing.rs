//! A strict ear on an HTTP/1.1 connection. hyper repairs some messages that have two readings, and its caller never learns of it;
//! a proxy before us may have read the other one (request smuggling). In: the client's bytes. Out: the same bytes up to the first
//! that no two servers must read alike; there a NUL, which hyper refuses with 400 anywhere in a head, and then nothing more.
//!
//! Refused beyond what hyper refuses: a bare LF or CR at the end of a line, obsolete line folding, Content-Length beside
//! Transfer-Encoding, either of them twice, any coding but `chunked`, a fragment in the target, and sizes with anything but digits
//! in them (RFC 9112 sections 2.2, 3.2, 5.2, 6.1, 6.3 and 7.1).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

mod reader;

use reader::Reader;

/// A connection whose requests have one reading. For HTTP/1.1 alone.
pub struct Strict<IO> {
    io: IO,
    reader: Reader,
    is_over: bool,
}

impl<IO> Strict<IO> {
    /// Listens in on a fresh connection.
    pub fn new(io: IO) -> Self {
        Self { io, reader: Reader::default(), is_over: false }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Strict<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let fresh = buffer.filled_mut().get_mut(before..).unwrap_or_default();
        if let Err(at) = self.reader.read(fresh) {
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
