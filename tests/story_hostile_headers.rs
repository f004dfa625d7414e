//! Headers by which a client would tell the service who it is, or would unsay what we tell: through every door the service gets
//! exactly our value, or none.

use crate::personas::{ADA, Ask, Door, PASSWORD, Scene, Vestibule};

/// What a service could believe, beside the credential itself.
const IDENTITY: [&str; 4] = ["x-auth-subject", "x-auth-session", "x-auth-department", "x-csrf-token"];

/// What else a client might claim to be, or to have been told.
const CLAIMED: [&str; 12] = [
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-real-ip",
    "x-remote-user",
    "x-user",
    "remote-user",
    "x-original-url",
    "x-rewrite-url",
    "forwarded",
];

/// Spellings that some server folds into the name: each joint as `-`, `_` or `.`, in lower, upper and mixed case.
fn spellings(name: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for letter in name.chars() {
        let letters = if letter == '-' { vec!['-', '_', '.'] } else { vec![letter] };
        found = found.iter().flat_map(|start| letters.iter().map(move |it| format!("{start}{it}"))).collect();
    }
    let mixed = |text: &String| {
        let cased = text.char_indices();
        cased.map(|(at, it)| if at % 2 == 0 { it.to_ascii_uppercase() } else { it }).collect::<String>()
    };
    let cased = |text: &String| [text.clone(), text.to_ascii_uppercase(), mixed(text)];
    found.iter().flat_map(cased).collect()
}

#[test]
fn no_spelling_of_an_identity_header_from_the_client_reaches_the_service_through_nginx() {
    every_spelling_is_ours_or_gone(Door::Nginx);
}

#[test]
fn no_spelling_of_an_identity_header_from_the_client_reaches_the_service_through_caddy() {
    every_spelling_is_ours_or_gone(Door::Caddy);
}

#[test]
fn no_spelling_of_an_identity_header_from_the_client_reaches_the_service_through_the_built_in_door() {
    every_spelling_is_ours_or_gone(Door::BuiltIn);
}

/// GW-01: exactly our value, or none.
fn every_spelling_is_ours_or_gone(door: Door) {
    let scene = Scene::behind(door);
    let mut browser = scene.signed_in();
    let session = scene.vestibule.operator.only_session();
    let mut stranger = scene.browser();
    for name in IDENTITY.iter().chain(&CLAIMED) {
        for spelling in spellings(name) {
            for (who, path) in [(&mut browser, "/orders/"), (&mut stranger, "/public/")] {
                for times in [1, 2] {
                    let mut ask = Ask::get(path);
                    for _ in 0..times {
                        ask = ask.header(&spelling, "mallory");
                    }
                    let answer = who.fetch(ask);
                    assert_eq!(answer.status, 200, "{door:?} {spelling}: {answer:?}");
                    let received = scene.service.one();
                    assert!(!received.whole().contains("mallory"), "{door:?} {spelling}: {received:#?}");
                }
            }
        }
    }

    // Ours arrive once, whatever else came.
    let everything = || {
        // Every third: more header lines than a hundred are refused for being many.
        let all = IDENTITY.iter().flat_map(|name| spellings(name)).step_by(3);
        all.fold(Ask::get("/orders/"), |ask, spelling| ask.header(&spelling, "mallory"))
    };
    assert_eq!(browser.fetch(everything()).status, 200);
    let received = scene.service.one();
    assert_eq!(received.folded("x-auth-subject"), [scene.subject.as_str()], "{door:?}");
    assert_eq!(received.folded("x-auth-session"), [session.as_str()], "{door:?}");
    assert_eq!(received.folded("x-auth-department"), ["R&D"], "{door:?}");
    assert_eq!(received.folded("x-csrf-token").len(), 1, "{door:?}");

    // And nobody's are empty or not there: a stranger is nobody, also to who reads no JWT.
    assert_eq!(stranger.fetch(Ask::get("/public/")).text(), "hello stranger");
    let received = scene.service.one();
    for name in IDENTITY.iter().chain(&["authorization"]) {
        let values = received.folded(name);
        assert!(values.iter().all(|value| value.is_empty()), "{door:?} {name}: {values:?}");
    }
}

/// GW-02: CVE-2025-48865 and its kin: a client's `Connection` header names ours, so that the hop takes them off again.
#[test]
fn a_client_cannot_have_our_headers_taken_off_on_the_way() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut browser = scene.signed_in();
        for named in
            ["X-Auth-Subject", "authorization", "x-auth-session, X-Auth-Department", "x_auth_subject"]
        {
            let answer = browser.fetch(Ask::get("/orders/").header("Connection", format!("close, {named}")));
            let arrived = scene.service.take();
            // Refusing is as good as carrying it whole.
            if answer.status == 400 {
                assert!(arrived.is_empty(), "{door:?} {named}");
                continue;
            }
            assert_eq!((answer.status, arrived.len()), (200, 1), "{door:?} {named}: {answer:?}");
            assert_eq!(arrived[0].all("x-auth-subject"), [scene.subject.as_str()], "{door:?} {named}");
            assert_eq!(arrived[0].all("x-auth-department"), ["R&D"], "{door:?} {named}");
            assert!(arrived[0].claims.is_ok(), "{door:?} {named}");
        }
    }
}

/// GW-03: the decision is about the request that is carried, whatever the client says it is about (CVE-2026-40575).
#[test]
fn a_client_cannot_have_another_request_decided_than_the_one_it_sends() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut stranger = scene.browser();
        for (name, value) in [
            ("X-Original-URL", format!("{}/public/", scene.origin)),
            ("X-Original-Method", "GET".to_owned()),
            ("X-Forwarded-Uri", "/public/".to_owned()),
            ("X-Forwarded-Method", "OPTIONS".to_owned()),
            ("X-Forwarded-Host", "elsewhere.example".to_owned()),
            ("X-Forwarded-Proto", "https".to_owned()),
            ("X-HTTP-Method-Override", "GET".to_owned()),
            ("X-Rewrite-URL", "/public/".to_owned()),
        ] {
            for both in [false, true] {
                let mut ask = Ask::get("/orders/").header(name, &value);
                if both {
                    ask = ask.header("X-Original-URL", "/public/").header("X-Forwarded-Uri", "/public/");
                }
                let answer = stranger.fetch(ask);
                assert!((400..404).contains(&answer.status), "{door:?} {name}: {answer:?}");
                assert!(scene.service.take().is_empty(), "{door:?} {name}");
            }
        }
        the_way_here_is_told_by_the_proxy_alone(&scene);
    }
}

fn the_way_here_is_told_by_the_proxy_alone(scene: &Scene) {
    let mut browser = scene.signed_in();
    let spoofed = Ask::get("/orders/")
        .header("X-Forwarded-For", "203.0.113.66")
        .header("X-Forwarded-Host", "mallory.example")
        .header("X-Forwarded-Proto", "gopher");
    assert_eq!(browser.fetch(spoofed).status, 200);
    let received = scene.service.one();
    assert_eq!(received.folded("x-forwarded-for"), ["127.0.0.1"], "{:?}", scene.door);
    assert_eq!(received.folded("x-forwarded-proto"), ["http"], "{:?}", scene.door);
    assert!(!received.whole().contains("mallory"), "{:?}: {received:#?}", scene.door);
}

/// GW-03: who is not a trusted proxy gets no decision, whatever they present.
#[test]
fn an_untrusted_peer_gets_no_decision() {
    let trust = "[trusted_proxies]\nforward_auth = [\"127.0.0.9/32\"]";
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", trust);
    let client = scene.api_client();
    let url = format!("{}/orders/", scene.origin);
    let answer = scene.vestibule.check(|ask| ask.bearer(&client.session_token), &url);
    assert_eq!((answer.status, answer.code().as_str()), (403, "peer-untrusted"), "{answer:?}");
    assert!(!format!("{answer:?}").contains("eyJ"));
}

/// AU-05, GW-03: sign-ins are counted by the client's address: the proxy's word for it counts where the proxy is trusted, else nobody's.
#[test]
fn a_client_cannot_choose_the_address_it_is_counted_under() {
    let scene = Scene::behind(Door::BuiltIn);
    let mut browser = scene.browser();
    browser.sign_in("/auth/login", ADA, PASSWORD);
    let spoofed = Ask::get("/auth/api/v1/sessions").header("X-Forwarded-For", "203.0.113.66");
    let sessions = browser.fetch(spoofed).json();
    assert_eq!(sessions["sessions"][0]["device"]["address"], "127.0.0.1", "{sessions}");
    let body = serde_json::json!({"identifier": ADA, "password": PASSWORD});
    let signed_in = Ask::post("/auth/api/v1/login")
        .json(&body)
        .header("X-Forwarded-For", "203.0.113.66")
        .send(scene.front);
    assert_eq!(signed_in.json()["session"]["device"]["address"], "127.0.0.1", "{signed_in:?}");
}
