//! Hostile JWTs at the outer door: all that the forge makes with the installation's own stolen key, and the JWTs that services get.
//! Every one is refused, in the same words, and no service hears of it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value, json};

use crate::forge::{Forge, Hostile, Signer};
use crate::personas::{ADA, Answer, Ask, Door, PASSWORD, Scene, Vestibule, python};

/// The forge changes parts of an https issuer, so the installation has one.
const ORIGIN: &str = "https://app.test";

/// A client's own word of mouth, as a door passes it.
fn outside(answer: &Answer) -> String {
    let headers: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name != "date" && name != "connection").collect();
    format!("{} {headers:?} {}", answer.status, answer.text())
}

/// An installation that says it is at [`ORIGIN`], and a forge that stole its key and knows the claims of a token that is in use.
fn robbed() -> (Scene, Forge) {
    let scene = Scene::at(ORIGIN, Vestibule::installed().with_log_filter("info,vestibule_gateway=debug"));
    let login = json!({"identifier": ADA, "password": PASSWORD, "mode": "token"});
    let login = Ask::post("/auth/api/v1/login").json(&login).send(scene.front);
    let issued = login.json()["access_token"].as_str().unwrap().to_owned();
    let payload = BASE64URL_NOPAD.decode(issued.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let mut claims: Map<String, Value> = serde_json::from_slice(&payload).unwrap();
    let place = &scene.vestibule.place;
    let mut thief: Command = python("thief.py");
    thief.arg(place.join("vestibule-data/vestibule.db")).arg(place.join("secrets/seal.key")).arg("edge");
    let stolen = thief.output().unwrap();
    assert!(stolen.status.success(), "{stolen:?}");
    let stolen: Value = serde_json::from_slice(&stolen.stdout).unwrap();
    let pkcs8 = HEXLOWER.decode(stolen["pkcs8"].as_str().unwrap().as_bytes()).unwrap();
    let now = now();
    claims.extend([("iat".to_owned(), json!(now - 30)), ("exp".to_owned(), json!(now + 250))]);
    let forge = Forge {
        signer: Signer::es256_from_pkcs8(&pkcs8),
        key_id: stolen["key_id"].as_str().unwrap().to_owned(),
        typ: "at+jwt".to_owned(),
        claims,
        now,
    };
    (scene, forge)
}

#[expect(clippy::disallowed_methods, reason = "the forge signs for the clock that the server reads")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// JW-01 to JW-15 from the outside: one answer for all, the reason for the operator alone.
#[test]
fn every_hostile_token_gets_the_same_refusal_and_reaches_no_service() {
    let (scene, forge) = robbed();
    let url = format!("{ORIGIN}/orders/");
    let at_the_proxy =
        |jwt: &str| Ask::get("/orders/").header("Host", "app.test").bearer(jwt).try_send(scene.front);
    let at_check = |jwt: &str| {
        let ask =
            Ask::get("/check").header("X-Original-Method", "GET").header("X-Original-URL", &url).bearer(jwt);
        ask.try_send(scene.vestibule.internal)
    };

    // The untouched token passes, or refusing the others would prove nothing.
    let control = forge.control();
    assert_eq!(at_check(&control).unwrap().status, 200);
    assert_eq!(at_the_proxy(&control).unwrap().status, 200);
    let received = scene.service.one();
    assert_ne!(
        received.jwt().unwrap(),
        control,
        "what opens the outer door does not go through the inner one"
    );
    assert_eq!(received.claims.unwrap()["sub"], scene.subject.as_str());

    // HTTP itself takes white space off the end of a header, and a line feed ends it.
    let arrives_whole = |token: &Hostile| {
        token.jwt.trim_end_matches([' ', '\t']) == token.jwt && !token.jwt.contains(['\r', '\n'])
    };
    let tokens: Vec<_> = forge.all().into_iter().filter(arrives_whole).collect();
    assert!(tokens.len() > 250, "{} tokens", tokens.len());
    let (mut answers, mut not_even_jwts) = (BTreeMap::<String, Vec<&str>>::new(), Vec::new());
    let mut reasons = BTreeSet::new();
    for token in &tokens {
        for (place, answer) in [("proxy", at_the_proxy(&token.jwt)), ("check", at_check(&token.jwt))] {
            let Some(answer) = answer else {
                assert!(!can_be_sent(&token.jwt), "{place}: no answer to {}", token.name);
                continue;
            };
            assert!((400..500).contains(&answer.status), "{place}: {}: {answer:?}", token.name);
            if looks_like_a_jwt(&token.jwt) {
                answers.entry(format!("{place} {}", outside(&answer))).or_default().push(&token.name);
            } else {
                not_even_jwts.push(token.name.as_str());
            }
        }
        if looks_like_a_jwt(&token.jwt) {
            reasons.insert(token.code);
        }
        assert!(scene.service.take().is_empty(), "{} reached the service", token.name);
    }
    assert_eq!(answers.len(), 2, "one answer at each place: {answers:#?}");
    assert!(answers.keys().all(|answer| answer[6..].starts_with("401 ")), "{:?}", answers.keys());
    assert!(not_even_jwts.len() < 80, "{not_even_jwts:?}");
    assert_eq!(at_check(&control).unwrap().status, 200, "still the control");

    // The operator learns each reason, from the log that they asked for.
    assert!(reasons.len() > 15, "{reasons:?}");
    let log = scene.vestibule.logged();
    for reason in reasons {
        assert!(log.contains(&format!("\"reject.code\":\"{reason}\"")), "no {reason} in the log");
    }
}

/// Whether it fits into a header line.
fn can_be_sent(jwt: &str) -> bool {
    jwt.len() < 8000 && jwt.bytes().all(|byte| byte == b'\t' || (32..127).contains(&byte))
}

/// Whether it is taken for a JWT at all (RFC 6750 section 2.1).
fn looks_like_a_jwt(jwt: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    can_be_sent(jwt) && jwt.contains('.') && jwt.bytes().all(good)
}

/// A public route serves strangers: a hostile token makes nobody of its bearer, and does not get through either.
#[test]
fn on_a_public_route_a_hostile_token_is_nobody_and_stays_outside() {
    let (scene, forge) = robbed();
    for token in forge.by_an_attacker().iter().filter(|token| looks_like_a_jwt(&token.jwt)).step_by(7) {
        let answer = Ask::get("/public/").header("Host", "app.test").bearer(&token.jwt).send(scene.front);
        assert_eq!(answer.status, 200, "{}: {answer:?}", token.name);
        let received = scene.service.one();
        assert!(received.jwt().is_none() && !received.whole().contains(&token.jwt), "{}", token.name);
        assert!(received.all("x-auth-subject").iter().all(|it| it.is_empty()), "{}", token.name);
    }
}

/// RV-06: where the session is gone, a JWT of it is.
#[test]
fn a_token_of_an_ended_session_is_refused_at_once_whatever_its_signature_says() {
    let (scene, forge) = robbed();
    let url = format!("{ORIGIN}/orders/");
    let ask = |jwt: &str| scene.vestibule.check(|ask| ask.bearer(jwt), &url);
    assert_eq!(ask(&forge.control()).status, 200);
    let session = scene.vestibule.operator.only_session();
    scene.vestibule.operator.ok(&["session", "end", &session], "");
    assert_eq!(ask(&forge.control()).status, 401);
}

/// KM-02: withdrawing a key stops acceptance.
#[test]
fn a_token_by_a_retired_key_is_refused_at_once() {
    let (scene, forge) = robbed();
    let url = format!("{ORIGIN}/orders/");
    let ask = |jwt: &str| scene.vestibule.check(|ask| ask.bearer(jwt), &url);
    scene.vestibule.operator.ok(&["key", "rotate", "--edge", "--now"], "");
    assert_eq!(ask(&forge.control()).status, 200, "trusted until its JWTs are gone");
    scene.vestibule.operator.ok(&["key", "retire", &forge.key_id], "");
    assert_eq!(ask(&forge.control()).status, 401);
}

/// HX-04: what a service was given is good at that service, and nowhere else: it cannot come back in by the outer door.
#[test]
fn the_jwt_of_a_service_does_not_open_the_outer_door() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut browser = scene.signed_in();
        assert_eq!(browser.look("/orders/").status, 200);
        let jwt = scene.service.one().jwt().unwrap().to_owned();
        let refused = Ask::get("/orders/").bearer(&jwt).send(scene.front);
        assert_eq!(refused.status, 401, "{door:?}: {refused:?}");
        let forged = Ask::get("/orders/").bearer(&format!("{jwt}x")).send(scene.front);
        let same = |answer: &Answer| {
            (answer.status, answer.text(), answer.header("www-authenticate").map(str::to_owned))
        };
        assert_eq!(same(&refused), same(&forged), "{door:?}: who asks does not learn how near they came");
        let as_cookie = Ask::get("/orders/").header("Cookie", format!("vestibule={jwt}")).send(scene.front);
        assert_eq!(as_cookie.status, 401, "{door:?}");
        assert_eq!(Ask::get("/auth/api/v1/session").bearer(&jwt).send(scene.front).status, 401, "{door:?}");
        assert!(scene.service.take().is_empty(), "{door:?}");
    }
}
