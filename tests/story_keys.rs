//! Signing keys come and go while services in three languages verify: a rotation is not noticed by anyone, a withdrawal holds at once.

use std::time::Duration;

use crate::personas::{ADA, Ask, Browser, Door, Library, PASSWORD, Scene, Vestibule};

/// KM-05: the public key set, and nothing private in it.
fn published(scene: &Scene) -> Vec<String> {
    let keys = Ask::get("/.well-known/jwks.json").send(scene.front).json();
    let keys = keys["keys"].as_array().unwrap().clone();
    for key in &keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(!members.contains(&secret), "{secret} is published");
        }
    }
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn state(scene: &Scene, key: &str) -> String {
    let keys = scene.vestibule.operator.json(&["key", "list"]);
    let found = keys.as_array().unwrap().iter().find(|it| it["key_id"] == key).cloned();
    found.unwrap_or_else(|| panic!("no {key} in {keys}"))["state"].as_str().unwrap().to_owned()
}

/// Which key the next request's JWT is signed with.
fn signed_with(scene: &Scene, browser: &mut Browser) -> String {
    assert_eq!(browser.look("/orders/").status, 200);
    let received = scene.service.one();
    assert!(received.claims.is_ok(), "{:?}", received.claims);
    let inspected = scene.vestibule.operator.ok(&["token", "inspect", "--json"], received.jwt().unwrap());
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    inspected["header"]["kid"].as_str().unwrap().to_owned()
}

/// KM-02: published before use, kept until its JWTs are gone.
#[test]
fn a_rotation_is_published_ahead_then_signs_and_the_old_key_stays_until_its_jwts_are_gone() {
    let scene = Scene::behind(Door::Nginx);
    let mut browser = scene.signed_in();
    let first = signed_with(&scene, &mut browser);
    assert_eq!(published(&scene), [first.as_str()]);

    // Not at once: services that keep a key set for a while have to see the new key first.
    let ahead = scene.vestibule.operator.json(&["key", "rotate"]);
    let ahead = ahead["key_id"].as_str().unwrap().to_owned();
    assert_eq!(state(&scene, &ahead), "waiting");
    assert!(published(&scene).contains(&ahead) && published(&scene).contains(&first));
    assert_eq!(signed_with(&scene, &mut browser), first);

    let now = scene.vestibule.operator.json(&["key", "rotate", "--now"]);
    let now = now["key_id"].as_str().unwrap().to_owned();
    assert_eq!(signed_with(&scene, &mut browser), now, "the session goes on with a JWT by the new key");
    assert!(published(&scene).contains(&first), "JWTs by the old one are still good");
    assert_eq!(state(&scene, &first), "retiring");
}

/// KM-02: no failed verification, in any language.
#[test]
fn services_in_other_languages_verify_on_through_every_rotation_and_withdrawal() {
    for (library, door) in [(Library::Jose, Door::Caddy), (Library::PyJwt, Door::Nginx)] {
        let scene = Scene::before(library, door);
        let mut browser = scene.browser();
        let page = browser.sign_in("/orders/", ADA, PASSWORD);
        assert_eq!(page.answer.status, 200, "{library:?}: {:?}", page.answer);
        for _ in 0..2 {
            let old = published(&scene);
            // Libraries ask for a key set again only so often: in life that is what publishing ahead is for.
            std::thread::sleep(Duration::from_millis(150));
            scene.vestibule.operator.ok(&["key", "rotate", "--now"], "");
            let answer = browser.look("/orders/");
            assert_eq!(answer.status, 200, "{library:?}: {answer:?}");
            for key in &old {
                scene.vestibule.operator.ok(&["key", "retire", key], "");
            }
            assert_eq!(published(&scene).len(), 1, "{library:?}");
            assert_eq!(browser.look("/orders/").status, 200, "{library:?}");
        }
    }
}

#[test]
fn a_withdrawn_signing_key_is_replaced_and_its_jwts_are_no_good_any_more() {
    let scene = Scene::behind(Door::BuiltIn);
    let mut browser = scene.signed_in();
    let first = signed_with(&scene, &mut browser);
    assert_eq!(browser.look("/orders/").status, 200);
    let old_jwt = scene.service.one().jwt().unwrap().to_owned();
    scene.vestibule.operator.fails(1, &["key", "retire", &first], "", "key retire --now");
    assert_eq!(signed_with(&scene, &mut browser), first, "nothing was changed");
    scene.vestibule.operator.ok(&["key", "retire", "--now", &first], "");
    let second = signed_with(&scene, &mut browser);
    assert_ne!(second, first, "the only key was withdrawn, so another one signs");
    assert_eq!(published(&scene), [second.as_str()]);
    let verify = ["token", "verify", "--audience", "orders"];
    scene.vestibule.operator.fails(1, &verify, &old_jwt, "refused");
}

/// What a running server does with the key that is named, in each of its states, for both kinds of keys: that key goes, and no other.
#[test]
fn a_running_server_retires_exactly_what_is_named() {
    let scene = Scene::behind(Door::BuiltIn);
    let operator = &scene.vestibule.operator;
    for edge in [&[][..], &["--edge"]] {
        let purpose = if edge.is_empty() { "services" } else { "edge" };
        let rotate = |more: &[&str]| {
            let key = operator.json(&[&["key", "rotate"], edge, more].concat());
            key["key_id"].as_str().unwrap().to_owned()
        };
        let states = || {
            let keys = operator.json(&["key", "list"]);
            let keys = keys.as_array().unwrap().iter().filter(|key| key["purpose"] == purpose);
            let text = |key: &serde_json::Value, member: &str| key[member].as_str().unwrap().to_owned();
            keys.map(|key| (text(key, "key_id"), text(key, "state")))
                .filter(|(_, state)| state != "retired")
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let expect = |expected: &[(&str, &str)]| {
            let expected =
                expected.iter().map(|(id, state)| ((*id).to_owned(), (*state).to_owned())).collect();
            assert_eq!(states(), expected, "{purpose}");
        };
        let retire = |id: &str| operator.ok(&["key", "retire", id], "");

        let old = states().into_keys().next().unwrap();
        let active = rotate(&["--now"]);
        let waiting = rotate(&[]);
        expect(&[(&old, "retiring"), (&active, "active"), (&waiting, "waiting")]);

        let told = retire(&waiting);
        assert!(told.contains("is retired") && !told.contains("signs"), "{told}");
        expect(&[(&old, "retiring"), (&active, "active")]);
        operator.fails(1, &["key", "retire", &waiting], "", "is retired already");
        operator.fails(1, &["key", "retire", "nonsense"], "", "there is no key");
        operator.fails(1, &["key", "retire", &active], "", "signs now; nothing was changed");
        expect(&[(&old, "retiring"), (&active, "active")]);

        let waiting = rotate(&[]);
        retire(&old);
        expect(&[(&active, "active"), (&waiting, "waiting")]);
        let told = operator.ok(&["key", "retire", "--now", &active], "");
        assert!(told.contains(&format!("{waiting} (ES256) signs from now on")), "{told}");
        expect(&[(&waiting, "active")]);
        operator.ok(&["key", "retire", "--now", &waiting], "");
        let left = states();
        assert_eq!(left.values().collect::<Vec<_>>(), ["active"], "{purpose}");
        assert!(!left.contains_key(&waiting), "{purpose}");
    }
    let mut browser = scene.signed_in();
    assert_eq!(published(&scene), [signed_with(&scene, &mut browser)]);
}

/// The other algorithms do the whole story, too.
#[test]
fn every_signing_algorithm_carries_a_request() {
    for algorithm in ["EdDSA", "RS256", "PS256"] {
        let tokens = format!("[tokens]\nalgorithm = \"{algorithm}\"");
        let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", &tokens);
        let mut browser = scene.signed_in();
        assert_eq!(browser.look("/orders/").status, 200, "{algorithm}");
        let received = scene.service.one();
        assert_eq!(received.claims.clone().unwrap()["sub"], scene.subject.as_str(), "{algorithm}");
        let jwt = received.jwt().unwrap().to_owned();
        let inspected = scene.vestibule.operator.ok(&["token", "inspect", "--json"], &jwt);
        assert!(inspected.contains(algorithm), "{inspected}");
    }
}
