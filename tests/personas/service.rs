//! A service behind, in this process: it keeps all it receives, and believes nothing but JWTs that `vestibule-verify` finds good by the
//! published keys.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use vestibule_verify::jwe::DecryptionKeys;
use vestibule_verify::{KeySet, Verifier};

use super::place::loopback;
use super::wire::Ask;

/// A request as the service received it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The verified claims, or why there are none.
    pub(crate) claims: Result<Value, String>,
}

impl Received {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The values of all headers that a careless service would fold into this one.
    pub(crate) fn folded(&self, name: &str) -> Vec<&str> {
        let letter = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' };
        let fold = |name: &str| name.chars().map(letter).collect::<String>();
        let alike = self.headers.iter().filter(|(found, _)| fold(found) == name);
        alike.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn jwt(&self) -> Option<&str> {
        self.all("authorization").first()?.strip_prefix("Bearer ")
    }

    /// All of it in one text, to look for what must not be there.
    pub(crate) fn whole(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{}\n{headers}\n{}", self.line, String::from_utf8_lossy(&self.body))
    }
}

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    received: Mutex<Vec<Received>>,
    /// Header lines of the story's own in every answer.
    lines: Mutex<String>,
    policy: Mutex<Option<Policy>>,
}

struct Policy {
    verifier: Verifier,
    keys_from: SocketAddr,
}

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(loopback(0)).unwrap();
        let address = listener.local_addr().unwrap();
        let inner =
            Arc::new(Inner { received: Mutex::default(), lines: Mutex::default(), policy: Mutex::default() });
        let answering = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answering = Arc::clone(&answering);
                std::thread::spawn(move || answering.converse(stream));
            }
        });
        Self { address, inner }
    }

    /// Tells it whose JWTs to believe, and where their keys are published.
    pub(crate) fn trust(&self, issuer: &str, audience: &str, keys_from: SocketAddr) {
        let verifier = Verifier::new(issuer, audience, KeySet::default());
        *self.inner.policy.lock().unwrap() = Some(Policy { verifier, keys_from });
    }

    /// The same, and nothing but what is encrypted to this private JWK.
    pub(crate) fn trust_nested(&self, issuer: &str, audience: &str, keys_from: SocketAddr, jwk: &str) {
        let keys = DecryptionKeys::from_text(jwk).unwrap();
        let verifier = Verifier::new(issuer, audience, KeySet::default()).nested(keys);
        *self.inner.policy.lock().unwrap() = Some(Policy { verifier, keys_from });
    }

    /// Adds headers to every answer from now on, in place of those of an earlier call.
    pub(crate) fn answer_with(&self, headers: &[(&str, &str)]) {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        *self.inner.lines.lock().unwrap() = lines;
    }

    /// The same as text; each line ends in CR LF.
    pub(crate) fn says(&self, header_lines: &str) {
        header_lines.clone_into(&mut self.inner.lines.lock().unwrap());
    }

    /// What arrived since the last look.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.inner.received.lock().unwrap())
    }

    /// The one request that arrived since the last look.
    #[track_caller]
    pub(crate) fn one(&self) -> Received {
        let mut received = self.take();
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }

    /// Waits until a request has arrived, without taking it.
    pub(crate) fn wait_for_one(&self) {
        let began = Instant::now();
        while self.inner.received.lock().unwrap().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing arrived at the service");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Inner {
    fn converse(&self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some(received) = self.receive(&mut stream, &mut buffer) {
            let target = received.line.split(' ').nth(1).unwrap_or_default().to_owned();
            let (status, body) = match &received.claims {
                Ok(claims) => ("200 OK", format!("hello {}", claims["sub"].as_str().unwrap_or_default())),
                Err(_) if target.starts_with("/public/") && received.jwt().is_none() => {
                    ("200 OK", "hello stranger".to_owned())
                }
                Err(why) => ("401 Unauthorized", format!("this service does not know you ({why})")),
            };
            // A careless service: it tells everyone what it was given.
            let jwt = received.jwt().unwrap_or_default().to_owned();
            self.received.lock().unwrap().push(received);
            if target.contains("slow") {
                std::thread::sleep(Duration::from_secs(2));
            }
            let leak = if target.contains("leak") {
                format!("Authorization: Bearer {jwt}\r\nX-Auth-Subject: leaked\r\nX-Auth-Session: leaked\r\n")
            } else {
                String::new()
            };
            let lines = self.lines.lock().unwrap().clone();
            let answer = format!(
                "HTTP/1.1 {status}\r\n{leak}{lines}Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn receive(&self, stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
        let head_end = read_until(stream, buffer, |bytes| {
            bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
        })?;
        let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
        buffer.drain(..head_end);
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next()?.to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let mut received = Received { line, headers, body: Vec::new(), claims: Err("no JWT".into()) };
        let end = match (received.all("content-length").first(), received.all("transfer-encoding").first()) {
            (_, Some(_)) => read_until(stream, buffer, |bytes| {
                bytes.windows(5).position(|window| window == b"0\r\n\r\n").map(|at| at + 5)
            })?,
            (Some(length), None) => {
                let length: usize = length.parse().ok()?;
                read_until(stream, buffer, |bytes| (bytes.len() >= length).then_some(length))?
            }
            (None, None) => 0,
        };
        received.body = buffer.drain(..end).collect();
        received.claims = self.judge(&received);
        Some(received)
    }

    fn judge(&self, received: &Received) -> Result<Value, String> {
        let policy = self.policy.lock().unwrap();
        let policy = policy.as_ref().ok_or("no policy")?;
        let jwt = match received.all("authorization")[..] {
            [one] => one.strip_prefix("Bearer ").ok_or("no bearer")?,
            [] => return Err("no JWT".into()),
            _ => return Err("two credentials".into()),
        };
        let verify = || policy.verifier.verify(jwt).map(|claims| Value::Object(claims.members().clone()));
        verify().or_else(|_| {
            // An unknown key may be a new one.
            let jwks = Ask::get("/.well-known/jwks.json").send(policy.keys_from).text();
            policy.verifier.replace_keys(KeySet::from_jwks(&jwks).map_err(|error| error.to_string())?);
            verify().map_err(|reject| reject.code().to_owned())
        })
    }
}

fn read_until(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    end: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    let mut some = [0; 16 * 1024];
    loop {
        if let Some(end) = end(buffer) {
            return Some(end);
        }
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return None,
            Ok(length) => buffer.extend_from_slice(&some[..length]),
        }
    }
}
