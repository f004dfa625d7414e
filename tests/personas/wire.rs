//! HTTP/1.1 as bytes. In: a request exactly as a story wants it sent, however wrong. Out: the whole answer.
//! A library would mend or refuse much of what has to be sent here.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    /// Adds a header line; the same name twice is two lines.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn bearer(self, credential: &str) -> Self {
        self.header("Authorization", format!("Bearer {credential}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        self.header("Content-Type", "application/x-www-form-urlencoded").body(body.join("&"))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The whole answer. Panics without one.
    #[track_caller]
    pub(crate) fn send(&self, to: SocketAddr) -> Answer {
        self.try_send(to).unwrap_or_else(|| panic!("no whole answer to {} {}", self.method, self.target))
    }

    /// `None` when the connection ended without a whole answer.
    pub(crate) fn try_send(&self, to: SocketAddr) -> Option<Answer> {
        exchange(to, &self.bytes(to))
    }

    /// As it goes over the wire. Host and length are added where the story does not say them itself.
    pub(crate) fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let has = |wanted: &str| self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !has("host") {
            line("Host", to.to_string().as_bytes());
        }
        if !has("connection") {
            line("Connection", b"close");
        }
        if !has("content-length") && (!self.body.is_empty() || self.method == "POST") {
            line("Content-Length", self.body.len().to_string().as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Sends bytes and reads until the other side is done with this one request; `None` without a whole answer.
pub(crate) fn exchange(to: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    // Who refuses early may not read everything; the answer is there all the same.
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(answer) = Answer::parse(&received, End::NotYet) {
            return Some(answer);
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return Answer::parse(&received, End::Reached),
            Ok(length) => received.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Whether more bytes can come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    Reached,
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Every byte of it.
    pub(crate) raw: Vec<u8>,
}

impl Answer {
    fn parse(received: &[u8], end: End) -> Option<Self> {
        let head_end = find(received, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&received[..head_end]).into_owned();
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let rest = &received[head_end + 4..];
        if (100..200).contains(&status) {
            return Self::parse(rest, end);
        }
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let value = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let body = if status == 204 || status == 304 {
            Vec::new()
        } else if value("transfer-encoding").is_some() {
            unchunk(rest)?
        } else if let Some(length) = value("content-length") {
            rest.get(..length.parse().ok()?)?.to_vec()
        } else if end == End::Reached {
            rest.to_vec()
        } else {
            return None;
        };
        Some(Self { status, headers, body, raw: received.to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The stable code of a problem document.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.raw))
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let chunk = rest.get(line + 2..line + 2 + size)?;
        body.extend_from_slice(chunk);
        rest = rest.get(line + 4 + size..)?;
        if size == 0 {
            return Some(body);
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// As forms and queries encode a value.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
