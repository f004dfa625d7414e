//! Tokens as phantoms: outside an opaque token, inside a JWT, and between them nginx as its documentation and ours show it, which asks once
//! and keeps the answer by the token.

use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::personas::{ADA, Answer, ApiClient, Ask, Door, Nginx, PASSWORD, Scene, Vestibule, free_address};

const INTROSPECT: &str = "/auth/oauth/introspect";

/// A client that serves the audience `orders`, as it proves itself.
fn added(vestibule: &Vestibule) -> (String, String) {
    let added = vestibule.operator.json(&["client", "add", "api gateway", "--serves", "orders"]);
    let text = |name: &str| added[name].as_str().unwrap().to_owned();
    let both = format!("{}:{}", text("client_id"), text("client_secret"));
    (text("client_id"), format!("Basic {}", BASE64.encode(both.as_bytes())))
}

#[test]
fn behind_nginx_a_service_gets_the_jwt_of_which_the_token_is_the_phantom() {
    let scene = Scene::behind(Door::BuiltIn);
    let (client, proof) = added(&scene.vestibule);
    let front = free_address();
    let _nginx = Nginx::introspecting(front, scene.vestibule.internal, scene.service.address, &proof);
    let opened = ApiClient::sign_in(scene.vestibule.public, ADA, PASSWORD);
    let session = opened.session_token.clone();
    let tokens = json!({"identifier": ADA, "password": PASSWORD, "mode": "token"});
    let tokens = Ask::post("/auth/api/v1/login").json(&tokens).send(scene.vestibule.public).json();
    let access = tokens["access_token"].as_str().unwrap();
    let asked = || scene.vestibule.metric("vestibule_introspections_total", "");

    for token in [session.as_str(), access] {
        let before = asked();
        for accept in ["*/*", "application/json", "text/html"] {
            let ask = Ask::get("/orders/7").bearer(token).header("Accept", accept);
            assert_eq!(ask.send(front).status, 200);
            let received = scene.service.one();
            let claims = received.claims.clone().unwrap();
            assert_eq!((&claims["sub"], &claims["aud"]), (&json!(scene.subject), &json!("orders")));
            assert!(!received.whole().contains(token), "the phantom stays outside: {received:#?}");
        }
        assert_eq!(asked() - before, 1.0, "asked once, whatever the caller accepts");
    }

    // The service hears nothing by which a client says who or where it is, and cannot send anybody behind the door.
    let hostile = [
        ("X-Auth-Subject", "someone-else"),
        ("X-Auth-Department", "someone-else"),
        ("Remote-User", "someone-else"),
        ("X-Forwarded-For", "10.9.8.7"),
        ("HTTP2-Settings", "someone-else"),
        ("Client-Cert", "someone-else"),
        ("Cookie", "someone-else=1"),
    ];
    let asking = hostile
        .iter()
        .fold(Ask::get("/orders/7").bearer(&session), |ask, (name, value)| ask.header(name, value));
    assert_eq!(asking.header("Content-Type", "text/x-kept").send(front).status, 200);
    let received = scene.service.one();
    let whole = received.whole();
    assert!(!whole.contains("someone-else") && !whole.contains("10.9.8.7"), "{whole}");
    assert_eq!(received.all("content-type"), ["text/x-kept"]);

    // What is no bearer token of ours is not asked about, and no service hears of it; nor of what is not good.
    let before = asked();
    for authorization in [
        "",
        "Bearer",
        "Basic YTpi",
        "Bearer a b",
        "Bearer a,b",
        "Bearer \"x\"",
        "Bearer a&token=b",
        "Bearer a%26",
    ] {
        let refused = Ask::get("/orders/7").header("Authorization", authorization).send(front);
        let told = refused.all("www-authenticate");
        assert_eq!((refused.status, told), (401, vec!["Bearer realm=\"orders\""]), "{authorization:?}");
    }
    assert_eq!(
        Ask::get("/orders/7").header("Cookie", format!("vestibule={session}")).send(front).status,
        401
    );
    assert_eq!(asked(), before);
    for bad in [&format!("{session}x"), "vst_x", "a.b.c", tokens["refresh_token"].as_str().unwrap(), &client]
    {
        let refused = Ask::get("/orders/7").bearer(bad).send(front);
        let told = refused.all("www-authenticate");
        assert_eq!(
            (refused.status, told),
            (401, vec!["Bearer realm=\"vestibule\", error=\"invalid_token\""])
        );
    }
    assert_eq!(asked() - before, 5.0);
    // A refusal is not kept: nobody is locked out by having come too early.
    assert_eq!(Ask::get("/orders/7").bearer("vst_x").send(front).status, 401);
    assert_eq!(asked() - before, 6.0);
    // The place where it asks is nobody's to ask.
    assert_eq!(Ask::get("/_vestibule/introspect").bearer(&session).send(front).status, 404);
    assert!(scene.service.take().is_empty());

    // A JWT as large as any may be whose claim is copied, too, comes through.
    let traits = json!({ "department": "x".repeat(2360) }).to_string();
    scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", &traits], "");
    let large = ApiClient::sign_in(scene.vestibule.public, ADA, PASSWORD);
    let answer = Ask::get("/orders/7").bearer(&large.session_token).send(front);
    assert_eq!(answer.status, 200, "{answer:?}");
    let received = scene.service.one();
    assert!((3700..=4096).contains(&received.jwt().unwrap().len()), "{}", received.jwt().unwrap().len());

    // A service sends nobody on to another place, and past the answer about the first.
    scene.service.says("X-Accel-Redirect: /orders/secret\r\n");
    let answer = Ask::get("/orders/7").bearer(&session).send(front);
    assert_eq!((answer.status, answer.header("x-accel-redirect")), (200, None), "{answer:?}");
    assert_eq!(scene.service.one().line, "GET /orders/7 HTTP/1.1");

    // Ended: what is kept goes on for half a minute at most, and not longer; everybody else is told at once.
    opened.sign_out();
    let told = ask(&scene, &proof, "application/json", &session);
    assert_eq!((told.status, told.json()), (200, json!({"active": false})));
    let began = Instant::now();
    while Ask::get("/orders/7").bearer(&session).send(front).status == 200 {
        assert!(began.elapsed() < Duration::from_secs(32), "kept beyond its time");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// A wrong secret is the gateway's trouble, not the caller's; and no answer lets nobody through.
#[test]
fn where_nginx_cannot_ask_nobody_gets_through_and_nobody_is_told_to_sign_in() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let (id, proof) = added(&scene.vestibule);
    let wrong = format!("Basic {}", BASE64.encode(format!("{id}:vcs_x").as_bytes()));
    let session = ApiClient::sign_in(scene.vestibule.public, ADA, PASSWORD).session_token;
    for (proof, is_ended) in [(&wrong, false), (&proof, true)] {
        let front = free_address();
        let _nginx = Nginx::introspecting(front, scene.vestibule.internal, scene.service.address, proof);
        if is_ended {
            scene.vestibule.end();
        }
        let refused = Ask::get("/orders/7").bearer(&session).send(front);
        assert_eq!(refused.status, 503, "{refused:?}");
    }
    assert!(scene.service.take().is_empty());
}

fn ask(scene: &Scene, proof: &str, accept: &str, token: &str) -> Answer {
    let asked = Ask::post(INTROSPECT).form(&[("token", token)]).header("Accept", accept);
    asked.header("Authorization", proof).send(scene.vestibule.internal)
}

/// On either listener; warm without a read, a write or a signature; and nothing after the client was removed.
#[test]
fn the_warm_answer_neither_reads_nor_signs_and_a_removed_client_gets_none() {
    let scene = Scene::behind(Door::BuiltIn);
    let (id, proof) = added(&scene.vestibule);
    let session = ApiClient::sign_in(scene.vestibule.public, ADA, PASSWORD).session_token;
    let first = ask(&scene, &proof, "application/jwt", &session);
    assert_eq!(first.status, 200, "{first:?}");
    let verified =
        scene.vestibule.operator.ok(&["token", "verify", "--audience", "orders", "--json"], &first.text());
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["claims"]["sub"], scene.subject.as_str());
    let counters =
        ["vestibule_store_reads_total", "vestibule_store_writes_total", "vestibule_jwt_signed_total"];
    scene.vestibule.assert_unmoved(&counters, || {
        for _ in 0..20 {
            assert_eq!(ask(&scene, &proof, "application/jwt", &session).body, first.body);
        }
    });
    let outside = Ask::post(INTROSPECT).form(&[("token", &session)]).header("Authorization", &proof);
    assert_eq!(outside.send(scene.vestibule.public).json()["active"], true);

    scene.vestibule.operator.ok(&["client", "remove", &id], "");
    for accept in ["application/jwt", "application/json", "application/token-introspection+jwt"] {
        let refused = ask(&scene, &proof, accept, &session);
        assert_eq!((refused.status, &refused.json()["error"]), (401, &"invalid_client".into()), "{accept}");
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"vestibule\""));
    }
}

/// Ended is ended also for who was handed a JWT before, and over a crash, when nobody remembers what was revoked.
#[test]
fn a_jwt_whose_session_has_ended_is_told_to_be_inactive_also_after_a_crash() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let (_, proof) = added(&scene.vestibule);
    let opened = ApiClient::sign_in(scene.vestibule.public, ADA, PASSWORD);
    let jwt = ask(&scene, &proof, "application/jwt", &opened.session_token).text();
    let is_active = |scene: &Scene| ask(scene, &proof, "application/json", &jwt).json()["active"] == true;
    scene.vestibule.kill();
    scene.vestibule.start();
    assert!(is_active(&scene));
    opened.sign_out();
    assert!(!is_active(&scene));
    scene.vestibule.kill();
    scene.vestibule.start();
    assert!(!is_active(&scene));
}

/// What a removed client traded for is about a person whose session goes on, so it is found by who acts; and still after a crash, when
/// nobody remembers what was revoked.
#[test]
fn what_a_removed_client_traded_for_is_told_to_be_inactive_and_cannot_be_traded_on() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let (_, proof) = added(&scene.vestibule);
    let trader = |name: &str| {
        let may = ["--exchange", "--audience", "orders", "--serves", "orders"];
        let added = scene.vestibule.operator.json(&[&["client", "add", name], &may[..]].concat());
        let text = |name: &str| added[name].as_str().unwrap().to_owned();
        let both = format!("{}:{}", text("client_id"), text("client_secret"));
        (text("client_id"), format!("Basic {}", BASE64.encode(both.as_bytes())))
    };
    let (removed, stays) = (trader("removed"), trader("stays"));
    let trade = |scene: &Scene, proof: &str, kind: &str, token: &str| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", kind),
            ("subject_token", token),
        ];
        let asked = Ask::post("/auth/oauth/token").form(&form).header("Authorization", proof);
        asked.send(scene.vestibule.public).json()
    };
    let access = "urn:ietf:params:oauth:token-type:access_token";
    let opened = ApiClient::sign_in(scene.vestibule.public, ADA, PASSWORD);
    let session = &opened.session_token;
    let first = trade(&scene, &removed.1, "urn:vestibule:token-type:session", session);
    let first = first["access_token"].as_str().unwrap().to_owned();
    let second = trade(&scene, &stays.1, access, &first)["access_token"].as_str().unwrap().to_owned();
    let own = trade(&scene, &stays.1, "urn:vestibule:token-type:session", session);
    let own = own["access_token"].as_str().unwrap().to_owned();
    let active = |scene: &Scene| {
        [&first, &second, &own, session]
            .map(|token| ask(scene, &proof, "application/json", token).json()["active"] == true)
    };
    assert_eq!(active(&scene), [true; 4]);

    scene.vestibule.operator.ok(&["client", "remove", &removed.0], "");
    for _ in 0..2 {
        assert_eq!(active(&scene), [false, false, true, true]);
        for token in [&first, &second] {
            assert_eq!(trade(&scene, &stays.1, access, token)["error"], "invalid_request");
        }
        assert_eq!(trade(&scene, &removed.1, access, &own)["error"], "invalid_client");
        scene.vestibule.kill();
        scene.vestibule.start();
    }
}
