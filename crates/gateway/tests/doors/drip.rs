//! Bodies that come drop by drop: each holds a connection here and one to the service behind.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vestibule_gateway::Timeouts;

use crate::app::App;
use crate::wire::{Gate, OK, code, service, status};

const WINDOW: Duration = Duration::from_millis(500);
const HEAD: &str =
    "POST /public/ HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n";

/// Two kilobytes a second, which is one in each window.
fn strict() -> Timeouts {
    Timeouts { connect: Duration::from_secs(2), first_byte: WINDOW, slowest_body: 2000 }
}

/// Sends so many bytes every fifty milliseconds until the gate hangs up or the body is whole; the answer, and when it ended.
async fn upload(gate: &Gate, bytes: usize) -> (String, Duration) {
    let began = Instant::now();
    let (mut reading, mut writing) = TcpStream::connect(gate.address).await.unwrap().into_split();
    writing.write_all(HEAD.as_bytes()).await.unwrap();
    let sending = tokio::spawn(async move {
        let mut left = 100_000;
        while left > 0 {
            let now = bytes.min(left);
            if writing.write_all(&vec![b'x'; now]).await.is_err() {
                break;
            }
            left -= now;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        writing
    });
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), reading.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "{bytes} bytes at a time are still being taken");
    sending.abort();
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

/// DS-02: a byte now and then does not keep an upload going, and one that keeps the pace takes as long as it takes.
#[tokio::test]
async fn a_dripped_body_ends_and_a_streamed_one_goes_through() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::with(App::before(Some(&uri)), strict()).await;
    let (answer, held) = upload(&gate, 1).await;
    assert_eq!((status(&answer), &*code(&answer)), (408, "request-timeout"));
    assert!(held < 6 * WINDOW, "held for {held:?}");
    assert_eq!(seen.all(), [""; 0]);

    let (answer, held) = upload(&gate, 2000).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(held > 3 * WINDOW, "too quick to show anything: {held:?}");
    assert!(seen.one().ends_with(&"x".repeat(1000)));
}

/// A service that begins its answer at once, a public one for example, does not end the watch on the body that is still to come.
#[tokio::test]
async fn a_dripped_body_ends_after_the_answer_has_begun_too() {
    let behind = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", behind.local_addr().unwrap()).parse().unwrap();
    let held = tokio::spawn(async move {
        let (mut stream, _) = behind.accept().await.unwrap();
        let began = Instant::now();
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
        let mut taken = Vec::new();
        stream.read_to_end(&mut taken).await.ok();
        began.elapsed()
    });
    let gate = Gate::with(App::before(Some(&uri)), strict()).await;
    let (answer, _) = upload(&gate, 1).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(held.await.unwrap() < 6 * WINDOW, "the connection behind was held");
}
