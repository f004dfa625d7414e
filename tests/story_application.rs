//! A Rust service behind the gateway, with the extractors and the client of `vestibule-verify`: it finds the keys by itself, knows who
//! signed in, greets strangers as strangers, refuses forgeries, and answers 503 while it has no keys to tell them apart by.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::personas::{
    ADA, Application, Ask, Browser, Certificate, Door, Nginx, PASSWORD, Scene, Vestibule, free_address,
    routes,
};

/// A JWT as far as its header says, in the name of a key that nobody has.
const WELL_FORMED: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.e30.AAAA";

#[test]
fn behind_the_built_in_door_an_axum_application_knows_who_signed_in() {
    an_application_knows_who_signed_in(Door::BuiltIn);
}

#[test]
fn behind_nginx_an_axum_application_knows_who_signed_in() {
    an_application_knows_who_signed_in(Door::Nginx);
}

fn an_application_knows_who_signed_in(door: Door) {
    let mut vestibule = Vestibule::installed();
    let front = if door == Door::BuiltIn { vestibule.public } else { free_address() };
    let origin = format!("http://{front}");
    let application = Application::start(&origin);
    let around = |ask: Ask| ask.send(application.address);

    // Started before Vestibule, it has no keys, and nobody can tell whether a JWT is good: neither yes nor no. For whoever brings
    // none there is nothing to tell.
    for path in ["/orders/", "/public/"] {
        let answer = around(Ask::get(path).bearer(WELL_FORMED));
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (503, &"unavailable".into()),
            "{path}: {answer:?}"
        );
    }
    assert_eq!(around(Ask::get("/public/")).text(), "Hello, stranger");

    vestibule.configure(&format!("public_url = \"{origin}\""), &routes(application.address));
    vestibule.start();
    let subject = vestibule.operator.add_account(ADA);
    let _nginx = (door == Door::Nginx)
        .then(|| Nginx::start(front, vestibule.public, vestibule.internal, application.address));
    let mut browser = Browser::at(&origin);

    // A stranger is nobody.
    assert_eq!(browser.look("/public/").text(), "Hello, stranger");
    assert_eq!(browser.look("/orders/").status, 302);

    // While it has no keys it asks every few seconds.
    browser.sign_in("/auth/login", ADA, PASSWORD);
    let began = Instant::now();
    while browser.look("/orders/").status == 503 {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not find the keys");
        std::thread::sleep(Duration::from_millis(50));
    }
    let answer = browser.look("/orders/");
    assert_eq!(answer.status, 200, "{answer:?}");
    let told = answer.json();
    assert_eq!(told["known"]["subject"], subject.as_str());
    assert_eq!(told["known"]["session"], vestibule.operator.only_session().as_str());
    assert_eq!(told["known"]["by"], serde_json::json!(["pwd"]));
    assert!(told["known"]["signed_in_at"].is_u64(), "{told}");
    assert_eq!((&told["email"], &told["department"]), (&ADA.into(), &"R&D".into()));
    assert_eq!(browser.look("/public/").text(), format!("Hello, {subject}"));

    // Whoever reaches the application around the gateway gets nowhere, and a forgery is never just a stranger.
    assert_eq!(around(Ask::get("/orders/")).status, 401);
    for path in ["/orders/", "/public/"] {
        let refused = around(Ask::get(path).bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ."));
        assert_eq!((refused.status, &refused.json()["code"]), (401, &"jwt".into()), "{path}: {refused:?}");
        assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"), "{refused:?}");
    }

    browser.sign_out();
    assert_eq!(browser.look("/orders/").status, 302);
    assert_eq!(browser.look("/public/").text(), "Hello, stranger");
}

/// KM-02: a service that finds its keys by a certificate that it trusts takes a key that nobody announced at its first JWT, and goes
/// on while the issuer cannot be asked.
#[test]
fn an_application_finds_the_keys_by_tls_and_lives_through_rotations_and_silence() {
    let (front, mut vestibule) = (free_address(), Vestibule::installed());
    let (certificate, origin) =
        (Certificate::for_hosts(&["localhost"]), format!("https://localhost:{}", front.port()));
    let application = Application::start_trusting(&certificate.chain(), &origin);
    let distrustful = Application::start(&origin);
    vestibule.configure(&format!("public_url = \"{origin}\""), &routes(application.address));
    vestibule.start();
    vestibule.operator.add_account(ADA);
    let nginx =
        Nginx::start_tls(front, vestibule.public, vestibule.internal, application.address, &certificate);
    let login = json!({ "identifier": ADA, "password": PASSWORD, "deliver": "body" });
    let login = Ask::post("/auth/api/v1/login").json(&login).send(vestibule.public).json();
    let session = login["session_token"].as_str().unwrap();
    let host = format!("localhost:{}", front.port());
    let orders = || Ask::get("/orders/").header("Host", &host).bearer(session).send(vestibule.public);

    let began = Instant::now();
    while orders().status == 503 {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not find the keys");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(orders().status, 200, "{:?}", orders());

    // Not announced, and not missed either.
    let operator = &vestibule.operator;
    let first = operator.json(&["key", "list"])[0]["key_id"].as_str().unwrap().to_owned();
    operator.ok(&["key", "rotate", "--now"], "");
    assert_eq!(orders().status, 200, "{:?}", orders());
    operator.ok(&["key", "retire", &first], "");
    assert_eq!(orders().status, 200, "{:?}", orders());

    // By a certificate that it does not trust, the other one gets no key: it cannot tell.
    let refused = Ask::get("/orders/").bearer(WELL_FORMED).send(distrustful.address);
    assert_eq!((refused.status, &refused.json()["code"]), (503, &"unavailable".into()), "{refused:?}");

    // Silence: the last good keys stay.
    drop(nginx);
    assert_eq!(orders().status, 200, "{:?}", orders());
}

/// `/.well-known/` is the application's (RFC 8615): certificates are renewed by it, and OpenID providers found. Ours are three documents.
#[test]
fn of_well_known_three_documents_are_ours_and_no_more() {
    let scene = Scene::with(
        Door::BuiltIn,
        Vestibule::installed(),
        "",
        "[[route]]\npath = \"/.well-known/acme-challenge/\"\nrequire = \"public\"\nupstream = \"http://127.0.0.1:9\"\n",
    );
    for (path, status) in [
        ("/.well-known/jwks.json", 200),
        ("/.well-known/oauth-authorization-server", 200),
        ("/.well-known/change-password", 303),
        // By the route of its own to a service that is down, and by the one for everything.
        ("/.well-known/acme-challenge/token", 502),
        ("/.well-known/security.txt", 401),
        ("/.well-known/openid-configuration", 401),
        ("/.well-known/jwks.json/", 401),
        ("/.well-known/", 401),
    ] {
        assert_eq!(Ask::get(path).send(scene.front).status, status, "{path}");
    }
    let mut browser = scene.signed_in();
    assert_eq!(browser.look("/.well-known/security.txt").text(), format!("hello {}", scene.subject));
}
