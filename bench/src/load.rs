//! The request that nginx sends for a signed-in browser, and a client that sends it as cheaply as can be: one request at a time on each
//! of a few connections, asked in turn. In: session numbers. Out: requests answered.
//!
//! The client never sleeps. One that does must be woken by the server, at about a third of the cost of a whole answer, and only a server
//! that is slower than the client ever has to: the two servers that are compared would not be asked the same.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, bail, ensure};
use http::header::{ACCEPT, COOKIE, HOST, USER_AGENT as USER_AGENT_NAME};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::home::token;

/// A browser's, 111 bytes.
pub(crate) const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
/// What the browser asked for, below a route.
pub(crate) const PATH: &str = "/orders/2026/11/4711";

const COOKIE_NAME: &str = "__Host-Http-vestibule";
const CONNECTIONS: usize = 32;

/// Name and value of each header, in the order in which nginx sends them; the browser's own come last.
fn fields(number: u64) -> [(HeaderName, String); 7] {
    [
        (HOST, "127.0.0.1:8081".to_owned()),
        (HeaderName::from_static("x-original-method"), "GET".to_owned()),
        (HeaderName::from_static("x-original-url"), format!("https://app.example.com{PATH}")),
        (HeaderName::from_static("x-forwarded-for"), "203.0.113.77".to_owned()),
        (USER_AGENT_NAME, USER_AGENT.to_owned()),
        (ACCEPT, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".to_owned()),
        (COOKIE, format!("theme=dark; {COOKIE_NAME}={}", token(number).reveal_cookie_value())),
    ]
}

/// The headers of a request of session `number`.
pub(crate) fn headers(number: u64) -> HeaderMap {
    let pairs = fields(number);
    pairs.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
}

/// The bytes of a request of session `number`.
pub(crate) fn request(number: u64) -> Vec<u8> {
    let mut text = "GET /check HTTP/1.1\r\n".to_owned();
    for (name, value) in fields(number) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Connections to one server.
pub(crate) struct Load {
    connections: Vec<Connection>,
}

/// What an answer must be, so that nothing else is measured by mistake.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// 200.
    Ok,
    /// 200 with a JWT that is the body.
    Phantom,
    /// 200 with a JWT in the head.
    Swapped,
}

impl Load {
    pub(crate) fn on(server: SocketAddr) -> Result<Self> {
        let connections = (0..CONNECTIONS).map(|_| Connection::to(server)).collect::<Result<_>>()?;
        Ok(Self { connections })
    }

    /// Sends the requests, each after the answer to the one before on its connection, and reads all answers.
    pub(crate) fn run<'a>(
        &mut self,
        mut requests: impl Iterator<Item = &'a Vec<u8>>,
        expected: Expected,
    ) -> Result<()> {
        let mut busy = Vec::with_capacity(self.connections.len());
        for connection in &mut self.connections {
            if let Some(request) = requests.next() {
                connection.ask(request)?;
                busy.push(connection);
            }
        }
        while !busy.is_empty() {
            let (mut index, mut idle) = (0, true);
            while let Some(connection) = busy.get_mut(index) {
                if matches!(connection.answered(expected)?, Answered::NotYet) {
                    index += 1;
                    continue;
                }
                idle = false;
                match requests.next() {
                    Some(request) => {
                        connection.ask(request)?;
                        index += 1;
                    }
                    None => drop(busy.swap_remove(index)),
                }
            }
            // Where there are fewer processors than work, the server comes first.
            if idle {
                std::thread::yield_now();
            }
        }
        Ok(())
    }
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    filled: usize,
}

enum Answered {
    NotYet,
    Whole,
}

impl Connection {
    fn to(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, answer: vec![0; 16 * 1024], filled: 0 })
    }

    /// A request fits into the socket's empty buffer: if it does not, something else is wrong.
    fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.filled = 0;
        Ok(self.stream.write_all(request)?)
    }

    fn answered(&mut self, expected: Expected) -> Result<Answered> {
        let room = self.answer.get_mut(self.filled..).context("an answer is too long")?;
        match self.stream.read(room) {
            Ok(0) => bail!("the server hung up"),
            Ok(more) => self.filled += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Answered::NotYet),
            Err(error) => return Err(error.into()),
        }
        let answer = self.answer.get(..self.filled).unwrap_or_default();
        let is_whole = match expected {
            // No body is expected, so the answer ends where its headers do.
            Expected::Ok | Expected::Swapped => answer.ends_with(b"\r\n\r\n"),
            Expected::Phantom => is_whole(answer)?,
        };
        if !is_whole {
            return Ok(Answered::NotYet);
        }
        let text = || String::from_utf8_lossy(answer).into_owned();
        ensure!(answer.starts_with(b"HTTP/1.1 200"), "not 200: {}", text());
        let name: &[u8] = match expected {
            Expected::Ok => b"",
            Expected::Phantom => b"\r\n\r\ney",
            Expected::Swapped => b"\r\nauthorization: Bearer ey",
        };
        ensure!(name.is_empty() || find(answer, name).is_some(), "no JWT: {}", text());
        Ok(Answered::Whole)
    }
}

/// Whether an answer with a body has come whole.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(end) = find(answer, b"\r\n\r\n") else { return Ok(false) };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.with_context(|| format!("no length: {head}"))?.parse()?;
    Ok(answer.len() >= end + 4 + length)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_body_is_whole_when_all_of_it_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\neyJ";
        for length in 0..answer.len() {
            assert!(!is_whole(&answer[..length]).unwrap(), "{length}");
        }
        assert!(is_whole(answer).unwrap());
        assert!(is_whole(b"HTTP/1.1 200 OK\r\n\r\neyJ").is_err());
    }

    #[test]
    fn bytes_and_headers_are_one_request() {
        let text = String::from_utf8(request(5)).unwrap();
        let (line, rest) = text.split_once("\r\n").unwrap();
        assert_eq!(line, "GET /check HTTP/1.1");
        let headers = headers(5);
        let lines: Vec<_> = rest.trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), headers.len());
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            assert_eq!(headers.get(name).unwrap(), value);
        }
        assert_ne!(request(5), request(6));
    }
}
