//! Plain TCP on both sides of the proxy door: a client that sends exactly the bytes it is told to, and a service that keeps
//! exactly the bytes it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vestibule_core::csrf::origin::Origin;
use vestibule_core::wire::CookieName;
use vestibule_core::wire::cookie::Https;
use vestibule_gateway::door::proxy::{ProxyDoor, RefusalPages};
use vestibule_gateway::framing::Strict;
use vestibule_gateway::{ClientBody, Timeouts};

use crate::app::{App, ORIGIN};

const PATIENCE: Duration = Duration::from_secs(10);

/// Requests as the service received them, byte for byte.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The one request that was received since the last look.
    pub(crate) fn one(&self) -> String {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen.remove(0)
    }
}

/// All values of a header in a raw message.
pub(crate) fn values<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let head = message.split("\r\n\r\n").next().unwrap();
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A service that answers what it is told to, by request.
pub(crate) async fn service(answer: fn(&str) -> String) -> (http::Uri, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let seen = Seen::default();
    let keeps = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let keeps = keeps.clone();
            tokio::spawn(async move {
                let mut buffer = Vec::new();
                while let Some(request) = message(&mut stream, &mut buffer).await {
                    let answer = answer(&request);
                    keeps.0.lock().unwrap().push(request);
                    let closes = answer.contains("Connection: close");
                    if stream.write_all(answer.as_bytes()).await.is_err() || closes || answer.is_empty() {
                        break;
                    }
                }
            });
        }
    });
    (uri, seen)
}

/// Reads one message by its own framing; `None` at the end of the connection.
async fn message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some(head) = text.find("\r\n\r\n").map(|at| at + 4) {
            let length = values(&text, "content-length").first().map_or(0, |length| length.parse().unwrap());
            let end = match values(&text, "transfer-encoding").first() {
                Some(_) => text[head..].find("0\r\n\r\n").map(|at| head + at + 5),
                None => Some(head + length).filter(|end| *end <= buffer.len()),
            };
            if let Some(end) = end {
                let rest = buffer.split_off(end);
                let message = std::mem::replace(buffer, rest);
                return Some(String::from_utf8_lossy(&message).into_owned());
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The proxy door of a app on a port of its own.
pub(crate) struct Gate {
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
}

impl Gate {
    pub(crate) async fn before(upstream: &http::Uri) -> Self {
        Self::with(App::before(Some(upstream)), Timeouts::default()).await
    }

    pub(crate) async fn with(app: App, timeouts: Timeouts) -> Self {
        let cookies = vec![
            CookieName::session("vestibule", Https::Yes).unwrap(),
            CookieName::pre_session("vestibule", Https::Yes).unwrap(),
        ];
        let app = Arc::new(app);
        let public = Origin::parse(ORIGIN).unwrap();
        let door = ProxyDoor::new(app.swap.clone(), cookies, &public, timeouts);
        Self::at(app, door).await
    }

    /// The same with pages of the program's own.
    pub(crate) async fn with_pages(upstream: &http::Uri, pages: Arc<dyn RefusalPages>) -> Self {
        let app = Arc::new(App::before(Some(upstream)));
        let public = Origin::parse(ORIGIN).unwrap();
        let door = ProxyDoor::new(app.swap.clone(), Vec::new(), &public, Timeouts::default());
        Self::at(app, door.with_pages(pages)).await
    }

    async fn at(app: Arc<App>, door: ProxyDoor) -> Self {
        let door = Arc::new(door);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let door = door.clone();
                let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let (door, request) = (door.clone(), request.map(ClientBody::from));
                    async move { Ok::<_, std::convert::Infallible>(door.answer(request, peer.ip()).await) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(Strict::new(stream)), answer);
                tokio::spawn(connection);
            }
        });
        Self { app, address }
    }

    /// Sends bytes, and reads until the connection closes.
    pub(crate) async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(read.is_ok(), "the connection stays open after {text:?}");
        text
    }

    /// A whole request for this method and path with these headers, on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> String {
        self.send(request(method, path, headers, "")).await
    }

    /// A signed-in GET with more headers.
    pub(crate) async fn get(&self, path: &str, more: &[(&str, &str)]) -> String {
        let cookie = self.app.cookie();
        self.ask("GET", path, &[&[("Cookie", &*cookie)], more].concat()).await
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text + "\r\n" + body
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.get(9..12).unwrap_or_else(|| panic!("no status in {answer:?}")).parse().unwrap()
}

/// The stable code of a refusal.
pub(crate) fn code(answer: &str) -> String {
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let problem: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|_| panic!("no problem in {answer}"));
    assert_eq!(problem["status"], status(answer));
    assert_eq!(values(answer, "content-type"), ["application/problem+json"]);
    problem["code"].as_str().unwrap().to_owned()
}
