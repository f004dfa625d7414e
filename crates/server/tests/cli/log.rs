//! A log that nobody reads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::place::*;

/// More lines than wait for their turn and a pipe holds.
const REFUSALS: usize = 8000;

/// Whoever makes a server log, while nothing reads the log, stops nobody's requests.
#[test]
fn a_log_that_is_not_read_holds_up_no_request() {
    let place = Place::new();
    place.write_config("[listen]\npublic = \"127.0.0.1:0\"\ninternal = \"127.0.0.1:0\"");
    let mut server = Command::new(BINARY)
        .arg("serve")
        .env("VESTIBULE_CONFIG", place.config())
        .env_remove("RUST_LOG")
        .current_dir(place.folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let internal = address(&mut log);
    let server = Server { child: server, public: internal, internal, log: place.folder.path().join("log") };
    let mut stream = TcpStream::connect(server.internal).unwrap();
    // Waiting longer than this is the log holding things up.
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for _ in 0..REFUSALS {
        // A proxy that describes no request is worth a line.
        stream.write_all(b"GET /check HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(answer(&mut stream).starts_with("HTTP/1.1 403"));
    }
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let metrics = answer(&mut stream);
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("vestibule_log_lines_dropped_total "));
    assert!(dropped.unwrap().parse::<f64>().unwrap() > 0.0, "{dropped:?}");
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
