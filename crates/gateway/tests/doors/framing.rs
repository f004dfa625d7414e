//! GW-04: bytes that two servers could read as two different requests are answered 400, end the connection, and never reach the
//! service. Each case would smuggle a request for `/smuggled` past somebody.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{Gate, OK, Seen, service, status};

const SMUGGLED: &str = "GET /public/smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";

/// A head out of its lines, all but the first of which are fields.
fn head(lines: &[&str]) -> Vec<u8> {
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

fn post(fields: &[&str]) -> Vec<u8> {
    head(&[&["POST /public/ HTTP/1.1", "Host: app.test"], fields].concat())
}

fn lengths_and_codings() -> Vec<Vec<u8>> {
    let mut cases = Vec::new();
    for length in ["Content-Length: 5", "content-length:5", "CONTENT-LENGTH: 0"] {
        for coding in [
            "Transfer-Encoding: chunked",
            "transfer-encoding:chunked",
            "TRANSFER-ENCODING: Chunked",
            "Transfer-Encoding:\tchunked",
        ] {
            cases.push(post(&[length, coding]));
            cases.push(post(&[coding, length]));
            cases.push(post(&[coding, "X: y", length]));
        }
    }
    for coding in [
        "",
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ", chunked",
        "identity",
        "chunked, identity",
        "xchunked",
        "chunkedx",
        "chun ked",
        "\"chunked\"",
        "'chunked'",
        "chunked;q=1",
        "chunked ;",
        "\u{b}chunked",
        "chunked\u{c}",
        "chunked\u{b}",
        "\u{a0}chunked",
        "ch\u{fc}nked",
        "cow",
        "0",
        "x-chunked",
        "trailers",
        "chunked\u{0}",
        "\u{1}chunked",
    ] {
        cases.push(post(&[&format!("Transfer-Encoding: {coding}")]));
        cases.push(post(&["Transfer-Encoding: chunked", &format!("Transfer-Encoding: {coding}")]));
        cases.push(post(&[&format!("Transfer-Encoding: {coding}"), "Transfer-Encoding: chunked"]));
    }
    for length in [
        "",
        " ",
        "+5",
        "-5",
        "5 5",
        "5, 5",
        "5,5",
        "5,",
        "5;",
        "5.0",
        "5e0",
        "0x5",
        "5a",
        "a",
        "\u{663}",
        "\"5\"",
        "five",
        "5\u{b}",
        "\u{a0}5",
        "18446744073709551616",
        "9999999999999999999999",
        "99999999999999999999999999999999",
        "-0",
        "+0",
        "5\u{0}",
        "5_0",
        "0b1",
        "5 0",
    ] {
        cases.push(post(&[&format!("Content-Length: {length}")]));
        cases.push(post(&["Content-Length: 5", &format!("Content-Length: {length}")]));
    }
    for second in ["5", "05", "0", "6"] {
        cases.push(post(&["Content-Length: 5", &format!("Content-Length: {second}")]));
    }
    for name in ["Content-Length", "Transfer-Encoding", "Host", "X"] {
        for gap in [" ", "\t", "  ", "\u{b}", "\u{0}", "\r", "\u{7f}"] {
            cases.push(post(&[&format!("{name}{gap}: chunked")]));
            cases.push(post(&[&format!("{gap}{name}: chunked")]));
        }
    }
    cases.push(head(&["POST /public/ HTTP/1.0", "Host: app.test", "Transfer-Encoding: chunked"]));
    cases
}

fn lines() -> Vec<Vec<u8>> {
    let mut cases = Vec::new();
    let good = post(&["X: y", "Content-Length: 0"]);
    let ends: Vec<usize> =
        good.windows(2).enumerate().filter(|(_, pair)| *pair == b"\r\n").map(|(at, _)| at).collect();
    for end in ends {
        for instead in ["\n", "\r", "\n\r", "\r\r\n", "\r \n", "\r\n ", "\r\n\t"] {
            let mut case = good.clone();
            case.splice(end..end + 2, instead.bytes());
            // A fold after the end of the head is the next request's trouble.
            if !case.starts_with(&good) {
                cases.push(case);
            }
        }
    }
    for control in (0..=0x1f_u8).filter(|control| !b"\t\r\n".contains(control)).chain([0x7f]) {
        let at = |before: &str, after: &str| [before.as_bytes(), &[control], after.as_bytes()].concat();
        cases.push(at("GET /pub", "lic/ HTTP/1.1\r\nHost: app.test\r\n\r\n"));
        cases.push(at("G", "ET /public/ HTTP/1.1\r\nHost: app.test\r\n\r\n"));
        cases.push(at("GET /public/ HTTP/1.1\r\nHost: app.test\r\nX", "Y: z\r\n\r\n"));
        cases.push(at("GET /public/ HTTP/1.1\r\nHost: app.test\r\nX: y", "z\r\n\r\n"));
        cases.push(at("GET /public/ HTTP/1.1\r\nHost: app", ".test\r\n\r\n"));
    }
    for start in [
        "GET /public/",
        "GET  /public/ HTTP/1.1",
        "GET\t/public/ HTTP/1.1",
        "GET /public/\tHTTP/1.1",
        " GET /public/ HTTP/1.1",
        "GET /public/ HTTP/1.2",
        "GET /public/ HTTP/2.0",
        "GET /public/ HTTP/0.9",
        "GET /public/ http/1.1",
        "GET /public/ HTTP/1.1 ",
        "GET /public/ HTTP/11",
        "GET /public/ x HTTP/1.1",
        "GET /public/#x HTTP/1.1",
        "GET /public/?#/orders/ HTTP/1.1",
        "GET /public/ HTTP/1.1\u{0}",
        "/public/ HTTP/1.1",
        "GET public/ HTTP/1.1",
        "G(T /public/ HTTP/1.1",
        "GET /public/\u{a0} HTTP/1.1",
        "PRI * HTTP/2.0",
        "\u{16}\u{3}\u{1}",
        "GET /public/\\x HTTP/1.1",
        "GET ?/public/ HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
    ] {
        cases.push(head(&[start, "Host: app.test"]));
    }
    for field in [
        "X",
        ":",
        ": x",
        "X y: z",
        "X\"y\": z",
        "X: y\r\n z",
        "(X): y",
        "X/Y: z",
        "H\u{f6}st: x",
        "[x]: y",
        "x@y: z",
    ] {
        cases.push(post(&[field]));
    }
    cases
}

fn hosts() -> Vec<Vec<u8>> {
    let mut cases = vec![head(&["GET /public/ HTTP/1.1"]), head(&["GET /public/ HTTP/1.0"])];
    for host in [
        "",
        " ",
        "app.test, evil.test",
        "app.test evil.test",
        "ada@app.test",
        "app.test/public",
        "app.test:",
        "app.test:x",
        "app.test:1234567",
        "app.test#",
        "app.test?",
        "app.test\\",
        "[",
        "[::1",
        "app.test:80:80",
        "http://app.test",
        "app.test\u{a0}",
        "<app.test>",
        "app%2etest",
    ] {
        cases.push(head(&["GET /public/ HTTP/1.1", &format!("Host: {host}")]));
    }
    for (one, other) in
        [("app.test", "app.test"), ("app.test", "evil.test"), ("evil.test", "app.test"), ("app.test", "")]
    {
        cases.push(head(&["GET /public/ HTTP/1.1", &format!("Host: {one}"), &format!("HOST: {other}")]));
    }
    for target in [
        "http://evil.test/public/",
        "http://app.test:81/public/",
        "http://ada@app.test/public/",
        "https://evil.test/public/",
        "http://app.test.evil.test/public/",
        "http://app.test#/public/",
        "//app.test/public/",
        "http:///public/",
    ] {
        cases.push(head(&[&format!("GET {target} HTTP/1.1"), "Host: app.test"]));
    }
    cases
}

async fn is_refused(gate: &Gate, seen: &Seen, case: &[u8]) {
    let shown = String::from_utf8_lossy(case).into_owned();
    let answer = gate.send([case, SMUGGLED.as_bytes()].concat()).await;
    assert_eq!(status(&answer), 400, "{shown:?} -> {answer:?}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "one answer for {shown:?}: {answer:?}");
    assert_eq!(seen.take(), [""; 0], "{shown:?}");
}

#[tokio::test]
async fn heads_with_two_readings_are_refused_and_end_the_connection() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let cases = [lengths_and_codings(), lines(), hosts()].concat();
    assert!(cases.len() >= 400, "{} cases", cases.len());
    for case in &cases {
        is_refused(&gate, &seen, case).await;
    }
}

/// With the head read, the answer may be under way already; what counts is that no byte of the body becomes a request.
#[tokio::test]
async fn chunks_with_two_readings_end_the_connection() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let head = String::from_utf8(post(&["Transfer-Encoding: chunked"])).unwrap();
    for chunks in [
        "x\r\n",
        "-1\r\na\r\n",
        "+1\r\na\r\n",
        "0x1\r\na\r\n",
        " 1\r\na\r\n",
        "1 \r\na\r\n",
        "\r\n",
        "1\na\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\nab\r\n",
        "1\r\na0\r\n\r\n",
        "1;\na\r\n",
        "1;x\ny\r\na\r\n",
        "1;\rx\r\na\r\n",
        "10000000000000000\r\n",
        "ffffffffffffffffff\r\n",
        "1,1\r\na\r\n",
        "1\u{b}\r\na\r\n",
        "\u{661}\r\na\r\n",
        "0\r\nX\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\n\r\n",
        "0\r\n\n",
        "0\r\n\r",
    ] {
        let answer = gate.send(format!("{head}{chunks}{SMUGGLED}")).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{chunks:?} -> {answer:?}");
        assert!(!seen.take().iter().any(|request| request.contains("smuggled")), "{chunks:?}");
    }
}

#[tokio::test]
async fn an_honest_conversation_goes_on_over_one_connection() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let body = "Content-Length: 3\r\n\r\nabc";
    let text = format!(
        "POST /public/1 HTTP/1.1\r\nHost: app.test\r\n{body}\
         POST /public/2 HTTP/1.1\r\nHost: APP.test:443\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n\
         GET http://app.test/public/3 HTTP/1.1\r\nHost: app.test\r\n\r\n\
         GET /public/4?a#b HTTP/1.1\r\nHost: app.test\r\n\r\n"
    );
    let answer = gate.send(text).await;
    let paths: Vec<String> =
        seen.take().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(paths, ["/public/1", "/public/2", "/public/3"], "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 3);
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "the fragment: {answer}");
}

/// A body that nobody read must not be read as the next request (CVE-2025-4366).
#[tokio::test]
async fn the_body_of_a_refused_request_is_never_a_request() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    for refused in ["/orders/", "/nowhere"] {
        let text = format!(
            "POST {refused} HTTP/1.1\r\nHost: app.test\r\nContent-Length: {}\r\n\r\n{SMUGGLED}",
            SMUGGLED.len()
        );
        let next = "GET /public/next HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
        let answer = gate.send(text + next).await;
        assert!(matches!(status(&answer), 401 | 403), "{answer}");
        assert!(seen.one().starts_with("GET /public/next "), "{refused}");
    }
    // Too much to read: the answer comes, and the connection ends.
    let mut stream = TcpStream::connect(gate.address).await.unwrap();
    stream
        .write_all(b"POST /orders/ HTTP/1.1\r\nHost: app.test\r\nContent-Length: 900000\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&[b'x'; 80_000]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 401);
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(seen.take(), [""; 0]);
}
