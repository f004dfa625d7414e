//! A Rust service behind the gateway, with the extractors of `vestibule-verify`: it knows who signed in, greets strangers as strangers,
//! refuses forgeries, and answers 503 while it has no keys to tell them apart by.

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
    vestibule.configure(&format!("public_url = \"{origin}\""), &routes(application.address));
    vestibule.start();
    let subject = vestibule.operator.add_account(ADA);
    let _nginx = (door == Door::Nginx)
        .then(|| Nginx::start(front, vestibule.public, vestibule.internal, application.address));
    let mut browser = Browser::at(&origin);

    // A stranger is nobody, and needs no keys for that.
    assert_eq!(browser.look("/public/").text(), "Hello, stranger");
    assert_eq!(browser.look("/orders/").status, 302);

    // Without keys nobody can tell whether a JWT is good: neither yes nor no.
    let page = browser.sign_in("/orders/", ADA, PASSWORD);
    assert_eq!(
        (page.answer.status, &page.answer.json()["code"]),
        (503, &"unavailable".into()),
        "{:?}",
        page.answer
    );
    assert_eq!(browser.look("/public/").status, 503);

    application.fetch_keys(vestibule.public);
    let began = Instant::now();
    while browser.look("/orders/").status == 503 {
        assert!(began.elapsed() < Duration::from_secs(20), "the keys are not read");
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
    let around = |ask: Ask| ask.send(application.address);
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
