//! A Rust service behind the gateway, with the extractors and the client of `vestibule-verify`: it finds the keys by itself, knows who
//! signed in, greets strangers as strangers, refuses forgeries, and answers 503 while it has no keys to tell them apart by.

use std::time::{Duration, Instant};

use crate::personas::{
    ADA, Application, Ask, Browser, Door, Nginx, PASSWORD, Vestibule, free_address, routes,
};

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
    let well_formed = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.e30.AAAA";
    for path in ["/orders/", "/public/"] {
        let answer = around(Ask::get(path).bearer(well_formed));
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

    // The first JWT has it ask for the keys, unless it has done so by itself; it asks twice in half a minute at most.
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
