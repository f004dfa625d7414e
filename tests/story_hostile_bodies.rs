//! Logins, registrations and questions that no page of ours sends: of another type, size, spelling or site. With the right password in
//! each, so that whatever is taken is seen: nobody is signed in by any of them, and the server stays well.

use serde_json::json;

use crate::personas::{ADA, Answer, Ask, Door, PASSWORD, Scene, Vestibule};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// People behind one address must not be mistaken for one another's guesses here.
const PROXIES: &str = "[trusted_proxies]\nforward_auth = [\"127.0.0.1/32\"]\npublic = [\"127.0.0.1/32\"]";

fn scene() -> Scene {
    Scene::with(Door::BuiltIn, Vestibule::installed(), "registration = \"open\"", PROXIES)
}

fn good_json() -> String {
    json!({"identifier": ADA, "password": PASSWORD}).to_string()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// A refusal that says so: a problem or a page, no session, no fault of ours.
#[track_caller]
fn is_refused(scene: &Scene, what: &str, answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    let sets = answer.all("set-cookie");
    assert!(!sets.iter().any(|line| line.starts_with("vestibule=")), "{what}: {answer:?}");
    assert!(
        !answer.text().contains("session_token") && !answer.text().contains(PASSWORD),
        "{what}: {answer:?}"
    );
    let live = scene.vestibule.operator.json(&["session", "list"]);
    assert_eq!(live.as_array().unwrap().len(), 0, "{what} signed somebody in");
}

/// CS-06: the types and encodings that are not JSON in UTF-8.
#[test]
fn a_json_login_of_another_type_or_encoding_is_no_login() {
    let scene = scene();
    let good = good_json();
    let types: [&[&str]; 16] = [
        &[],
        &[""],
        &["text/plain"],
        &[FORM],
        &["multipart/form-data; boundary=x"],
        &["text/json"],
        &["application/jsonx"],
        &["application/ld+json"],
        &["application/json, text/plain"],
        &["application /json"],
        &["application/json; charset=utf-16"],
        &["application/json; charset=iso-8859-1"],
        &["application/json; boundary=x"],
        &[JSON, "text/plain"],
        &["text/plain", JSON],
        &[JSON, JSON],
    ];
    for types in types {
        let mut ask = Ask::post("/auth/api/v1/login").body(good.clone());
        for one in types {
            ask = ask.header("Content-Type", one);
        }
        let answer = ask.send(scene.front);
        is_refused(&scene, &format!("{types:?}"), &answer);
        assert_eq!(answer.code(), "media-type", "{types:?}");
    }
    for encoding in ["gzip", "deflate", "br", "identity", "x"] {
        let ask = Ask::post("/auth/api/v1/login").header("Content-Encoding", encoding);
        let answer = ask.header("Content-Type", JSON).body(good.clone()).send(scene.front);
        is_refused(&scene, encoding, &answer);
    }
    let latin = good.replace("ada", "\u{e4}da").chars().map(|it| it as u8).collect::<Vec<u8>>();
    for (what, body) in [
        ("UTF-16", utf16(&good)),
        ("a byte order mark", ["\u{feff}".as_bytes(), good.as_bytes()].concat()),
        ("Latin-1", latin),
        (
            "an overlong a",
            [&b"{\"identifier\":\"\xc1\xa1da@example.com\",\"password\":\""[..], PASSWORD.as_bytes(), b"\"}"]
                .concat(),
        ),
        ("a NUL behind", [good.as_bytes(), b"\0"].concat()),
    ] {
        is_refused(
            &scene,
            what,
            &Ask::post("/auth/api/v1/login").header("Content-Type", JSON).body(body).send(scene.front),
        );
    }
}

/// What is JSON, but not this object.
#[test]
fn a_json_login_of_another_shape_is_no_login() {
    let scene = scene();
    let good = good_json();
    let (open, _) = good.split_at(good.len() - 1);
    let deep = format!("{}{}", "[".repeat(7000), "]".repeat(7000));
    let member = |member: &str| format!("{open},{member}}}");
    let mut bodies: Vec<String> =
        ["", " ", "null", "true", "0", "\"\"", "[]", "{}", "{", "nul", "NaN", "//", "{'identifier':1}"]
            .map(str::to_owned)
            .to_vec();
    bodies.extend([
        format!("[{good}]"),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("{good},"),
        format!("{open},}}"),
        format!("/**/{good}"),
        deep.clone(),
        member(&format!("\"remember\":{deep}")),
        // Repeated: whichever a parser picks, another one picks the other.
        member("\"password\":\"wrong horse battery staple\""),
        member(&format!("\"password\":{}", json!(PASSWORD))),
        member("\"identifier\":\"mallory@example.com\""),
        member("\"\\u0070assword\":\"wrong horse battery staple\""),
        // Unknown, of another type, or out of another time.
        member("\"admin\":true"),
        member("\"Password\":\"x\""),
        member("\"__proto__\":{}"),
        member("\"remember\":\"yes\""),
        member("\"remember\":1"),
        member("\"remember\":null"),
        member("\"mode\":\"TOKEN\""),
        member("\"mode\":\"tokens\""),
        member("\"mode\":\"token\",\"remember\":true,\"deliver\":\"url\""),
        member("\"mode\":[\"session\"]"),
        member("\"deliver\":\"url\""),
        member("\"deliver\":null"),
    ]);
    for (identifier, password) in [
        (json!(null), json!(PASSWORD)),
        (json!(ADA), json!(null)),
        (json!([ADA]), json!(PASSWORD)),
        (json!(ADA), json!([PASSWORD])),
        (json!({"$ne": null}), json!({"$ne": null})),
        (json!(ADA), json!(true)),
        (json!(1), json!(1)),
        (json!(ADA), json!(0)),
        (json!(""), json!("")),
        (json!(ADA), json!("")),
        (json!(format!("{ADA}\u{0}")), json!(PASSWORD)),
        (json!(ADA), json!(format!("{PASSWORD}\u{0}"))),
        (json!(format!("{ADA}\r\nX: y")), json!(PASSWORD)),
        (json!("' OR 1=1 --"), json!("' OR 1=1 --")),
        (json!("%"), json!(PASSWORD)),
        (json!("ada@%"), json!(PASSWORD)),
        (json!("a".repeat(9000)), json!(PASSWORD)),
        (json!(ADA), json!(PASSWORD.repeat(200))),
        (json!(ADA), json!(format!("{PASSWORD} "))),
        (json!(ADA), json!(&PASSWORD[..PASSWORD.len() - 1])),
        (json!(ADA), json!(PASSWORD.to_uppercase())),
    ] {
        bodies.push(json!({"identifier": identifier, "password": password}).to_string());
    }
    bodies.push(format!("{{\"identifier\":\"\\ud800\",\"password\":{}}}", json!(PASSWORD)));
    bodies.push(format!("{{\"identifier\":{},\"password\":\"\\udfff\"}}", json!(ADA)));
    for (turn, body) in bodies.iter().enumerate() {
        let ask = Ask::post("/auth/api/v1/login").header("Content-Type", JSON);
        let ask = ask.header("X-Forwarded-For", format!("10.0.{turn}.7")).body(body.clone());
        let shown: String = body.chars().take(80).collect();
        is_refused(&scene, &shown, &ask.send(scene.front));
    }
    assert!(bodies.len() > 50, "{}", bodies.len());
    assert!(scene.vestibule.is_ready());
}

/// The form, likewise: each name once, each escape whole, UTF-8, and of its own type.
#[test]
fn a_login_form_of_another_type_or_spelling_is_no_login() {
    let scene = scene();
    let page = scene.browser().open("/auth/login");
    let token = page.hidden("csrf_token");
    let pre_session = page.answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let written = PASSWORD.replace(' ', "+");
    let name = "ada%40example.com";
    let good = format!("csrf_token={token}&identifier={name}&password={written}");
    let send = |content_type: Option<&str>, body: Vec<u8>| {
        static TURN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let turn = TURN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut ask = Ask::post("/auth/login").header("Origin", &scene.origin).header("Cookie", &pre_session);
        ask = ask.header("X-Forwarded-For", format!("10.0.{turn}.7")).body(body);
        if let Some(content_type) = content_type {
            ask = ask.header("Content-Type", content_type);
        }
        ask.send(scene.front)
    };
    for content_type in [
        None,
        Some(JSON),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some("application/xml"),
        Some("application/x-www-form-urlencoded; charset=utf-16"),
        Some("application/x-www-form-urlencodedx"),
    ] {
        is_refused(&scene, &format!("{content_type:?}"), &send(content_type, good.clone().into_bytes()));
    }
    is_refused(&scene, "JSON as JSON", &send(Some(JSON), good_json().into_bytes()));
    for body in [
        format!("{good}&password=wrong"),
        format!("{good}&password={written}"),
        format!("{good}&identifier=mallory"),
        format!("{good}&csrf_token={token}"),
        format!("{good}&%70assword=wrong"),
        format!("password=wrong&{good}"),
        good.replace('&', ";"),
        format!("{good}&x=%"),
        format!("{good}&x=%zz"),
        format!("{good}&x=%ff"),
        format!("identifier={name}&password={written}"),
        format!("csrf_token=&identifier={name}&password={written}"),
        format!("csrf_token={token}&identifier={name}"),
        format!("csrf_token={token}&password={written}"),
        format!("csrf_token={token}&identifier={name}&password={written}%00"),
        format!("csrf_token={token}&identifier={name}%00&password={written}"),
        format!("csrf_token={token}&identifier={name}&password[]={written}"),
        format!("csrf_token={token}&identifier[$ne]=&password[$ne]="),
        format!("CSRF_TOKEN={token}&IDENTIFIER={name}&PASSWORD={written}"),
        "&".repeat(9000),
        "=".to_owned(),
        String::new(),
        "x".repeat(20_000),
    ] {
        let shown: String = body.chars().take(120).collect();
        is_refused(&scene, &shown, &send(Some(FORM), body.into_bytes()));
    }
    let mut latin = good.clone().into_bytes();
    latin.extend_from_slice(b"&x=\xff");
    is_refused(&scene, "bytes that are no UTF-8", &send(Some(FORM), latin));
    let control = send(Some(FORM), good.into_bytes());
    assert_eq!(control.status, 303, "the control: {control:?}");
}

/// CS-05: whoever asks, from wherever: no other site is ever told that it may read, and none may ask first.
#[test]
fn no_origin_is_ever_granted_anything_across_origins() {
    let scene = scene();
    let host = scene.front.to_string();
    let cookie = scene.signed_in().cookies();
    let mut origins: Vec<String> = vec![
        format!("http://{host}"),
        format!("https://{host}"),
        format!("HTTP://{host}"),
        format!("http://{host}/"),
        format!("http://{host}.evil.test"),
        format!("http://evil{host}"),
        format!("http://{host}@evil.test"),
        format!("http://user@{host}"),
        format!("http://{host} "),
        format!("http://{host},http://evil.test"),
        format!("http://{host} http://evil.test"),
        format!("//{host}"),
        host.clone(),
    ];
    origins.extend(
        [
            "null",
            "NULL",
            "",
            "*",
            "http://127.0.0.1",
            "http://127.0.0.1:1",
            "http://localhost",
            "https://evil.test",
            "http://sub.127.0.0.1",
            "file://",
            "chrome-extension://abc",
            "data:",
            "about:blank",
            "http://[::1]",
            "http://2130706433",
            "http://0x7f.1",
            "http://127.1",
            "http://xn--80ak6aa92e.test",
            "moz-extension://x",
            "http://127.0.0.1.:80",
            "https://app.example.com",
            "\u{e9}",
        ]
        .map(str::to_owned),
    );
    let paths = [
        "/auth/login",
        "/auth/account",
        "/auth/logout",
        "/auth/register",
        "/auth/api/v1/login",
        "/auth/api/v1/csrf",
        "/auth/api/v1/session",
        "/auth/api/v1/sessions",
        "/auth/api/v1/password",
        "/auth/api/v1/register",
        "/.well-known/jwks.json",
        "/auth/nothing",
        "/orders/",
        "/public/",
    ];
    let grants = |answer: &Answer| {
        answer
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("access-control-") || name.contains("allow-origin"))
    };
    for origin in &origins {
        for path in paths {
            for method in ["GET", "POST", "OPTIONS", "DELETE"] {
                let ask = Ask::new(method, path).header("Origin", origin).header("Cookie", &cookie);
                let ask = ask
                    .header("Access-Control-Request-Method", "DELETE")
                    .header("Access-Control-Request-Headers", "x-csrf-token, content-type")
                    .header("Access-Control-Request-Private-Network", "true");
                let answer = ask.send(scene.front);
                assert!(!grants(&answer), "{origin:?} {method} {path}: {answer:?}");
                assert!(answer.status < 500, "{origin:?} {method} {path}: {answer:?}");
                let did = matches!(method, "DELETE" | "POST") && answer.status < 300;
                assert!(!did, "{origin:?} {method} {path}: {answer:?}");
            }
        }
    }
    // The session is as it was, after all those POST and DELETE with its cookie.
    assert_eq!(Ask::get("/orders/").header("Cookie", &cookie).send(scene.front).status, 200);
}
