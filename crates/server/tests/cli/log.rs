//! A log that nobody reads, and one that somebody floods.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::*;

/// More lines than wait for their turn and a pipe holds.
const REFUSALS: usize = 8000;
/// A proxy's question that no route covers: a line at `debug`.
const NO_ROUTE: &[u8] =
    b"GET /check HTTP/1.1\r\nHost: x\r\nX-Original-Method: GET\r\nX-Original-URL: http://x/\r\n\r\n";
/// A question with two session cookies: a warning that any stranger can cause.
const TWO_COOKIES: &[u8] =
    b"GET /check HTTP/1.1\r\nHost: x\r\nX-Original-Method: GET\r\nX-Original-URL: http://x/orders/\r\n\
    Cookie: vestibule=a; vestibule=b\r\n\r\n";

/// Whoever makes a server log, while nothing reads the log, stops nobody's requests; and what people did is kept for who reads it.
#[test]
fn a_log_that_is_not_read_holds_up_no_request_and_loses_no_event() {
    let place = Place::new();
    let (server, mut log) = serve(&place, "debug");
    let mut stream = connect(&server);
    for _ in 0..REFUSALS {
        stream.write_all(NO_ROUTE).unwrap();
        assert!(answer(&mut stream).starts_with("HTTP/1.1 403"));
    }
    place.ok(&["account", "add", "ada@example.com", "--password-stdin"], PASSWORD);
    for _ in 0..4 {
        place.ok(&["account", "disable", "ada@example.com"], "");
    }
    let metrics = metrics(&mut stream);
    assert!(value(&metrics, "vestibule_log_lines_dropped_total") > 0.0, "this test is to fill the queue");
    assert!(value(&metrics, "vestibule_log_events_dropped_total") < 1.0);
    server.signal("TERM");
    let events: Vec<_> =
        rest(&mut log).iter().filter_map(|line| line["event"].as_str().map(str::to_owned)).collect();
    let disabled = events.iter().filter(|event| *event == "account.disabled").count();
    assert_eq!(disabled, 4, "{events:?}");
}

/// What strangers cause is said so often in a second, and the rest is told as a number: none is lost without a word.
#[test]
fn a_flood_of_refusals_is_some_lines_and_a_number() {
    let place = Place::new();
    let (server, mut log) = serve(&place, "info");
    let mut stream = connect(&server);
    let began = Instant::now();
    for _ in 0..REFUSALS {
        stream.write_all(TWO_COOKIES).unwrap();
        assert!(answer(&mut stream).starts_with("HTTP/1.1 401"));
    }
    let seconds = began.elapsed().as_secs() + 1;
    let left_out = value(&metrics(&mut stream), "vestibule_log_lines_left_out_total");
    server.signal("TERM");
    let lines = rest(&mut log);
    let said = lines.iter().filter(|line| line["reject.code"] == "cookie-ambiguous").count();
    let numbers =
        lines.iter().filter(|line| line["what"] == "refused").filter_map(|line| line["lines"].as_u64());
    let told: u64 = numbers.sum();
    assert!((20..=20 * seconds).contains(&(said as u64)), "{said} lines in {seconds} s");
    assert_eq!(said as u64 + told, REFUSALS as u64);
    assert!((left_out - told as f64).abs() < 0.5, "{left_out} by the metric, {told} by the log");
}

/// A server whose log goes into a pipe.
fn serve(place: &Place, filter: &str) -> (Server, BufReader<ChildStderr>) {
    let any = "127.0.0.1:0".parse().unwrap();
    place.write_config(&format!("public_url = \"http://127.0.0.1:8080\"\n{}", routes(any, any, "/orders/")));
    let mut child = Command::new(BINARY)
        .arg("serve")
        .env("VESTIBULE_CONFIG", place.config())
        .env("RUST_LOG", filter)
        .current_dir(place.folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let internal = address(&mut log);
    let server = Server { child, public: internal, internal, log: place.folder.path().join("log") };
    (server, log)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.internal).unwrap();
    // Waiting longer than this is the log holding things up.
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn metrics(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    answer(stream)
}

#[track_caller]
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

/// What is left of the log, to its end.
fn rest(log: &mut impl BufRead) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

/// Reads the log as far as the line that says where the server is.
fn address(log: &mut impl BufRead) -> SocketAddr {
    loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended");
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["message"] == "ready" {
            return line["internal"].as_str().unwrap().parse().unwrap();
        }
    }
}

/// One answer on a connection that goes on.
fn answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "the server hung up");
        read.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return text.into_owned();
        }
    }
}
