//! Programs among themselves: one that nobody signs in with asks for a JWT in its own name, and services in three languages believe it.
//! At the doors, where sessions are swapped, such a JWT is nobody's credential.

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::personas::{
    ADA, Answer, Application, Ask, Door, Example, ExampleService, PASSWORD, Scene, Vestibule, node,
};

/// A client as its program holds it.
struct Held {
    id: String,
    secret: String,
}

impl Held {
    #[track_caller]
    fn added(vestibule: &Vestibule, more: &[&str]) -> Self {
        let added = vestibule.operator.json(&[&["client", "add", "billing"], more].concat());
        let text = |name: &str| added[name].as_str().unwrap().to_owned();
        Self { id: text("client_id"), secret: text("client_secret") }
    }

    fn ask(&self, scene: &Scene, more: &[(&str, &str)]) -> Answer {
        let proof = BASE64.encode(format!("{}:{}", self.id, self.secret).as_bytes());
        let form = [&[("grant_type", "client_credentials")], more].concat();
        let asked = Ask::post("/auth/oauth/token").form(&form);
        asked.header("Authorization", format!("Basic {proof}")).send(scene.vestibule.public)
    }

    #[track_caller]
    fn jwt(&self, scene: &Scene) -> String {
        let answer = self.ask(scene, &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }
}

#[track_caller]
fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}

#[test]
fn services_in_three_languages_know_a_program_by_its_jwt() {
    let scene = Scene::behind(Door::BuiltIn);
    let client = Held::added(&scene.vestibule, &["--audience", "orders", "--scope", "orders:read"]);
    let jwt = client.jwt(&scene);
    let application = Application::start(&scene.origin);
    let express = ExampleService::start(Example::Express, &scene.origin);
    let starlette = ExampleService::start(Example::Starlette, &scene.origin);
    for address in [application.address, express.address, starlette.address] {
        let began = std::time::Instant::now();
        let answer = loop {
            let answer = Ask::get("/public/").bearer(&jwt).send(address);
            // It has no keys yet.
            if answer.status != 503 || began.elapsed().as_secs() > 20 {
                break answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        assert_eq!((answer.status, answer.text()), (200, format!("Hello, {}", client.id)), "{answer:?}");
    }
    let told = scene.vestibule.operator.ok(&["token", "verify", "--audience", "orders", "--json"], &jwt);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["header"]["typ"], &told["claims"]["scope"]), (&"at+jwt".into(), &"orders:read".into()));
    assert_eq!(
        (&told["claims"]["sub"], &told["claims"]["client_id"]),
        (&json!(client.id), &json!(client.id))
    );
}

/// HX-04: what is for a service opens no door, and what opens a door is no client.
#[test]
fn at_the_doors_a_programs_jwt_is_nobodys_credential() {
    for door in [Door::BuiltIn, Door::Nginx] {
        let scene = Scene::behind(door);
        let client = Held::added(&scene.vestibule, &["--audience", "orders"]);
        let jwt = client.jwt(&scene);
        for credential in [&jwt, &client.secret, &client.id] {
            assert_eq!(Ask::get("/orders/7").bearer(credential).send(scene.front).status, 401, "{door:?}");
            let api = Ask::get("/auth/api/v1/session").bearer(credential).send(scene.vestibule.public);
            assert_eq!(api.status, 401, "{api:?}");
        }
        assert!(scene.service.take().is_empty());
        let body = json!({"identifier": ADA, "password": PASSWORD, "mode": "token"});
        let ada = Ask::post("/auth/api/v1/login").json(&body).send(scene.vestibule.public).json();
        for proof in [&ada["access_token"], &ada["refresh_token"], &json!(jwt)] {
            let stranger = Held { id: client.id.clone(), secret: proof.as_str().unwrap().to_owned() };
            assert_eq!(refused(&stranger.ask(&scene, &[])), (401, "invalid_client".to_owned()));
        }
    }
}

/// OA-03: a key is proof once for each assertion, also over a crash; the program is npm's `jose`.
#[test]
fn a_program_with_a_key_proves_itself_and_never_twice_by_the_same() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let key = scene.vestibule.place.join("client.key");
    let keys = jose(&["keys", key.to_str().unwrap()]);
    let registered = scene.vestibule.place.write("client.jwks", &keys.to_string());
    let registration = ["client", "add", "nightly", "--audience", "orders", "--jwks-file"];
    let added = scene.vestibule.operator.json(&[&registration[..], &[registered.to_str().unwrap()]].concat());
    let id = added["client_id"].as_str().unwrap().to_owned();
    let ask = |origin: &str, changed: Value| {
        let told = jose(&["ask", key.to_str().unwrap(), origin, &id, &changed.to_string()]);
        (told["status"].as_u64().unwrap(), told)
    };
    let (status, told) = ask(&scene.origin, json!({}));
    assert_eq!(status, 200, "{told}");
    let jwt = told["answer"]["access_token"].as_str().unwrap();
    scene.vestibule.operator.ok(&["token", "verify", "--audience", "orders"], jwt);

    let shown = told["assertion"].as_str().unwrap().to_owned();
    let again = |scene: &Scene| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &shown),
        ];
        Ask::post("/auth/oauth/token").form(&form).send(scene.vestibule.public)
    };
    assert_eq!(refused(&again(&scene)), (401, "invalid_client".to_owned()));
    scene.vestibule.kill();
    scene.vestibule.start();
    assert_eq!(refused(&again(&scene)), (401, "invalid_client".to_owned()), "it is remembered");
    for changed in [
        json!({ "aud": format!("{}/auth/oauth/token", scene.origin) }),
        json!({ "aud": [scene.origin] }),
        json!({ "aud": "orders" }),
        json!({ "sub": "vestibule" }),
        json!({ "iss": "vc_00000000000000000000000000", "sub": "vc_00000000000000000000000000" }),
        json!({ "jti": "" }),
    ] {
        let (status, told) = ask(&scene.origin, changed.clone());
        assert_eq!((status, &told["answer"]["error"]), (401, &"invalid_client".into()), "{changed}: {told}");
    }
    // None of which kept it out.
    assert_eq!(ask(&scene.origin, json!({})).0, 200);
    assert!(scene.vestibule.logged().contains("assertion-again"));
}

/// What a removed client holds is worth nothing where revocations are known, and it gets nothing more, also after a restart.
#[test]
fn a_removed_client_is_nobody() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let [client, other] =
        [(); 2].map(|()| Held::added(&scene.vestibule, &["--audience", "orders", "--scope", "a"]));
    let (jwt, others) = (client.jwt(&scene), other.jwt(&scene));
    let verify = ["token", "verify", "--audience", "orders"];
    scene.vestibule.operator.ok(&verify, &jwt);
    scene.vestibule.operator.ok(&["client", "remove", &client.id], "");
    scene.vestibule.operator.fails(1, &verify, &jwt, "revoked");
    scene.vestibule.operator.ok(&verify, &others);
    assert_eq!(refused(&client.ask(&scene, &[])), (401, "invalid_client".to_owned()));
    scene.vestibule.kill();
    scene.vestibule.start();
    assert_eq!(refused(&client.ask(&scene, &[])), (401, "invalid_client".to_owned()));
    assert_eq!(other.ask(&scene, &[]).status, 200);
    // Who a client is stands in memory.
    scene.vestibule.assert_unmoved(&["vestibule_store_reads_total", "vestibule_store_writes_total"], || {
        for _ in 0..20 {
            assert_eq!(other.ask(&scene, &[]).status, 200);
        }
    });
    assert_eq!(scene.vestibule.metric("vestibule_client_proofs_total", "outcome=\"refused\""), 1.0);
}

/// What is asked from the outside, and every refusal in the form of RFC 6749 section 5.2.
#[test]
fn a_program_gets_what_it_was_registered_for_and_nothing_else() {
    let parts = "[[audience]]\nname = \"parts\"\nlifetime = \"60s\"";
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", parts);
    let scopes = ["--scope", "orders:read", "--scope", "orders:write"];
    let one = Held::added(&scene.vestibule, &[&["--audience", "orders"][..], &scopes].concat());
    let two = Held::added(&scene.vestibule, &["--audience", "orders", "--audience", "parts"]);
    let some = one.ask(&scene, &[("scope", "orders:write")]).json();
    assert_eq!((&some["scope"], &some["expires_in"]), (&"orders:write".into(), &120.into()));
    assert_eq!(some.get("refresh_token"), None);
    assert_eq!(two.ask(&scene, &[("audience", "parts")]).json()["expires_in"], 60);
    for (client, more, expected) in [
        (&one, &[("audience", "parts")][..], "invalid_target"),
        (&one, &[("audience", scene.origin.as_str())], "invalid_target"),
        (&one, &[("scope", "admin")], "invalid_scope"),
        (&one, &[("audience", "orders"), ("audience", "orders")], "invalid_request"),
        (&one, &[("scope", "orders:read"), ("scope", "orders:read")], "invalid_request"),
        (&two, &[], "invalid_target"),
        (&two, &[("scope", "orders:read"), ("audience", "orders")], "invalid_scope"),
    ] {
        assert_eq!(refused(&client.ask(&scene, more)), (400, expected.to_owned()), "{more:?}");
    }
}

/// Runs the program; what it prints.
#[track_caller]
fn jose(arguments: &[&str]) -> Value {
    let output = node("client.mjs").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
