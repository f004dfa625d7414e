//! What breaks on the way through the built-in proxy is booked as the failure of whoever broke it: a client that breaks off is no reason to
//! wake the operator of a service.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::personas::{Ask, Door, Scene, Vestibule, loopback};

/// What a client does to its body.
const BREAKS: [(&str, &str); 6] = [
    ("Content-Length: 100", "ten bytes."),
    ("Content-Length: 100", ""),
    ("Transfer-Encoding: chunked", "a\r\nten by"),
    ("Transfer-Encoding: chunked", "zz\r\nten bytes.\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "3\r\nten bytes.\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "a\r\nten bytes.\r\n-1\r\n\r\n"),
];

struct Books {
    by_clients: f64,
    by_services: f64,
}

fn books(vestibule: &Vestibule) -> Books {
    Books {
        by_clients: vestibule.metric("vestibule_client_failures_total", ""),
        by_services: vestibule.metric("vestibule_upstream_failures_total", ""),
    }
}

/// Waits until so many failures of both kinds are booked.
#[track_caller]
fn booked(vestibule: &Vestibule, by_clients: f64, by_services: f64) {
    let began = Instant::now();
    loop {
        let books = books(vestibule);
        if (books.by_clients, books.by_services) == (by_clients, by_services) {
            return;
        }
        let late = began.elapsed() > Duration::from_secs(20);
        assert!(!late, "{} by clients, {} by services", books.by_clients, books.by_services);
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn posting(to: SocketAddr, framing: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head =
        format!("POST /public/up HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{framing}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn a_body_that_its_client_breaks_is_the_clients_failure() {
    let scene = Scene::behind(Door::BuiltIn);
    for (index, (framing, body)) in BREAKS.into_iter().enumerate() {
        let mut stream = posting(scene.front, framing, body);
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{framing} {body:?}: {answer:?}");
        assert!(answer.contains("\"code\":\"request-broken\""), "{framing} {body:?}: {answer:?}");
        booked(&scene.vestibule, (index + 1) as f64, 0.0);
    }
    // Gone without a word: there is nobody to answer.
    let before = BREAKS.len() as f64;
    for (framing, body) in BREAKS.into_iter().take(3) {
        drop(posting(scene.front, framing, body));
    }
    std::thread::sleep(Duration::from_millis(500));
    let after = books(&scene.vestibule);
    assert!(after.by_clients >= before && after.by_services == 0.0, "{}", after.by_services);
    assert!(scene.service.take().is_empty(), "no service is shown half a request as a whole one");
    let logged = scene.vestibule.logged();
    assert!(!logged.lines().any(|line| line.contains("\"WARN\"") && line.contains("behind")), "{logged}");
    // The service is still asked, and answers.
    assert_eq!(Ask::post("/public/up").body("whole").send(scene.front).status, 200);
}

/// A service that takes whatever comes, says these bytes and hangs up.
fn service_that_says(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind(loopback(0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut some = [0; 4096];
            let _ = stream.read(&mut some);
            let _ = stream.write_all(&bytes);
        }
    });
    address
}

fn before(service: SocketAddr) -> Vestibule {
    let mut vestibule = Vestibule::installed();
    let top = format!("public_url = \"http://{}\"", vestibule.public);
    let route = format!("[[route]]\npath = \"/\"\nrequire = \"public\"\nupstream = \"http://{service}\"");
    vestibule.configure(&top, &route);
    vestibule.start();
    vestibule
}

#[test]
fn an_answer_that_breaks_off_is_the_services_failure() {
    for (bytes, is_told) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"[..], false),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n", false),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf of it\r\n0\r\n\r\n", false),
        (b"HTTP/1.1 200 OK\r\nContent-Le", true),
        (b"", true),
    ] {
        let vestibule = before(service_that_says(bytes.to_vec()));
        let answer = Ask::get("/").try_send(vestibule.public);
        match (&answer, is_told) {
            (Some(answer), true) => {
                assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-broken"))
            }
            (None, false) => {}
            _ => panic!("{:?}: {answer:?}", String::from_utf8_lossy(bytes)),
        }
        booked(&vestibule, 0.0, 1.0);
        let cut = vestibule.metric("vestibule_upstream_failures_total", "upstream-cut");
        assert_eq!(cut, if is_told { 0.0 } else { 1.0 });
        let logged = vestibule.logged();
        let lines: Vec<&str> = logged.lines().filter(|line| line.contains("upstream.failure")).collect();
        assert!(lines.len() == 1 && lines[0].contains("\"WARN\""), "{logged}");
    }
}

/// Who leaves in the middle of an answer leaves.
#[test]
fn a_client_that_leaves_during_its_answer_is_no_failure() {
    let mut long = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n".to_vec();
    long.resize(long.len() + 9_000_000, b'x');
    let vestibule = before(service_that_says(long));
    for _ in 0..3 {
        let mut stream = TcpStream::connect(vestibule.public).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut some = [0; 1000];
        stream.read_exact(&mut some).unwrap();
        drop(stream);
    }
    std::thread::sleep(Duration::from_millis(500));
    booked(&vestibule, 0.0, 0.0);
}
