//! What the proxy door carries, how, and what it answers when it cannot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vestibule_core::route::canonical_path;
use vestibule_gateway::Timeouts;
use vestibule_gateway::door::proxy::RefusalPages;

use crate::app::App;
use crate::wire::{Gate, OK, code, request, service, status, values};

const FORM: &str = "application/x-www-form-urlencoded";

/// A POST of a form by a signed-in browser without the header.
async fn post(gate: &Gate, content_type: &str, body: &str) -> String {
    let cookie = gate.app.cookie();
    let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", content_type)];
    gate.send(request("POST", "/orders/", &headers, body)).await
}

#[tokio::test]
async fn a_form_passes_with_its_token_and_unchanged() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let csrf = gate.app.csrf();
    let body = format!("a=1%20+&csrf%5Ftoken={csrf}&b=\u{e9}&&=");
    for content_type in [FORM, "Application/X-WWW-Form-URLencoded; charset=UTF-8"] {
        let answer = post(&gate, content_type, &body).await;
        assert_eq!(status(&answer), 200, "{answer}");
        let request = seen.one();
        assert_eq!(request.split_once("\r\n\r\n").unwrap().1, body);
        assert_eq!(values(&request, "content-length"), [body.len().to_string()]);
    }
    let chunked = format!(
        "POST /orders/ HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        gate.app.cookie(),
        body.len()
    );
    assert_eq!(status(&gate.send(chunked).await), 200);
    assert_eq!(seen.one().split_once("\r\n\r\n").unwrap().1, body);
}

/// CS-02: the token counts in a header or a form's field, once, and nowhere else.
#[tokio::test]
async fn a_form_without_its_one_good_token_goes_nowhere() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let csrf = gate.app.csrf();
    let altered = csrf.replace(csrf.chars().last().unwrap(), "!");
    for (content_type, body) in [
        (FORM, "a=1".to_owned()),
        (FORM, format!("csrf_token={altered}")),
        (FORM, format!("csrf_token={csrf}&csrf_token={csrf}")),
        (FORM, format!("CSRF_TOKEN={csrf}")),
        ("text/plain", format!("csrf_token={csrf}")),
        ("multipart/form-data; boundary=x", format!("csrf_token={csrf}")),
        ("application/json", format!("csrf_token={csrf}")),
    ] {
        let answer = post(&gate, content_type, &body).await;
        assert_eq!((status(&answer), &*code(&answer)), (403, "csrf"), "{content_type} {body}");
    }
    let cookie = gate.app.cookie();
    let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
    let in_query = gate.ask("POST", &format!("/orders/?csrf_token={csrf}"), &headers).await;
    assert_eq!(code(&in_query), "csrf");
    assert_eq!(seen.all(), [""; 0]);
}

#[tokio::test]
async fn a_long_form_needs_its_token_in_the_header() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let csrf = gate.app.csrf();
    let fits = |filling: usize| format!("csrf_token={csrf}&a={}", "x".repeat(filling));
    let most = 64 * 1024 - fits(0).len();
    assert_eq!(status(&post(&gate, FORM, &fits(most)).await), 200);
    let answer = post(&gate, FORM, &fits(most + 1)).await;
    assert_eq!((status(&answer), &*code(&answer)), (413, "form-too-long"));
    assert_eq!(seen.take().len(), 1);
    // Announced is enough: nobody is made to send it first.
    let announced = format!(
        "POST /orders/ HTTP/1.1\r\nHost: app.test\r\nCookie: {}\r\nContent-Type: {FORM}\r\nContent-Length: 70000\r\n\r\n",
        gate.app.cookie()
    );
    assert_eq!(status(&gate.send(announced).await), 413);
    let (cookie, body) = (gate.app.cookie(), fits(most + 1));
    let headers = [
        ("Cookie", &*cookie),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", FORM),
        ("X-CSRF-Token", &csrf),
    ];
    assert_eq!(status(&gate.send(request("POST", "/orders/", &headers, &body)).await), 200);
    assert!(seen.one().ends_with(&body));
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let gate = Gate::before(&uri).await;
    let mut client = TcpStream::connect(gate.address).await.unwrap();
    let head = "POST /public/ HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.write_all(format!("{head}5\r\nfirst\r\n").as_bytes()).await.unwrap();
    let (mut behind, _) = listener.accept().await.unwrap();
    // Each part arrives before the next is sent: nobody gathers.
    until(&mut behind, "first").await;
    client.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    until(&mut behind, "0\r\n\r\n").await;
    behind.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await.unwrap();
    until(&mut client, "one").await;
    behind.write_all(b"3\r\ntwo\r\n0\r\nX-Late: evil\r\n\r\n").await.unwrap();
    let end = until(&mut client, "0\r\n").await;
    assert!(end.contains("two") && !end.contains("evil"), "{end}");
    // A service that dies in the middle is not mistaken for one that came to its end.
    client.write_all(b"GET /public/ HTTP/1.1\r\nHost: app.test\r\n\r\n").await.unwrap();
    until(&mut behind, "\r\n\r\n").await;
    behind.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
    drop(behind);
    let mut rest = String::new();
    let _ = client.read_to_string(&mut rest).await;
    assert!(rest.ends_with("half"), "{rest}");
}

async fn until(stream: &mut TcpStream, mark: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(mark) {
        let more = tokio::time::timeout(Duration::from_secs(5), stream.read_buf(&mut read)).await;
        assert_ne!(more.unwrap().unwrap(), 0, "the end came before {mark:?}");
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_body_keeps_its_length_or_its_chunks() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    gate.send(request("PUT", "/public/", &[], "abc")).await;
    let sized = seen.one();
    assert_eq!(values(&sized, "content-length"), ["3"]);
    assert_eq!(values(&sized, "transfer-encoding"), [""; 0]);
    let chunked =
        "Host: app.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for method in ["PUT", "GET", "DELETE"] {
        gate.send(format!("{method} /public/ HTTP/1.1\r\n{chunked}")).await;
        let request = seen.one();
        assert_eq!(values(&request, "transfer-encoding"), ["chunked"], "{method}");
        assert_eq!(values(&request, "content-length"), [""; 0]);
        assert!(request.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{request}");
    }
    gate.ask("GET", "/public/", &[]).await;
    let bare = seen.one();
    assert_eq!((values(&bare, "content-length"), values(&bare, "transfer-encoding")), (vec![], vec![]));
}

/// GW-01 goes for trailers, too: a field behind the body is a field that nobody looked at.
#[tokio::test]
async fn trailers_are_not_carried() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let head = "PUT /public/ HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nTE: trailers\r\nTrailer: X-Auth-Subject\r\n";
    let body = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Auth-Subject: evil\r\n\r\n";
    assert_eq!(status(&gate.send(format!("{head}{body}")).await), 200);
    let request = seen.one();
    assert!(request.ends_with("\r\n3\r\nabc\r\n0\r\n\r\n"), "{request}");
}

#[tokio::test]
async fn connections_to_a_service_are_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let gate = Gate::before(&uri).await;
    let behind = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            until(&mut stream, "\r\n\r\n").await;
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    });
    for _ in 0..3 {
        assert_eq!(status(&gate.ask("GET", "/public/", &[]).await), 200);
    }
    behind.await.unwrap();
}

#[tokio::test]
async fn a_service_that_fails_is_told_apart_from_one_that_says_no() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody: http::Uri = format!("http://{}", gone.local_addr().unwrap()).parse().unwrap();
    drop(gone);
    let answer = Gate::before(&nobody).await.ask("GET", "/public/", &[]).await;
    assert_eq!((status(&answer), &*code(&answer)), (502, "upstream-unreachable"));

    let broken: [fn(&str) -> String; 3] = [
        |_| String::new(),
        |_| "nonsense\r\n\r\n".to_owned(),
        |_| "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n".to_owned(),
    ];
    for answers in broken {
        let (uri, seen) = service(answers).await;
        let answer = Gate::before(&uri).await.ask("GET", "/public/", &[]).await;
        assert_eq!((status(&answer), &*code(&answer)), (502, "upstream-broken"));
        assert_eq!(seen.take().len(), 1, "asked once and not again");
    }
    let (uri, _) =
        service(|_| "HTTP/1.1 503 Busy\r\nX-Own: 1\r\nContent-Length: 4\r\n\r\nbusy".to_owned()).await;
    let answer = Gate::before(&uri).await.ask("GET", "/public/", &[]).await;
    assert_eq!((status(&answer), values(&answer, "x-own")), (503, vec!["1"]));
    assert!(answer.ends_with("busy"));
}

fn hasty() -> Timeouts {
    Timeouts { connect: Duration::from_millis(200), first_byte: Duration::from_millis(200), slowest_body: 0 }
}

#[tokio::test]
async fn a_service_that_is_late_is_not_waited_for_and_a_slow_upload_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri: http::Uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let gate = Gate::with(App::before(Some(&uri)), hasty()).await;
    let began = Instant::now();
    let answer = gate.ask("GET", "/public/", &[]).await;
    assert_eq!((status(&answer), &*code(&answer)), (504, "upstream-timeout"));
    assert!(began.elapsed() >= Duration::from_millis(200));

    // The service has the whole body only after three times the patience, and then answers at once.
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::with(App::before(Some(&uri)), hasty()).await;
    let mut client = TcpStream::connect(gate.address).await.unwrap();
    let head = "POST /public/ HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: 6\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.write_all(b"x").await.unwrap();
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(seen.one().ends_with("xxxxxx"));

    let mut client = TcpStream::connect(gate.address).await.unwrap();
    client.write_all(format!("{head}x").as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!((status(&answer), &*code(&answer)), (408, "request-timeout"));
}

#[tokio::test]
async fn browsers_are_sent_to_sign_in_and_programs_are_told_to() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let answer = gate.ask("GET", "/orders/1?x=%2F", &[("Sec-Fetch-Mode", "navigate")]).await;
    assert_eq!(status(&answer), 302);
    assert_eq!(values(&answer, "location"), ["https://app.test/auth/login?return_to=/orders/1%3Fx%3D%252F"]);
    assert_eq!(values(&answer, "cache-control"), ["no-store"]);
    let answer = gate.ask("GET", "/orders/1", &[("Accept", "application/json")]).await;
    assert_eq!((status(&answer), &*code(&answer)), (401, "no-credential"));
    assert_eq!(values(&answer, "www-authenticate"), ["Bearer realm=\"https://app.test\""]);
    assert_eq!(seen.all(), [""; 0]);
}

#[tokio::test]
async fn what_is_not_offered_is_refused_before_anyone_is_asked() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let websocket = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
    assert_eq!(code(&gate.get("/orders/", &websocket).await), "not-offered");
    assert_eq!(status(&gate.get("/orders/", &websocket).await), 501);
    assert_eq!(status(&gate.ask("TRACE", "/public/", &[]).await), 501);
    assert_eq!(status(&gate.send("CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n").await), 501);
    let unserved = Gate::with(App::new(), Timeouts::default()).await;
    let answer = unserved.get("/orders/", &[]).await;
    assert_eq!((status(&answer), &*code(&answer)), (404, "no-upstream"));
    assert_eq!(seen.all(), [""; 0]);
}

#[tokio::test]
async fn a_client_that_asks_first_is_not_made_to_send_what_nobody_wants() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
        )
    };
    let refused = gate.send(head("/orders/")).await;
    assert_eq!(status(&refused), 401, "{refused}");
    let mut client = TcpStream::connect(gate.address).await.unwrap();
    client.write_all(head("/public/").as_bytes()).await.unwrap();
    until(&mut client, "100 Continue").await;
    client.write_all(b"abc").await.unwrap();
    until(&mut client, "200 OK").await;
    let request = seen.one();
    assert!(request.ends_with("abc"));
    assert_eq!(values(&request, "expect"), [""; 0]);
}

#[tokio::test]
async fn a_head_request_keeps_the_length_it_asks_for() {
    let (uri, _) = service(|_| "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_owned()).await;
    let gate = Gate::before(&uri).await;
    let answer = gate.ask("HEAD", "/public/", &[]).await;
    assert_eq!((status(&answer), values(&answer, "content-length")), (200, vec!["1234"]));
}

/// GW-06: the path that is decided about is the path that the service is asked for, byte for byte; a path with two readings is
/// asked for nowhere.
#[test]
fn the_path_decided_about_is_the_path_carried() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (gate, seen) = runtime.block_on(async {
        let (uri, seen) = service(|_| OK.to_owned()).await;
        (Arc::new(Gate::before(&uri).await), seen)
    });
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9]{1,3}".prop_map(String::from),
        3 => proptest::sample::select(vec!["/", "//", ".", "..", "/./", "/../", ";", "\\", "%2f", "%2F", "%5c", "%2e", "%2E%2e", "%25",
            "%252e", "%00", "%0a", "%c0%ae", "%c3%a9", "%", "%zz", "~", "@", ":", "*", "+", "!", "'", "(", ",", "|", "^", "{", "\"", "?", "&"])
            .prop_map(String::from),
        1 => "[!-~&&[^#]]{1,3}".prop_map(String::from),
    ];
    let mut runner = TestRunner::new(Config { cases: 2000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&proptest::collection::vec(piece, 0..8), |pieces| {
        let asked = format!("/public/{}", pieces.concat());
        let answer = runtime.block_on(gate.ask("GET", &asked, &[]));
        let carried = seen.take();
        let path = asked.split('?').next().unwrap_or_default();
        if status(&answer) == 200 {
            prop_assert_eq!(carried.len(), 1);
            prop_assert_eq!(carried[0].split(' ').nth(1), Some(&*asked));
            prop_assert_eq!(canonical_path(path), Ok(()));
        } else {
            prop_assert_eq!(status(&answer), 400, "{}", asked);
            prop_assert!(carried.is_empty());
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A person who is refused reads a page; a program reads a problem document; what a service says of its own problems stays.
#[tokio::test]
async fn a_refusal_is_a_page_where_a_browser_was_loading_one() {
    let (uri, _seen) = service(|_| OWN_PROBLEM.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let cookie = gate.app.cookie();
    let navigates = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "navigate")];

    let refused = gate.ask("POST", "/orders/", &navigates).await;
    assert_eq!(status(&refused), 403);
    assert_eq!(values(&refused, "content-type"), ["text/html; charset=utf-8"]);
    assert!(values(&refused, "content-security-policy")[0].starts_with("default-src 'none'"));
    assert!(refused.contains("<code>403 csrf, incident "), "{refused}");

    let fetched = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors")];
    assert_eq!(code(&gate.ask("POST", "/orders/", &fetched).await), "csrf");

    let behind = gate.ask("GET", "/orders/", &navigates).await;
    assert_eq!((status(&behind), values(&behind, "content-type")), (404, vec!["application/problem+json"]));
}

/// Says what it was asked for.
struct Pages;

impl RefusalPages for Pages {
    fn page(&self, asked: &HeaderMap, status: StatusCode, incident: Option<&str>) -> Response<Bytes> {
        let names: Vec<&str> = asked.keys().map(http::HeaderName::as_str).collect();
        let text = format!("{} {} {names:?}", status.as_u16(), incident.is_some());
        Response::builder().header("content-type", "text/themed").body(text.into()).unwrap()
    }
}

/// The program's page for every kind of refusal, and for none of what a program reads; it learns of the language alone.
#[tokio::test]
async fn a_refusal_is_the_programs_page_where_it_has_pages() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gate = Gate::with_pages(&format!("http://{nobody}").parse().unwrap(), Arc::new(Pages)).await;
    let cookie = gate.app.cookie();
    let with = |mode: &'static str| {
        [
            ("Cookie", cookie.clone()),
            ("Sec-Fetch-Mode", mode.to_owned()),
            ("Accept-Language", "de".to_owned()),
        ]
    };
    for (path, expected) in [("/nowhere", 403), ("/orders/../x", 400), ("/public/", 502)] {
        let headers = with("navigate");
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let page = gate.ask("GET", path, &headers).await;
        assert_eq!((status(&page), values(&page, "content-type")), (expected, vec!["text/themed"]), "{path}");
        assert!(page.ends_with(&format!("{expected} true [\"accept-language\"]")), "{page}");
        assert_eq!(values(&page, "x-frame-options"), ["DENY"], "{path}");
        let headers = with("cors");
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let fetched = gate.ask("GET", path, &headers).await;
        assert_eq!(values(&fetched, "content-type"), ["application/problem+json"], "{path}");
    }
}

const OWN_PROBLEM: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\ncontent-length: 2\r\n\r\n{}";
