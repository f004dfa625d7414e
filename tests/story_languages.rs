//! The examples for services in Node and Python behind the gateway, as they stand: they find the keys by the issuer's metadata, know who
//! signed in, greet strangers as strangers, refuse forgeries, and say 503 where they cannot tell.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::forge::{Forge, Signer};
use crate::personas::{
    ADA, Ask, Browser, Door, Example, ExampleService, Nginx, PASSWORD, Vestibule, free_address, routes,
};

#[test]
fn behind_the_built_in_door_a_service_on_express_knows_who_signed_in() {
    a_service_knows_who_signed_in(Example::Express, Door::BuiltIn);
}

#[test]
fn behind_nginx_a_service_on_express_knows_who_signed_in() {
    a_service_knows_who_signed_in(Example::Express, Door::Nginx);
}

#[test]
fn behind_the_built_in_door_a_service_on_starlette_knows_who_signed_in() {
    a_service_knows_who_signed_in(Example::Starlette, Door::BuiltIn);
}

#[test]
fn behind_nginx_a_service_on_starlette_knows_who_signed_in() {
    a_service_knows_who_signed_in(Example::Starlette, Door::Nginx);
}

fn a_service_knows_who_signed_in(example: Example, door: Door) {
    let mut vestibule = Vestibule::installed();
    let front = if door == Door::BuiltIn { vestibule.public } else { free_address() };
    let origin = format!("http://{front}");
    let service = ExampleService::start(example, &origin);
    vestibule.configure(&format!("public_url = \"{origin}\""), &routes(service.address));
    vestibule.start();
    let subject = vestibule.operator.add_account(ADA);
    let _nginx = (door == Door::Nginx)
        .then(|| Nginx::start(front, vestibule.public, vestibule.internal, service.address));
    let mut browser = Browser::at(&origin);

    assert_eq!(browser.look("/public/").text(), "Hello, stranger");
    assert_eq!(browser.look("/orders/").status, 302);
    let page = browser.sign_in("/orders/", ADA, PASSWORD);
    assert_eq!(page.answer.status, 200, "{:?}", page.answer);
    assert_eq!(page.answer.json(), json!({ "subject": subject, "email": ADA, "department": "R&D" }));
    assert_eq!(browser.look("/public/").text(), format!("Hello, {subject}"));

    // Whoever reaches the service around the gateway gets nowhere, and a forgery is never just a stranger.
    let around = |ask: Ask| ask.send(service.address);
    let refused = around(Ask::get("/orders/"));
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")), "{refused:?}");
    let keys = Ask::get("/.well-known/jwks.json").send(vestibule.public).json();
    let known = keys["keys"][0]["kid"].as_str().unwrap();
    for path in ["/orders/", "/public/"] {
        for (name, credential) in forgeries(&origin, known) {
            let refused = around(Ask::get(path).header("Authorization", &credential));
            assert_eq!(refused.status, 401, "{name} at {path}: {refused:?}");
            assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"), "{refused:?}");
        }
    }

    browser.sign_out();
    assert_eq!(browser.look("/orders/").status, 302);
    assert_eq!(browser.look("/public/").text(), "Hello, stranger");
}

/// In the name of a key that is published, of one that is not, and what is no JWT at all.
fn forgeries(issuer: &str, known: &str) -> Vec<(&'static str, String)> {
    let mut forge = stranger(issuer);
    let mut list = Vec::new();
    for (name, key_id) in [("a stranger's key", known), ("an unknown key", "unknown")] {
        forge.key_id = key_id.to_owned();
        list.push((name, format!("Bearer {}", forge.control())));
    }
    list.push(("no algorithm", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.".to_owned()));
    list.push(("no JWT", "Bearer opaque".to_owned()));
    list.push(("another scheme", "Basic YWRhOnB3".to_owned()));
    list
}

/// Says all the right things, with a key of its own.
#[expect(clippy::disallowed_methods, reason = "the services judge by the clock of this machine")]
fn stranger(issuer: &str) -> Forge {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": issuer, "aud": "orders", "sub": "ada", "sid": "s", "exp": now + 90, "iat": now - 30, "jti": "j", "client_id": "vestibule",
    });
    Forge {
        signer: Signer::generate("ES256"),
        key_id: "unknown".to_owned(),
        typ: "at+jwt".to_owned(),
        claims: claims.as_object().unwrap().clone(),
        now,
    }
}

/// An issuer that cannot be asked says nothing about the JWT.
#[test]
fn a_service_that_cannot_reach_its_issuer_says_that_it_cannot_tell() {
    for example in [Example::Express, Example::Starlette] {
        let issuer = format!("http://{}", free_address());
        let service = ExampleService::start(example, &issuer);
        let jwt = stranger(&issuer).control();
        for path in ["/orders/", "/public/"] {
            let answer = Ask::get(path).bearer(&jwt).send(service.address);
            assert_eq!(
                (answer.status, answer.header("retry-after")),
                (503, Some("5")),
                "{example:?}: {answer:?}"
            );
        }
        assert_eq!(Ask::get("/public/").send(service.address).text(), "Hello, stranger");
    }
}
