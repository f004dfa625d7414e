//! Every refusal of both doors: what browsers are told with it, one problem type, and an incident wherever the log has a line.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;

use http::Request;
use http_body_util::BodyExt;

use crate::app::App;
use crate::wire::{Gate, OK, service, status, values};

/// HD-02: on every answer of ours that a browser may get, refusals included.
const GUARD: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=31536000"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-store"),
];

#[track_caller]
fn is_guarded(answer: &str) {
    for (name, value) in GUARD {
        assert_eq!(values(answer, name), [value], "{name} in {answer}");
    }
    assert!(values(answer, "permissions-policy")[0].contains("camera=()"), "{answer}");
    let policy = values(answer, "content-security-policy");
    assert!(policy.len() == 1 && policy[0].starts_with("default-src 'none'"), "{answer}");
    assert!(policy[0].contains("frame-ancestors 'none'"), "{answer}");
}

/// HD-04: the document of a problem, its type made of its code; and its incident.
#[track_caller]
fn document(answer: &str) -> (String, Option<String>) {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    let code = problem["code"].as_str().unwrap();
    assert_eq!(problem["type"], format!("urn:vestibule:problem:{code}"));
    assert_eq!(problem["status"], status(answer));
    assert_eq!(values(answer, "content-type"), ["application/problem+json"]);
    let incident = problem.get("incident").map(|it| it.as_str().unwrap().to_owned());
    assert!(
        incident.as_ref().is_none_or(|it| it.len() == 16 && it.bytes().all(|it| it.is_ascii_alphanumeric()))
    );
    (code.to_owned(), incident)
}

#[tokio::test]
async fn every_refusal_of_the_built_in_proxy_is_guarded_and_named() {
    let (uri, _seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let cookie = gate.app.cookie();
    let mine = ("Cookie", cookie.as_str());
    let twice = format!("{cookie}; {cookie}");
    let bearer = gate.app.session_bearer();
    let cases = [
        ("GET", "/orders/", Vec::new(), 401, "no-credential"),
        ("GET", "/orders/", vec![("Cookie", twice.as_str())], 401, "cookie-ambiguous"),
        ("GET", "/orders/", vec![mine, ("Authorization", bearer.as_str())], 403, "two-credentials"),
        ("POST", "/orders/", vec![mine, ("Sec-Fetch-Site", "cross-site")], 403, "csrf"),
        ("GET", "/nowhere", vec![mine], 403, "no-route"),
        ("GET", "/orders//", vec![mine], 400, "path-ambiguous"),
        ("TRACE", "/orders/", vec![mine], 501, "not-offered"),
        ("GET", "/orders/", vec![mine, ("Host", "other.test")], 400, "request-ambiguous"),
        ("GET", "/broken/", vec![mine], 503, "unavailable"),
    ];
    let mut incidents = Vec::new();
    for (method, path, headers, expected, code) in cases {
        let answer = gate.ask(method, path, &headers).await;
        assert_eq!(status(&answer), expected, "{answer}");
        is_guarded(&answer);
        let (told, incident) = document(&answer);
        assert_eq!(told, code);
        // To come without a credential is how everybody comes.
        assert_eq!(incident.is_some(), code != "no-credential", "{answer}");
        incidents.extend(incident);
    }
    let count = incidents.len();
    incidents.sort_unstable();
    incidents.dedup();
    assert_eq!((incidents.len(), count), (8, 8), "each has its own name");

    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Gate::before(&format!("http://{gone}").parse().unwrap()).await;
    let answer = nobody.ask("GET", "/public/", &[]).await;
    is_guarded(&answer);
    assert!(document(&answer).1.is_some(), "{answer}");
}

#[tokio::test]
async fn a_person_is_guarded_too_and_can_report_the_incident() {
    let (uri, _seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let cookie = gate.app.cookie();
    let navigates = ("Sec-Fetch-Mode", "navigate");
    let page = gate.ask("GET", "/nowhere", &[("Cookie", &cookie), navigates]).await;
    is_guarded(&page);
    let (_, code) = page.split_once("<code>403 no-route, incident ").unwrap();
    assert_eq!(code.split_once("</code>").unwrap().0.len(), 16, "{page}");

    let to_login = gate.ask("GET", "/orders/", &[navigates]).await;
    assert_eq!(status(&to_login), 302);
    is_guarded(&to_login);
}

/// What the service behind answers is its own: nothing of ours is put on it.
#[tokio::test]
async fn an_answer_from_behind_is_not_touched() {
    let (uri, _seen) = service(|_| OK.to_owned()).await;
    let answer = Gate::before(&uri).await.get("/orders/", &[]).await;
    assert_eq!(status(&answer), 200);
    for (name, _) in GUARD.iter().filter(|(name, _)| *name != "cache-control") {
        assert!(values(&answer, name).is_empty(), "{name} in {answer}");
    }
}

/// Proxies hand these through to the browser.
#[tokio::test]
async fn every_refusal_of_forward_auth_is_guarded_and_a_yes_is_left_small() {
    let app = App::new();
    let cookie = app.cookie();
    let check = async |uri: &str, cookie: Option<&str>, asks: &str, peer: IpAddr| {
        let mut request = Request::get(asks)
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-host", "app.test")
            .header("x-forwarded-uri", uri)
            .header("accept", "text/html");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let response = app.forward_auth.answer(&request.body(()).unwrap().into_parts().0, peer).await;
        let (parts, body) = response.into_parts();
        let headers: String = parts
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
            .collect();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        format!("HTTP/1.1 {} x\r\n{headers}\r\n{body}", parts.status.as_u16())
    };
    let (here, stranger) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)));

    let yes = check("/orders/", Some(&cookie), "/check", here).await;
    assert_eq!(status(&yes), 200);
    assert!(values(&yes, "x-content-type-options").is_empty(), "{yes}");

    let to_login = check("/orders/", None, "/check?redirect=1", here).await;
    assert_eq!(status(&to_login), 302);
    is_guarded(&to_login);
    for (uri, cookie, peer, code) in [
        ("/orders/", None, here, "no-credential"),
        ("/nowhere", Some(&*cookie), here, "no-route"),
        ("/orders/", Some(&*cookie), stranger, "peer-untrusted"),
        ("/broken/", Some(&*cookie), here, "unavailable"),
    ] {
        let answer = check(uri, cookie, "/check", peer).await;
        is_guarded(&answer);
        let (told, incident) = document(&answer);
        assert_eq!((told.as_str(), incident.is_some()), (code, code != "no-credential"), "{answer}");
    }
    app.world.is_down.store(true, Ordering::SeqCst);
    is_guarded(&check("/orders/", Some(&cookie), "/check", here).await);
}
