//! An audience with a key: its JWTs are signed, and then encrypted, so that nobody between Vestibule and the service reads them. Services in
//! three languages decrypt and verify; a service that expects the one takes nothing of the other.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule_verify::jwe::{DecryptionKeys, Policy, decrypt};

use crate::forge::sealer::Sealer;
use crate::personas::{ADA, Ask, Door, Library, Scene, VerifyingService, Vestibule, routes};

/// Makes a key pair as an operator does; where the private half lies.
fn key_pair(vestibule: &Vestibule, name: &str, more: &[&str]) -> PathBuf {
    let private = vestibule.place.join(&format!("{name}.private.jwk"));
    let arguments = [&["key", "encryption", private.to_str().unwrap()], more].concat();
    let public = vestibule.operator.ok(&arguments, "");
    vestibule.place.write(&format!("{name}.jwk"), &public);
    private
}

/// A pair of another maker, for what the program makes no keys for.
fn foreign_pair(vestibule: &Vestibule, alg: &str) -> (Sealer, PathBuf) {
    let sealer = Sealer::generate(alg, "", "");
    vestibule.place.write("orders.jwk", &sealer.public_jwk().to_string());
    let private = vestibule.place.write("orders.private.jwk", &sealer.private_jwk().to_string());
    (sealer, private)
}

/// Has JWTs encrypted to this public key from now on, or to none, for a service at this address.
fn encrypt(scene: &mut Scene, service: std::net::SocketAddr, key: Option<&str>, more: &str) {
    let line = key.map_or_else(String::new, |key| format!("encrypt_to_file = \"{key}.jwk\"\n{more}\n"));
    let sections = routes(service).replacen("claims =", &format!("{line}claims ="), 1);
    scene.vestibule.configure(&format!("public_url = \"{}\"", scene.origin), &sections);
    let reloads = |scene: &Scene| scene.vestibule.logged().matches("were read anew").count();
    let (before, began) = (reloads(scene), Instant::now());
    scene.vestibule.reload("were read anew");
    while reloads(scene) == before {
        assert!(began.elapsed() < Duration::from_secs(20), "the configuration was not read anew");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// TK-03, JW-07.
#[test]
fn what_a_service_is_told_nobody_else_reads() {
    for door in [Door::BuiltIn, Door::Nginx] {
        let mut scene = Scene::behind(door);
        let private = key_pair(&scene.vestibule, "orders", &[]);
        assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        let at = scene.service.address;
        encrypt(&mut scene, at, Some("orders"), "");
        scene.service.trust_nested(&scene.origin, "orders", scene.vestibule.public, &read(&private));
        let mut browser = scene.signed_in();
        assert_eq!(browser.look("/orders/").text(), format!("hello {}", scene.subject), "{door:?}");
        let received = scene.service.one();
        let jwe = received.jwt().unwrap().to_owned();
        assert_eq!(received.claims.as_ref().unwrap()["email"], ADA);
        assert_eq!(jwe.split('.').count(), 5, "{jwe}");
        browser.look("/orders/");
        assert_eq!(
            scene.service.one().jwt(),
            Some(&*jwe),
            "{door:?}: encrypted once, and kept with the session"
        );

        // Who expects a JWT that is signed and readable takes no encrypted one, and the other way round.
        scene.service.trust(&scene.origin, "orders", scene.vestibule.public);
        assert_eq!(browser.look("/orders/").status, 401);
        assert_eq!(scene.service.one().claims, Err("encrypted".to_owned()));
        scene.service.trust_nested(&scene.origin, "orders", scene.vestibule.public, &read(&private));
        encrypt(&mut scene, at, None, "");
        assert_eq!(browser.look("/orders/").status, 401);
        assert_eq!(scene.service.one().claims, Err("not-encrypted".to_owned()));
    }
}

#[test]
fn services_in_node_and_python_decrypt_and_verify() {
    for (library, curve, alg, more) in [
        (Library::Jose, "P-256", "ECDH-ES", ""),
        (Library::Jose, "X25519", "ECDH-ES+A256KW", "encrypt_with = \"A256CBC-HS512\""),
        (Library::Joserfc, "P-256", "ECDH-ES", ""),
        (Library::Joserfc, "P-521", "ECDH-ES+A256KW", "encrypt_with = \"A128GCM\""),
        (Library::Jose, "", "RSA-OAEP-256", ""),
        (Library::Joserfc, "", "RSA-OAEP-256", "encrypt_with = \"A256CBC-HS512\""),
    ] {
        let mut scene = Scene::behind(Door::BuiltIn);
        let private = match curve {
            "" => foreign_pair(&scene.vestibule, alg).1,
            curve => key_pair(&scene.vestibule, "orders", &["--curve", curve, "--alg", alg]),
        };
        let keys_from = scene.vestibule.public;
        let service = VerifyingService::decrypting(library, &scene.origin, "orders", keys_from, &private);
        encrypt(&mut scene, service.address, Some("orders"), more);
        let client = scene.api_client();
        let answer = client.get("/orders/");
        assert_eq!(answer.status, 200, "{library:?} {curve}: {answer:?}");
        let claims = answer.json();
        assert_eq!((&claims["sub"], &claims["email"]), (&json!(scene.subject), &json!(ADA)), "{library:?}");
        encrypt(&mut scene, service.address, None, "");
        assert_eq!(client.get("/orders/").status, 401, "{library:?}: a JWT that everybody can read");
    }
}

/// The service takes a second key, the operator changes the file, and nobody waits.
#[test]
fn a_service_changes_its_key() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let (first, second) =
        (key_pair(&scene.vestibule, "first", &[]), key_pair(&scene.vestibule, "second", &[]));
    let client = scene.api_client();
    let at = scene.service.address;
    for (name, private) in [("first", &first), ("second", &second)] {
        encrypt(&mut scene, at, Some(name), "");
        scene.service.trust_nested(&scene.origin, "orders", scene.vestibule.public, &read(private));
        assert_eq!(client.get("/orders/").status, 200, "{name}");
        let jwe = scene.service.take().pop().unwrap().jwt().unwrap().to_owned();
        let key: Value = serde_json::from_str(&read(private)).unwrap();
        let header = vestibule_verify::jwe::header(&jwe).unwrap();
        assert_eq!((&header["kid"], &header["cty"]), (&key["kid"], &json!("JWT")));
    }
}

#[test]
fn an_operator_looks_into_an_encrypted_jwt_with_the_services_key() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let private = key_pair(&scene.vestibule, "orders", &[]);
    let other = key_pair(&scene.vestibule, "other", &["--curve", "X25519"]);
    let at = scene.service.address;
    encrypt(&mut scene, at, Some("orders"), "");
    assert_eq!(scene.api_client().get("/orders/").status, 401, "a service without the key");
    let jwe = scene.service.one().jwt().unwrap().to_owned();
    let (key, other) = (private.to_str().unwrap(), other.to_str().unwrap());
    let operator = &scene.vestibule.operator;

    let shown = operator.ok(&["token", "decrypt", "--key", key], &format!("Bearer {jwe}\n"));
    assert!(shown.contains("Its signature was NOT verified") && shown.contains(ADA), "{shown}");
    let shown = operator.ok(&["token", "decrypt", "--key", key, "--audience", "orders"], &jwe);
    assert!(shown.contains("Its signature is good") && shown.contains("ECDH-ES"), "{shown}");
    let secret = serde_json::from_str::<Value>(&read(&private)).unwrap()["d"].as_str().unwrap().to_owned();
    assert!(!shown.contains(&secret) && !scene.vestibule.logged().contains(&secret));
    let shown = operator.ok(&["token", "decrypt", "--key", key, "--audience", "orders", "--json"], &jwe);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown["inside"]["signature"], &shown["inside"]["claims"]["email"]),
        (&json!("verified"), &json!(ADA))
    );
    assert_eq!(shown["header"]["enc"], "A256GCM");

    operator.fails(1, &["token", "decrypt", "--key", other], &jwe, "decryption-key-unknown");
    operator.fails(1, &["token", "decrypt", "--key", key, "--audience", "another"], &jwe, "");
    operator.fails(1, &["token", "decrypt", "--key", key], "a.b.c", "not-encrypted");
    operator.fails(1, &["token", "inspect"], &jwe, "encrypted");
    let public = scene.vestibule.place.join("orders.jwk");
    operator.fails(2, &["token", "decrypt", "--key", public.to_str().unwrap()], &jwe, "member d is missing");
    operator.fails(2, &["token", "decrypt", "--key", "nowhere.jwk"], &jwe, "nowhere.jwk");
    operator.fails(2, &["key", "encryption", key], "", "cannot create");
    // What nobody signed is shown as what it is, and verified it is not.
    let (sealer, private) = foreign_pair(&scene.vestibule, "RSA-OAEP-256");
    let (unsigned, private) = (sealer.seal(r#"{"sub":"eve"}"#, "A128GCM"), private.to_str().unwrap());
    let shown = operator.ok(&["token", "decrypt", "--key", private], &unsigned);
    assert!(shown.contains("claims that NOBODY signed") && shown.contains("eve"), "{shown}");
    operator.fails(1, &["token", "decrypt", "--key", private, "--audience", "orders"], &unsigned, "");
    operator.fails(1, &["token", "decrypt", "--key", private], &sealer.seal("x", "A128GCM"), "1 bytes");

    // A private key in the configuration is an alarm, at start and by name.
    let line = format!("[[audience]]\nname = \"orders\"\nencrypt_to_file = {private:?}");
    let wrong = scene.vestibule.place.write("wrong.toml", &line);
    let says = "audience \"orders\"";
    operator.fails(2, &["--config", wrong.to_str().unwrap(), "config", "check"], "", says);
}

/// A JWT for a program is for the same audience.
#[test]
fn what_a_program_gets_for_an_encrypted_audience_is_encrypted() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let private = key_pair(&scene.vestibule, "orders", &[]);
    let at = scene.service.address;
    encrypt(&mut scene, at, Some("orders"), "");
    scene.service.trust_nested(&scene.origin, "orders", scene.vestibule.public, &read(&private));
    let added = scene.vestibule.operator.json(&["client", "add", "billing", "--audience", "orders"]);
    let proof =
        format!("{}:{}", added["client_id"].as_str().unwrap(), added["client_secret"].as_str().unwrap());
    let proof = data_encoding::BASE64.encode(proof.as_bytes());
    let asked = Ask::post("/auth/oauth/token").form(&[("grant_type", "client_credentials")]);
    let answer = asked.header("Authorization", format!("Basic {proof}")).send(scene.front);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').count(), 5);
    let answer = Ask::get("/anything").bearer(&token).send(scene.service.address);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(scene.service.one().claims.unwrap()["client_id"], added["client_id"]);
    // And at the door it is nobody's credential, as ever.
    assert_eq!(Ask::get("/orders/").bearer(&token).send(scene.front).status, 401);
}

/// Who asks in place of verifying, and who acts on behalf of somebody: they get what is encrypted, and show what was inside.
#[test]
fn a_service_that_asks_or_acts_shows_what_was_inside() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let private = key_pair(&scene.vestibule, "orders", &[]);
    let at = scene.service.address;
    encrypt(&mut scene, at, Some("orders"), "");
    scene.service.trust_nested(&scene.origin, "orders", scene.vestibule.public, &read(&private));
    let url = format!("{}/orders/", scene.origin);
    let client = scene.api_client();
    let may = ["--serves", "orders", "--exchange", "--audience", "orders"];
    let added = scene.vestibule.operator.json(&[&["client", "add", "orders"][..], &may].concat());
    let proof =
        format!("{}:{}", added["client_id"].as_str().unwrap(), added["client_secret"].as_str().unwrap());
    let proof = format!("Basic {}", data_encoding::BASE64.encode(proof.as_bytes()));
    let post = |path: &str, form: &[(&str, &str)], accept: &str| {
        let ask = Ask::post(path).form(form).header("Authorization", &proof).header("Accept", accept);
        ask.send(scene.vestibule.public)
    };
    let ask = |token: &str, accept: &str| post("/auth/oauth/introspect", &[("token", token)], accept);
    let trade = |token: &str| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", token),
            ("audience", "orders"),
        ];
        post("/auth/oauth/token", &form, "*/*")
    };

    // The phantom's JWT is encrypted like the one that the door hands out: it is the same.
    let phantom = ask(&client.session_token, "application/jwt");
    assert_eq!(phantom.status, 200, "{phantom:?}");
    let jwe = phantom.text();
    assert_eq!(client.get("/orders/").status, 200);
    assert_eq!(scene.service.one().jwt(), Some(&*jwe));

    let keys = DecryptionKeys::from_text(&read(&private)).unwrap();
    let inside = String::from_utf8(decrypt(&jwe, &keys, &Policy::NESTED).unwrap()).unwrap();
    assert_eq!(ask(&jwe, "application/json").json(), json!({ "active": false }));
    assert_eq!(ask(&inside, "application/json").json()["active"], true);
    let refused = trade(&jwe);
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_request")), "{refused:?}");
    let traded = trade(&inside).json();
    let traded = traded["access_token"].as_str().unwrap();
    let told = Ask::get("/anything").bearer(traded).send(scene.service.address);
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(scene.service.one().claims.unwrap()["act"], json!({ "sub": added["client_id"] }));

    // The operator is told that it is encrypted; what it says we cannot read either.
    let explain = ["explain", "--bearer-stdin", "--url", &url];
    let explained = scene.vestibule.operator.ok(&explain, &client.session_token);
    assert!(explained.contains("encrypted with A256GCM") && explained.contains("alg=ECDH-ES"), "{explained}");
    let explained = scene.vestibule.operator.ok(&[&explain[..], &["--json"]].concat(), &client.session_token);
    let explained: Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(
        (&explained["jwt"]["encryption"], &explained["jwt"]["claims"]),
        (&json!("A256GCM"), &json!({}))
    );
}
