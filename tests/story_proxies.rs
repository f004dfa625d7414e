//! Holes that the files in `examples/` once had, one test each: what a client could reach past nginx, Caddy or HAProxy, or make them
//! wait for. The built-in door is held to the same where it has the same part.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::personas::{
    Ask, Door, Nginx, Place, Received, Running, Scene, Signal, Vestibule, example_path, free_address,
    python_of,
};

const PROXIES: [Door; 3] = [Door::Caddy, Door::HaProxy, Door::Nginx];

/// h2c smuggling: after `101` a proxy carries bytes that nobody decides about, with whatever identity the client writes into them. A
/// service that could answer `101` is not asked.
#[test]
fn a_service_is_never_asked_to_leave_http_for_anything_but_a_websocket() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut stranger = scene.browser();
        for (named, protocols) in [
            ("Upgrade, HTTP2-Settings", &["h2c"][..]),
            ("upgrade", &["foo"]),
            ("Upgrade", &["websocket", "h2c"]),
            ("Upgrade", &["h2c", "websocket"]),
            ("Upgrade", &["websocket, h2c"]),
            ("Upgrade", &["TLS/1.0"]),
        ] {
            let mut ask = Ask::get("/public/").header("Connection", named);
            ask = ask.header("HTTP2-Settings", "AAMAAABkAAQAAP__");
            for protocol in protocols {
                ask = ask.header("Upgrade", protocol);
            }
            let answer = stranger.fetch(ask);
            let arrived = scene.service.take();
            assert!(matches!(answer.status, 200 | 400 | 403 | 501), "{door:?} {protocols:?}: {answer:?}");
            for received in &arrived {
                let asked = received.folded("upgrade");
                assert!(asked.is_empty() || asked == ["websocket"], "{door:?} {protocols:?}: {received:#?}");
                assert!(received.all("http2-settings").is_empty(), "{door:?} {protocols:?}: {received:#?}");
                if asked.is_empty() {
                    let named = received.all("connection").join(",").to_lowercase();
                    assert!(!named.contains("upgrade"), "{door:?} {protocols:?}: {received:#?}");
                }
            }
        }

        // What a page of ours opens goes through where the proxy carries it at all.
        let socket = Ask::get("/public/").header("Connection", "keep-alive, Upgrade");
        let socket =
            socket.header("Upgrade", "WebSocket").header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        stranger.fetch(socket);
        let carried = scene.service.take().iter().any(|it| it.all("upgrade") == ["websocket"]);
        assert_eq!(carried, matches!(door, Door::Caddy | Door::HaProxy), "{door:?}");
    }
}

/// GW-07: a request is decided about as one for the host it names, so it may not go to the service of another.
#[test]
fn a_route_of_another_host_never_decides_about_this_service() {
    let elsewhere = "[[route]]\nhost = \"elsewhere.example\"\npath = \"/\"\nrequire = \"public\"";
    for door in PROXIES {
        let scene = Scene::with(door, Vestibule::installed(), "", elsewhere);
        let decided = scene.vestibule.check(|ask| ask, "http://elsewhere.example/secret");
        assert_eq!(decided.status, 200, "the control: Vestibule would say yes");
        let port = scene.front.port();
        for (target, host) in [
            ("/secret".to_owned(), "elsewhere.example".to_owned()),
            ("/secret".to_owned(), format!("elsewhere.example:{port}")),
            ("/secret".to_owned(), "ELSEWHERE.example".to_owned()),
            ("http://elsewhere.example/secret".to_owned(), "elsewhere.example".to_owned()),
            ("http://elsewhere.example/secret".to_owned(), scene.front.to_string()),
            (format!("http://{}/secret", scene.front), "elsewhere.example".to_owned()),
        ] {
            let answer = Ask::get(&target).header("Host", &host).try_send(scene.front);
            assert!(scene.service.take().is_empty(), "{door:?} {target} {host}: {answer:?}");
        }
        let served = Ask::get("/public/").header("Host", format!("app.example.com:{port}")).send(scene.front);
        assert_eq!(served.status, 200, "{door:?}: the control: {served:?}");
    }
}

/// GW-08: a Vestibule that says nothing is no yes, and holds nobody for long.
#[test]
fn nobody_waits_long_for_a_vestibule_that_hangs() {
    for door in PROXIES {
        let mut scene = Scene::behind(door);
        let client = scene.api_client();
        assert_eq!(client.get("/orders/").status, 200, "{door:?}");
        scene.service.take();
        scene.vestibule.running().signal(Signal::STOP);
        // Its threads stop one by one.
        std::thread::sleep(Duration::from_millis(300));
        for accept in ["*/*", "text/html"] {
            let began = Instant::now();
            let ask = Ask::get("/orders/").header("Accept", accept).bearer(&client.session_token);
            let answer = ask.send(scene.front);
            let waited = began.elapsed();
            assert!((500..600).contains(&answer.status), "{door:?}: {answer:?}");
            assert!(waited < Duration::from_secs(8), "{door:?}: {waited:?}");
            // A page does not come from a Vestibule that hangs either.
            assert!(accept == "*/*" || answer.text().contains("Reload</a>"), "{door:?}: {answer:?}");
        }
        scene.vestibule.running().signal(Signal::CONT);
        assert!(scene.service.take().is_empty(), "{door:?}");
    }
}

/// Let's Encrypt, security.txt and an OpenID provider behind the proxy need their places there.
#[test]
fn most_of_well_known_is_the_services_behind_every_proxy() {
    for door in [Door::Caddy, Door::HaProxy] {
        let scene = Scene::behind(door);
        let client = scene.api_client();
        for path in [
            "/.well-known/acme-challenge/x",
            "/.well-known/security.txt",
            "/.well-known/openid-configuration",
            "/.well-known/jwks.json.bak",
            "/.well-known/",
            "/authors/",
        ] {
            assert_eq!(client.get(path).status, 200, "{door:?} {path}");
            assert_eq!(scene.service.one().line, format!("GET {path} HTTP/1.1"), "{door:?}");
        }
        for (path, key) in [
            ("/.well-known/jwks.json?x=1", "keys"),
            ("/.well-known/oauth-authorization-server", "issuer"),
            ("/auth/api/v1/session", "session"),
        ] {
            let answer = client.get(path).json();
            assert!(answer.get(key).is_some(), "{door:?} {path}: {answer}");
        }
        let moved = Ask::get("/.well-known/change-password").send(scene.front);
        assert!((300..400).contains(&moved.status), "{door:?}: {moved:?}");
        assert!(scene.service.take().is_empty(), "{door:?}");
    }
}

/// Over HTTP/2 HAProxy has a whole URL where HTTP/1.1 has a path; asked with that, Vestibule can only refuse.
#[test]
fn over_http_2_who_is_signed_in_passes_haproxy() {
    let scene = Scene::behind(Door::HaProxy);
    let client = scene.api_client();
    let bearer = format!("Bearer {}", client.session_token);
    let claimed = ["x-auth-subject", "x_auth_subject", "x~auth~subject", "x-auth|session", "'x-user"];
    let claimed = claimed.map(|name| (name, "mallory"));
    http_2_get(
        scene.front,
        "/orders/7?page=2",
        &[&[("authorization", bearer.as_str())], &claimed[..]].concat(),
    );
    let received = scene.service.one();
    assert_eq!(received.line, "GET /orders/7?page=2 HTTP/1.1");
    assert_eq!(received.folded("x-auth-subject"), [scene.subject.as_str()]);
    assert!(!received.whole().contains("mallory"), "{received:#?}");
}

/// Asks as one HTTP/2 request without TLS (RFC 9113 section 3.3), and waits for the answer's first frame of headers.
fn http_2_get(to: SocketAddr, path: &str, fields: &[(&str, &str)]) {
    let authority = to.to_string();
    let request =
        [(":method", "GET"), (":scheme", "http"), (":authority", authority.as_str()), (":path", path)];
    let mut block = Vec::new();
    for (name, value) in request.iter().chain(fields) {
        // Literal, not indexed, not Huffman-coded (RFC 7541 section 6.2.2); all shorter than 127 bytes.
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).ok().filter(|length| *length < 127).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let (settings, headers, end_of_both) = (4, 1, 0x5);
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend_from_slice(&[0, 0, 0, settings, 0, 0, 0, 0, 0]);
    let [_, length @ ..] = u32::try_from(block.len()).unwrap().to_be_bytes();
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&[headers, end_of_both, 0, 0, 0, 1]);
    bytes.extend_from_slice(&block);
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&bytes).unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).unwrap();
        if head[3] == headers {
            return;
        }
    }
}

/// Whoever extends nginx's file adds locations, and does not think of the gate each time.
#[test]
fn a_location_added_to_the_nginx_file_is_asked_about_like_all_others() {
    let scene = Scene::behind(Door::BuiltIn);
    let front = free_address();
    let added = "location /reports/ { proxy_pass http://orders; }\n        location / {";
    let (public, internal) = (scene.vestibule.public, scene.vestibule.internal);
    let _nginx =
        Nginx::start_extended(front, public, internal, scene.service.address, &[("location / {", added)]);
    let claimed = |ask: Ask| ask.header("X-Auth-Subject", "mallory").header("X-User", "mallory");
    let stranger = claimed(Ask::get("/reports/")).send(front);
    assert_eq!(stranger.status, 401, "{stranger:?}");
    assert!(scene.service.take().is_empty());
    let client = scene.api_client();
    let answer = claimed(Ask::get("/reports/").bearer(&client.session_token)).send(front);
    assert_eq!(answer.status, 200, "{answer:?}");
    let received: Received = scene.service.one();
    assert_eq!(received.folded("x-auth-subject"), [scene.subject.as_str()]);
    assert!(!received.whole().contains("mallory") && !received.whole().contains(&client.session_token));
    assert_eq!((answer.header("cache-control"), answer.header("x-auth-subject")), (Some("no-store"), None));
}

/// The example must not take it for granted that somebody in front has looked.
#[test]
fn the_forms_example_does_not_start_before_it_is_told_who_checks_its_forms() {
    for undecided in [&[][..], &["--proxy-checks-forms", "--ask", "http://127.0.0.1:2/csrf"]] {
        let place = Place::new();
        let mut command = python_of(&example_path("forms/service.py"));
        command.arg("http://127.0.0.1:1").args(["--port", "0"]).args(undecided);
        let mut running = Running::start("the notebook", command, place.join("said.log"));
        let ended = running.ended().and_then(|status| status.code());
        let said = running.logged();
        assert_eq!(ended, Some(2), "{undecided:?}: {said}");
        assert!(said.contains("--ask") && said.contains("--proxy-checks-forms"), "{said}");
    }
}

/// CS-02: the token in a form is good as long as its session, to the services that ask about it too.
#[test]
fn a_form_from_before_signing_out_is_refused_to_the_service_that_asks() {
    let scene = Scene::behind(Door::BuiltIn);
    let mut browser = scene.signed_in();
    browser.look("/orders/");
    let received = scene.service.one();
    let csrf_token = received.all("x-csrf-token")[0].to_owned();
    let session = received.all("x-auth-session")[0].to_owned();
    let question = Ask::post("/csrf").form(&[("session", &session), ("csrf_token", &csrf_token)]);
    assert_eq!(question.send(scene.vestibule.internal).status, 204);
    browser.sign_out();
    let refused = question.send(scene.vestibule.internal);
    assert_eq!((refused.status, refused.code().as_str()), (403, "csrf"), "{refused:?}");
}
