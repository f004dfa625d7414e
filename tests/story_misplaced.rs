//! Credentials where none belongs, and claims where nobody asked: a session in the URL or in a WebSocket's subprotocols, a wish for more
//! assurance than was proved. Through every door and at our own addresses it changes nothing.

use serde_json::json;

use crate::personas::{ADA, Answer, Ask, Door, PASSWORD, Scene};

fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status, 302 | 303 | 400 | 401 | 403 | 501)
}

/// CS-07, HD-05: where logs, proxies and other sites' scripts find a credential or put one.
#[test]
fn a_session_in_the_url_or_in_a_subprotocol_opens_nothing_at_any_door() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let client = scene.api_client();
        let cookie = scene.signed_in().cookie("vestibule").unwrap().value.clone();
        for credential in [&client.session_token, &cookie] {
            let named = ["access_token", "session_token", "session", "sid", "token", "vestibule"];
            let mut asks: Vec<(String, Ask)> = Vec::new();
            for path in
                ["/orders/", "/public/", "/auth/account", "/auth/api/v1/session", "/auth/api/v1/sessions"]
            {
                for name in named {
                    let target = format!("{path}?{name}={credential}");
                    asks.push((target.clone(), Ask::get(&target)));
                }
                let bearer = format!("{path}?authorization=Bearer%20{credential}");
                asks.push((bearer.clone(), Ask::get(&bearer)));
                for protocols in [
                    format!("bearer, {credential}"),
                    format!("bearer.{credential}"),
                    format!("vestibule={credential}"),
                ] {
                    let plain = Ask::get(path).header("Sec-WebSocket-Protocol", &protocols);
                    let handshake = plain
                        .clone()
                        .header("Connection", "Upgrade")
                        .header("Upgrade", "websocket")
                        .header("Sec-WebSocket-Version", "13")
                        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
                        .header("Origin", &scene.origin)
                        .header("Sec-Fetch-Site", "same-origin");
                    asks.push((format!("{path}, subprotocol {protocols}"), plain));
                    asks.push((format!("{path}, a handshake with subprotocol {protocols}"), handshake));
                }
            }
            for path in ["/auth/api/v1/sessions", "/auth/api/v1/sessions/0"] {
                let target = format!("{path}?access_token={credential}");
                asks.push((target.clone(), Ask::new("DELETE", &target)));
            }
            for (what, ask) in asks {
                let answer = ask.send(scene.front);
                let greeted = what.starts_with("/public/") && answer.text() == "hello stranger";
                assert!(is_refused(&answer) || greeted, "{door:?} {what}: {answer:?}");
                for received in scene.service.take() {
                    assert!(
                        received.claims.is_err() && received.jwt().is_none(),
                        "{door:?} {what}: {received:?}"
                    );
                    assert_eq!(received.all("x-auth-subject").concat(), "", "{door:?} {what}");
                }
            }
            // Nor is a session ended by its name in the URL.
            Ask::post(&format!("/auth/api/v1/logout?access_token={credential}")).send(scene.front);
        }
        assert_eq!(
            client.get("/orders/").text(),
            format!("hello {}", scene.subject),
            "the control: {door:?}"
        );
        let by_cookie =
            Ask::get("/orders/").header("Cookie", format!("vestibule={cookie}")).send(scene.front);
        assert_eq!(by_cookie.text(), format!("hello {}", scene.subject), "the control: {door:?}");
    }
}

/// SS-10: by query, header, cookie or form, at sign-in and after: the service is told what was proved.
#[test]
fn a_wish_for_more_assurance_is_told_to_no_service() {
    const WISHES: &str = "acr=aal2&acr_values=aal2&amr=otp&auth_time=99999999999&assurance=2";
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let wishing = |ask: Ask| {
            ask.header("Acr", "aal2")
                .header("Acr-Values", "aal2")
                .header("X-Auth-Acr", "aal2")
                .header("X-Auth-Amr", "otp")
                .header("X-Forwarded-Acr", "aal2")
        };
        let credentials = json!({"identifier": ADA, "password": PASSWORD, "deliver": "body"});
        for member in ["acr", "acr_values", "amr", "assurance", "auth_time"] {
            let mut asked = credentials.clone();
            asked[member] = json!("aal2");
            let answer = Ask::post("/auth/api/v1/login").json(&asked).send(scene.front);
            assert_eq!((answer.status, answer.code().as_str()), (400, "malformed"), "{door:?} {member}");
        }
        let login = wishing(Ask::post(&format!("/auth/api/v1/login?{WISHES}"))).json(&credentials);
        let answer = login.send(scene.front);
        assert_eq!(answer.status, 200, "{door:?}: {answer:?}");
        let token = answer.json()["session_token"].as_str().unwrap().to_owned();

        let mut browser = scene.browser();
        let page = browser.open(&format!("/auth/login?{WISHES}"));
        let typed = [("identifier", ADA), ("password", PASSWORD), ("acr", "aal2"), ("acr_values", "aal2")];
        let page = browser.submit(&page, &format!("/auth/login?{WISHES}"), &typed);
        assert_eq!(page.answer.status, 200, "{door:?}: {:?}", page.answer);
        browser.plant("acr", "aal2");

        let target = format!("/orders/?{WISHES}");
        assert_eq!(wishing(Ask::get(&target)).bearer(&token).send(scene.front).status, 200, "{door:?}");
        assert_eq!(browser.fetch(wishing(Ask::get(&target))).status, 200, "{door:?}");
        let received = scene.service.take();
        assert_eq!(received.len(), 2, "{door:?}");
        for received in received {
            let claims = received.claims.clone().unwrap();
            assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal1"), &json!(["pwd"])), "{door:?}");
            assert!(claims["auth_time"].as_u64() <= claims["exp"].as_u64(), "{door:?}: {claims}");
            // Other proxies take out what they are told to; nobody was told that such a header says anything.
            let passed =
                ["x-auth-acr", "x-auth-amr", "x-forwarded-acr"].map(|name| received.folded(name).len());
            assert!(door != Door::BuiltIn || passed == [0; 3], "{received:?}");
        }
    }
}
