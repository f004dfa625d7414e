//! An issuer on loopback that answers real HTTP as a test tells it to, and keeps what it was asked.
#![expect(dead_code, reason = "each test uses its own part of this")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::common::{AUDIENCE, Forge, forge as forged, jwks};

pub(crate) const METADATA: &str = "/.well-known/oauth-authorization-server";
pub(crate) const KEYS: &str = "/.well-known/jwks.json";

/// One request, as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) head: String,
}

/// What to answer; a path without one is 404.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How the body comes.
    pub(crate) pace: Pace,
}

#[derive(Clone, Copy)]
pub(crate) enum Pace {
    AtOnce,
    /// In chunks, without saying how long it is.
    Chunked,
    /// A byte now and then.
    Trickling,
    /// Never.
    Silent,
}

pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    answers: HashMap<String, Answer>,
    is_down: bool,
}

impl Issuer {
    /// It publishes its metadata and the keys of these forges.
    pub(crate) fn of(forges: &[&Forge]) -> Self {
        let issuer = Self::silent();
        issuer.answer(METADATA, Answer::json(&issuer.metadata()));
        issuer.publish(forges);
        issuer
    }

    /// It answers 404 to everything.
    pub(crate) fn silent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let answering = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answering = Arc::clone(&answering);
                std::thread::spawn(move || answer(stream, &answering));
            }
        });
        Self { url: format!("http://{address}"), address, state }
    }

    pub(crate) fn metadata(&self) -> Value {
        json!({ "issuer": self.url, "jwks_uri": self.at(KEYS), "response_types_supported": [] })
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn publish(&self, forges: &[&Forge]) {
        let mut answer = Answer::json(&jwks(forges));
        answer
            .headers
            .push(("etag", format!("\"{:x}\"", answer.body.iter().map(|it| u64::from(*it)).sum::<u64>())));
        answer.headers.push(("cache-control", "public, max-age=300".to_owned()));
        self.answer(KEYS, answer);
    }

    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.state().answers.insert(path.to_owned(), answer);
    }

    /// Connections are closed without a word from now on, or no longer.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// How often it was asked for this path.
    pub(crate) fn times(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.path == path).count()
    }

    /// A forge whose tokens are of this issuer, and valid by the clock of this machine.
    pub(crate) fn forge(&self, algorithm: &str) -> Forge {
        current(&self.url, forged(algorithm))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self::of("application/json", body.to_string())
    }

    pub(crate) fn of(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", media_type.to_owned())];
        Self { status: 200, headers, body: body.into(), pace: Pace::AtOnce }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::of("application/json", "{}") }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

/// The same forge for another issuer, now.
pub(crate) fn current(issuer: &str, mut forge: Forge) -> Forge {
    forge.now = now();
    let times = [("iat", forge.now - 30), ("exp", forge.now + 90), ("auth_time", forge.now - 600)];
    forge.claims.extend(times.map(|(claim, value)| (claim.to_owned(), json!(value))));
    forge.claims.insert("iss".to_owned(), json!(issuer));
    forge.claims.insert("aud".to_owned(), json!(AUDIENCE));
    forge
}

#[expect(clippy::disallowed_methods, reason = "the verifier reads the clock of this machine")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// One connection, one question. Whoever asks may go away at any time.
fn answer(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
        if !head.first()?.is_ascii_alphabetic() {
            // TLS is spoken to it: it answers as plain HTTP servers do.
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let path = head.split(' ').nth(1)?.to_owned();
    let answer = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked { at: Instant::now(), path: path.clone(), head: head.clone() });
        if state.is_down {
            return None;
        }
        state.answers.get(&path).cloned().unwrap_or(Answer::status(404))
    };
    let etag = answer.headers.iter().find(|(name, _)| *name == "etag").map(|(_, value)| value.clone());
    let is_known = etag.is_some_and(|etag| head.contains(&format!("if-none-match: {etag}\r\n")));
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    if is_known {
        return write!(stream, "HTTP/1.1 304 Not Modified\r\n{headers}connection: close\r\n\r\n").ok();
    }
    let length = answer.body.len();
    let framing = match answer.pace {
        Pace::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        _ => format!("content-length: {length}\r\n"),
    };
    write!(stream, "HTTP/1.1 {} Told\r\n{headers}{framing}connection: close\r\n\r\n", answer.status).ok()?;
    match answer.pace {
        Pace::AtOnce => stream.write_all(&answer.body).ok(),
        Pace::Chunked => {
            for chunk in answer.body.chunks(1000) {
                write!(stream, "{:x}\r\n", chunk.len()).ok()?;
                stream.write_all(chunk).ok()?;
                stream.write_all(b"\r\n").ok()?;
            }
            stream.write_all(b"0\r\n\r\n").ok()
        }
        Pace::Trickling => answer.body.iter().try_for_each(|byte| {
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(&[*byte]).ok()
        }),
        Pace::Silent => {
            std::thread::sleep(Duration::from_secs(3));
            None
        }
    }
}
