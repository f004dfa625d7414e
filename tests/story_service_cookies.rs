//! A service that sets or clears Vestibule's cookies, by whatever name a browser or a server could take for them. Out: browsers never
//! hear of it, and get every other cookie of the service.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::personas::{ADA, ApiClient, Ask, Caddy, Door, HaProxy, Nginx, PASSWORD, Scene, free_address};

/// The doors that look at each cookie of an answer; nginx does with its JavaScript module.
const FILTERING: [Door; 4] = [Door::BuiltIn, Door::Caddy, Door::HaProxy, Door::Nginx];

/// Behind a door that filters, and where it listens.
fn behind(door: Door) -> (Scene, Option<Nginx>, SocketAddr) {
    if door != Door::Nginx {
        let scene = Scene::behind(door);
        let front = scene.front;
        return (scene, None, front);
    }
    let (scene, front) = (Scene::behind(Door::BuiltIn), free_address());
    let (public, internal) = (scene.vestibule.public, scene.vestibule.internal);
    let nginx = Nginx::start_extended(front, public, internal, scene.service.address, &[("#[js] ", "")]);
    (scene, Some(nginx), front)
}

const INNOCENT: [&str; 7] = [
    "a=1; Path=/",
    "vestibule_theme=dark; Expires=Wed, 21 Oct 2037 07:28:00 GMT",
    "myvestibule=1",
    "vestibule2=1; HttpOnly",
    "c=vestibule=1",
    "d=\"vestibule=1\"",
    "__Host-Http-e=1; Secure; HttpOnly; Path=/",
];

fn hostile(name: &str) -> Vec<String> {
    let upper = name.to_ascii_uppercase();
    let lower = name.to_ascii_lowercase();
    vec![
        format!("{name}=tossed; Path=/; HttpOnly"),
        format!("{name}=; Path=/; Max-Age=0"),
        format!("{name}=; Path=/; Domain=127.0.0.1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        format!("{upper}=tossed"),
        format!("{lower}=tossed; Secure"),
        format!(" \t{name}=tossed"),
        format!("{name} =tossed"),
        format!("\"{name}\"=tossed"),
        format!("={name}=tossed; Path=/"),
        format!(" = {name}=tossed"),
        format!("=={name}=tossed"),
        name.to_owned(),
        format!("{name}; Path=/"),
    ]
}

/// What only programs take for ours that look further: past a bracket, a comma, white space or an escape.
fn read_by_few(name: &str) -> [String; 8] {
    [
        format!("{name}%20=tossed"),
        format!("{name}%00=tossed"),
        format!("%09{name}=tossed"),
        format!("x=y,%20{name}%00=tossed"),
        format!("{name}[x]=tossed"),
        format!("x=y, {name}=tossed; Path=/"),
        format!("x=y {name}=tossed"),
        format!("x=y,\"{name}\"=tossed"),
    ]
}

/// CK-04, GW-11.
#[test]
fn a_service_sets_its_own_cookies_and_none_of_ours() {
    let plain = ["vestibule", "vestibule_pre", "vestibule_device", "vestibule_access", "vestibule_refresh"];
    for door in FILTERING {
        let (scene, _nginx, front) = behind(door);
        let mut names = plain.map(str::to_owned).to_vec();
        // Over http the built-in door knows that browsers take no cookie of this prefix.
        if door != Door::BuiltIn {
            names.extend(plain.map(|name| format!("__Host-Http-{name}")));
        }
        let mut lines: Vec<String> = names.iter().flat_map(|name| hostile(name)).collect();
        lines.extend(names.iter().flat_map(|name| read_by_few(name)));
        // No parser takes it for ours; the files of the proxies take it out all the same.
        if door != Door::BuiltIn {
            lines.extend(names.iter().map(|name| format!("${name}=tossed")));
        }
        // Caddy cannot decode the escape of a letter.
        if [Door::HaProxy, Door::Nginx].contains(&door) {
            lines.extend(names.iter().map(|name| format!("{}=tossed", name.replace('v', "%76"))));
        }
        for line in lines {
            let mut lines: Vec<(&str, &str)> = Vec::new();
            for innocent in INNOCENT {
                lines.extend([("Set-Cookie", innocent), ("set-cookie", line.as_str())]);
            }
            scene.service.answer_with(&lines);
            let answer = Ask::get("/public/").send(front);
            let set: Vec<&str> = answer.all("set-cookie");
            // Caddy cannot take out one line of several; browsers ignore an empty one (RFC 6265bis section 5.6, step 7).
            let set: Vec<&str> =
                set.into_iter().filter(|line| door != Door::Caddy || !line.is_empty()).collect();
            assert_eq!(set, INNOCENT, "{door:?} {line:?}: {answer:?}");
        }
        // Alone, and without any.
        scene.service.answer_with(&[("Set-Cookie", "vestibule=tossed")]);
        let answer = Ask::get("/public/").send(front);
        assert!(!format!("{answer:?}").contains("tossed"), "{door:?}: {answer:?}");
        scene.service.answer_with(&[]);
        let answer = Ask::get("/public/").send(front);
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{door:?}: {answer:?}");
    }
}

/// Session fixation by a service that somebody has broken into.
#[test]
fn a_service_neither_swaps_nor_ends_a_session() {
    const MALLORY: &str = "mallory@example.com";
    for door in [Door::BuiltIn, Door::Caddy, Door::HaProxy] {
        let scene = Scene::behind(door);
        scene.vestibule.operator.add_account(MALLORY);
        let mut thief = scene.browser();
        thief.sign_in("/auth/login", MALLORY, PASSWORD);
        let tossed = thief.cookie("vestibule").unwrap().value.clone();
        let mut ada = scene.signed_in();
        for line in [format!("vestibule={tossed}; Path=/; HttpOnly"), "vestibule=; Path=/; Max-Age=0".into()]
        {
            scene.service.answer_with(&[("Set-Cookie", "own=1; Path=/"), ("Set-Cookie", &line)]);
            assert_eq!(ada.look("/orders/").status, 200, "{door:?} {line}");
            assert_eq!(ada.look("/orders/").text(), format!("hello {}", scene.subject), "{door:?} {line}");
            assert_eq!(ada.cookie("own").map(|own| own.value.as_str()), Some("1"), "{door:?}");
        }
    }
}

/// A service that opens a WebSocket, and sets a cookie beside it.
fn socket_service(cookie: &str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: {cookie}\r\n\r\n"
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 16 * 1024]);
            let _ = stream.write_all(head.as_bytes());
        }
    });
    address
}

/// The head of the answer to a WebSocket's handshake.
fn handshake(front: SocketAddr) -> String {
    let mut stream = TcpStream::connect(front).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "GET /public/ HTTP/1.1\r\nHost: {front}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.windows(4).any(|it| it == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => answer.extend_from_slice(&piece[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// An answer that opens a WebSocket has cookies as any other.
#[test]
fn the_answer_that_opens_a_websocket_sets_no_cookie_of_ours() {
    let scene = Scene::behind(Door::BuiltIn);
    let (public, check) = (scene.vestibule.public, scene.vestibule.internal);
    for (line, is_ours) in [
        ("own=1; Path=/", false),
        ("vestibule=tossed; Path=/", true),
        ("a=1\r\nSet-Cookie: __Host-Http-vestibule=tossed", true),
        ("a=1\r\nAuthorization: Bearer tossed", true),
        ("a=1\r\nX-Auth-Subject: tossed", true),
        ("a=1\r\nX-Auth-Session: tossed", true),
        ("a=1\r\nX-Auth-Department: tossed", true),
    ] {
        let service = socket_service(line);
        let (caddy, haproxy) = (free_address(), free_address());
        let _caddy = Caddy::start(caddy, public, check, service);
        let _haproxy = HaProxy::start(haproxy, public, check, service);
        for front in [caddy, haproxy] {
            let head = handshake(front);
            assert!(!head.contains("tossed"), "{head}");
            // HAProxy takes out the one line; Caddy can refuse the answer alone.
            let opens = head.starts_with("HTTP/1.1 101 ");
            assert!(
                opens == (front == haproxy || !is_ours) && (is_ours || head.contains("own=1")),
                "{line}: {head}"
            );
        }
    }
}

/// Vestibule's own pages go another way, and set their cookies as before.
#[test]
fn our_own_pages_set_our_cookies_through_every_proxy() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let client = ApiClient::attempt(scene.front, ADA, PASSWORD);
        assert_eq!(client.status, 200, "{door:?}");
        let mut ada = scene.signed_in();
        assert!(ada.cookie("vestibule").is_some(), "{door:?}");
        assert_eq!(ada.look("/orders/").status, 200, "{door:?}");
    }
}
