//! OAuth clients that others wrote talk to us as they talk to anybody: they find out where everything is, get what they may have, and take
//! a no for what it is. Each of them checks our answers by its own reading of the RFCs.

use serde_json::{Value, json};

use crate::personas::{ADA, Ask, Door, OAuthClient, OAuthLibrary, PASSWORD, Scene, Vestibule, program};

/// Whoever signs in with a password has no secret.
fn first_party() -> Value {
    json!({ "client_id": "vestibule" })
}

fn sign_in(scene: &Scene) -> Value {
    let body = json!({ "identifier": ADA, "password": PASSWORD, "mode": "token" });
    let answer = Ask::post("/auth/api/v1/login").json(&body).send(scene.vestibule.public);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// RT-01, RV-02, OA-02.
#[test]
fn they_refresh_and_give_up_what_somebody_signed_in_for() {
    let scene = Scene::behind(Door::BuiltIn);
    for library in OAuthLibrary::ALL {
        let mut client = OAuthClient::of(library, &scene.origin, &first_party());
        assert_eq!(client.metadata["issuer"], scene.origin);
        let held = sign_in(&scene);
        let works = |tokens: &Value| {
            let access = tokens["access_token"].as_str().unwrap();
            Ask::get("/orders/7").bearer(access).send(scene.vestibule.public).status == 200
        };
        assert!(works(&held), "{library:?}");

        let newer = client.ok("refresh", json!({ "refresh_token": held["refresh_token"] }));
        assert_ne!(newer["refresh_token"], held["refresh_token"], "{library:?}");
        assert!(newer["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer") && works(&newer));

        let more = json!({ "refresh_token": newer["refresh_token"], "scope": "everything" });
        assert_eq!(client.refused("refresh", more), "invalid_scope", "{library:?}");
        let unknown = client.refused("refresh", json!({ "refresh_token": "vrt_unknown" }));
        assert_eq!(unknown, "invalid_grant", "{library:?}");

        client.ok("revoke", json!({ "token": newer["refresh_token"] }));
        assert!(!works(&held) && !works(&newer), "{library:?}");
        let gone = client.refused("refresh", json!({ "refresh_token": newer["refresh_token"] }));
        assert_eq!(gone, "invalid_grant", "{library:?}");
        // RFC 7009 section 2.2: nothing is told of what was not there to be revoked.
        client.ok("revoke", json!({ "token": newer["refresh_token"] }));
        client.ok("revoke", json!({ "token": "something else" }));
    }
}

/// A stranger that says it is a client of ours gets nothing, however it says so.
#[test]
fn nobody_is_a_client_by_saying_so() {
    let scene = Scene::behind(Door::BuiltIn);
    let held = sign_in(&scene);
    let invented = "vc_00000000000000000000000000";
    for library in OAuthLibrary::ALL {
        for credentials in [
            json!({ "client_id": invented }),
            json!({ "client_id": invented, "secret": "vcs_invented" }),
            json!({ "client_id": "vestibule", "secret": "vcs_invented" }),
        ] {
            let mut client = OAuthClient::of(library, &scene.origin, &credentials);
            for (ask, question) in [
                ("refresh", json!({ "refresh_token": held["refresh_token"] })),
                ("client_credentials", json!({ "audience": "orders" })),
                ("revoke", json!({ "token": held["refresh_token"] })),
            ] {
                assert_eq!(
                    client.refused(ask, question),
                    "invalid_client",
                    "{library:?} {ask} {credentials}"
                );
            }
        }
    }
    let mut client = OAuthClient::of(OAuthLibrary::OpenidClient, &scene.origin, &first_party());
    client.ok("refresh", json!({ "refresh_token": held["refresh_token"] }));
}

/// A client with a secret, or with a key of its own; what it authenticates by, as the libraries take it.
fn registered(scene: &Scene, by_key: bool) -> Value {
    let may = ["--serves", "orders", "--exchange", "--audience", "billing", "--scope", "billing:read"];
    let add = |more: &[&str]| -> Value {
        scene.vestibule.operator.json(&[&["client", "add", "of others"], &may[..], more].concat())
    };
    if !by_key {
        let added = add(&[]);
        return json!({ "client_id": added["client_id"], "secret": added["client_secret"] });
    }
    let key = private_jwk();
    let mut public = key.clone();
    public.as_object_mut().unwrap().remove("d");
    let file = scene.vestibule.place.write("of-others.jwks", &json!({ "keys": [public] }).to_string());
    let added = add(&["--jwks-file", file.to_str().unwrap()]);
    json!({ "client_id": added["client_id"], "key": key, "alg": "ES256" })
}

/// Made by node, which all of the libraries can read the keys of.
fn private_jwk() -> Value {
    let script = "const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });\
        console.log(JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'own', alg: 'ES256', use: 'sig' }))";
    let made = program("node", "nodejs").args(["-e", script]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    serde_json::from_slice(&made.stdout).unwrap()
}

/// RFC 6749 section 4.4, RFC 8693, RFC 7662, RFC 9701, RFC 7009: by secret and by key.
#[test]
fn they_prove_who_they_are_act_for_themselves_and_for_others_and_ask_what_they_were_shown() {
    let billing = "[[audience]]\nname = \"billing\"";
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", billing);
    let verify = ["token", "verify", "--audience", "billing", "--json"];
    let claims = |jwt: &Value| -> Value {
        let told = scene.vestibule.operator.ok(&verify, jwt.as_str().unwrap());
        serde_json::from_str::<Value>(&told).unwrap()["claims"].clone()
    };
    let held = sign_in(&scene);
    for library in OAuthLibrary::ALL {
        for by_key in [false, true] {
            let who = registered(&scene, by_key);
            let mut client = OAuthClient::of(library, &scene.origin, &who);
            let own = client.ok("client_credentials", json!({ "scope": "billing:read" }));
            assert_eq!(claims(&own["access_token"])["sub"], who["client_id"], "{library:?}");
            assert_eq!(
                client.refused("client_credentials", json!({ "audience": "orders" })),
                "invalid_target"
            );

            let subject = json!({
                "subject_token": held["access_token"],
                "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "audience": "billing",
            });
            let traded = client.ok("exchange", subject.clone());
            let told = claims(&traded["access_token"]);
            assert_eq!((&told["sub"], &told["act"]["sub"]), (&json!(scene.subject), &who["client_id"]));
            let mut wrong = subject;
            wrong["subject_token"] = held["refresh_token"].clone();
            assert_eq!(client.refused("exchange", wrong), "invalid_request", "{library:?}");

            let shown = json!({ "token": held["access_token"] });
            let told = client.ok("introspect", shown.clone());
            assert_eq!((&told["active"], &told["sub"]), (&true.into(), &json!(scene.subject)), "{library:?}");
            assert_eq!(told["aud"], "orders");
            assert_eq!(client.ok("introspect", json!({ "token": "x" })), json!({ "active": false }));
            if library == OAuthLibrary::Oauth4webapi {
                let signed = client.ok("introspect_signed", shown);
                assert_eq!((&signed["active"], &signed["sub"]), (&true.into(), &json!(scene.subject)));
            }
            let refused = client.refused("revoke", json!({ "token": held["refresh_token"] }));
            assert_eq!(refused, "invalid_grant", "{library:?}");
            let refused = client.refused("revoke", json!({ "token": own["access_token"] }));
            assert_eq!(refused, "unsupported_token_type", "{library:?}");
        }
    }
    let mut client = OAuthClient::of(OAuthLibrary::Oauth4webapi, &scene.origin, &first_party());
    client.ok("refresh", json!({ "refresh_token": held["refresh_token"] }));
    assert_eq!(client.refused("introspect", json!({ "token": held["access_token"] })), "invalid_client");
}
