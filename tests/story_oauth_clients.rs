//! OAuth clients that others wrote talk to us as they talk to anybody: they find out where everything is, get what they may have, and take
//! a no for what it is. Each of them checks our answers by its own reading of the RFCs.

use serde_json::{Value, json};

use crate::personas::{ADA, Ask, Door, OAuthClient, OAuthLibrary, PASSWORD, Scene};

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
