//! Bytes that two servers could read as one request or as two. Through every door: what is hidden behind a request never becomes a
//! request of its own at the service, and the next person on a shared connection gets their own answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::personas::{Door, Scene};

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: x\r\nX-Auth-Subject: mallory\r\n\r\n";

/// Heads whose bodies end in two places (GW-04), by name. Each is followed by what hides [`HIDDEN`].
fn ambiguous() -> Vec<(&'static str, String)> {
    let length = HIDDEN.len() + 5;
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let in_chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    vec![
        ("both lengths", format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}")),
        (
            "both, the other way",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{chunked}"),
        ),
        ("short length", format!("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{in_chunk}")),
        ("two lengths", format!("Content-Length: 0\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len())),
        ("a list of lengths", format!("Content-Length: 0, {}\r\n\r\n{HIDDEN}", HIDDEN.len())),
        ("a signed length", format!("Content-Length: +{}\r\n\r\n{HIDDEN}", HIDDEN.len())),
        ("an odd coding", format!("Transfer-Encoding: xchunked\r\n\r\n{chunked}")),
        (
            "two codings",
            format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n{chunked}"),
        ),
        (
            "a coding behind a tab",
            format!("Transfer-Encoding:\tchunked\r\nContent-Length: {length}\r\n\r\n{chunked}"),
        ),
        (
            "a space before the colon",
            format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n{chunked}"),
        ),
        (
            "a folded header",
            format!("Transfer-Encoding:\r\n chunked\r\nContent-Length: {length}\r\n\r\n{chunked}"),
        ),
        (
            "a bare line feed",
            format!("X: y\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{chunked}"),
        ),
        (
            "a bare carriage return",
            format!("X: y\rTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{chunked}"),
        ),
        ("a chunk size with more", format!("Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{HIDDEN}")),
        (
            "a chunk size beyond all",
            format!("Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n{HIDDEN}"),
        ),
    ]
}

#[test]
fn what_is_hidden_behind_a_request_never_becomes_one_of_its_own_at_the_service() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let client = scene.api_client();
        for (name, rest) in ambiguous() {
            let head = format!(
                "POST /orders/ HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{rest}",
                scene.front, client.session_token
            );
            let mut stream = TcpStream::connect(scene.front).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            let mut answers = Vec::new();
            // Until it is closed, or silent.
            let _ = stream.read_to_end(&mut answers);
            let answers = String::from_utf8_lossy(&answers).into_owned();
            let arrived = scene.service.take();
            assert!(arrived.len() <= 1, "{door:?}, {name}: {arrived:#?}");
            for received in &arrived {
                // Carried as one request whose body is what was hidden: harmless, and said once.
                assert!(received.line.starts_with("POST /orders/ "), "{door:?}, {name}: {received:#?}");
                assert!(
                    !received.folded("x-auth-subject").contains(&"mallory"),
                    "{door:?}, {name}: {received:#?}"
                );
            }
            // The hidden request may be answered, as one that nobody signed in sent, but by us.
            assert!(!answers.contains("hello mallory"), "{door:?}, {name}: {answers}");

            // Whoever comes next, on whichever connection to the service, gets their own answer.
            let next = client.get("/orders/next");
            assert_eq!(next.text(), format!("hello {}", scene.subject), "{door:?}, {name}");
            assert_eq!(scene.service.one().line, "GET /orders/next HTTP/1.1", "{door:?}, {name}");
        }
    }
}

/// GW-04: two hosts, or a host that is not the one in an absolute URL, are refused where they are read in two ways.
#[test]
fn two_hosts_in_one_request_reach_no_service() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let client = scene.api_client();
        for host in [
            format!("Host: {}\r\nHost: elsewhere.example", scene.front),
            format!("Host: {}, elsewhere.example", scene.front),
            format!("Host: {}/orders/", scene.front),
            "Host: user@elsewhere.example".to_owned(),
        ] {
            let bytes = format!(
                "GET /orders/ HTTP/1.1\r\n{host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
                client.session_token
            );
            let answer = crate::personas::exchange(scene.front, bytes.as_bytes());
            let arrived = scene.service.take();
            let refused = answer.as_ref().is_none_or(|answer| (400..500).contains(&answer.status));
            // Caddy answers nothing at all, with 200, for a host it does not serve.
            let unserved = answer.as_ref().is_some_and(|answer| answer.body.is_empty());
            assert!(arrived.is_empty() && (refused || unserved), "{door:?} {host}: {answer:?} {arrived:#?}");
        }
    }
}
