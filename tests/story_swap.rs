//! The main job: a browser signs in, the service behind receives a JWT that it can trust on its own, and after signing out the next
//! request is refused. The same through every door, and for programs.

use crate::personas::{ADA, ApiClient, Ask, Door, Library, PASSWORD, Scene};

#[test]
fn through_nginx_a_browser_signs_in_is_known_to_the_service_and_is_refused_after_signing_out() {
    a_browser_comes_and_goes(Door::Nginx);
}

#[test]
fn through_caddy_a_browser_signs_in_is_known_to_the_service_and_is_refused_after_signing_out() {
    a_browser_comes_and_goes(Door::Caddy);
}

#[test]
fn through_haproxy_a_browser_signs_in_is_known_to_the_service_and_is_refused_after_signing_out() {
    a_browser_comes_and_goes(Door::HaProxy);
}

#[test]
fn through_the_built_in_door_a_browser_signs_in_is_known_to_the_service_and_is_refused_after_signing_out() {
    a_browser_comes_and_goes(Door::BuiltIn);
}

fn a_browser_comes_and_goes(door: Door) {
    let scene = Scene::behind(door);
    let mut browser = scene.browser();

    // A stranger who loads a page is sent to sign in; a stranger's script is told.
    let sent_away = browser.look("/orders/7?page=2");
    assert_eq!(sent_away.status, 302, "{sent_away:?}");
    let login = sent_away.header("location").unwrap();
    assert_eq!(login, format!("{}/auth/login?return_to=/orders/7%3Fpage%3D2", scene.origin));
    let told = browser.fetch(Ask::get("/orders/7"));
    assert_eq!(told.status, 401, "{told:?}");
    assert!(scene.service.take().is_empty(), "nothing of a stranger's reaches the service");

    // Having signed in, they are back where they wanted to go.
    let page = browser.sign_in("/orders/7?page=2", ADA, PASSWORD);
    assert_eq!((page.path.as_str(), page.answer.status), ("/orders/7?page=2", 200), "{:?}", page.answer);
    assert_eq!(page.text(), format!("hello {}", scene.subject));
    assert_eq!(page.answer.header("cache-control"), Some("no-store"));
    let cookie = browser.cookie("vestibule").unwrap().clone();
    assert_eq!((cookie.value.len(), cookie.http_only, cookie.same_site.as_str()), (43, true, "Lax"));
    assert_eq!(browser.script_sees(), "", "nothing for scripts");
    assert!(browser.cookie("vestibule_pre").is_none(), "the login form's cookie is gone");

    // The service verified a JWT for itself alone, and it says who this is.
    let received = scene.service.one();
    assert_eq!(received.line, "GET /orders/7?page=2 HTTP/1.1");
    let claims = received.claims.clone().unwrap();
    assert_eq!(claims["iss"], scene.origin.as_str());
    assert_eq!(claims["aud"], "orders");
    assert_eq!(claims["sub"], scene.subject.as_str());
    assert_eq!((&claims["email"], &claims["department"]), (&ADA.into(), &"R&D".into()));
    assert_eq!((&claims["amr"], &claims["client_id"]), (&serde_json::json!(["pwd"]), &"vestibule".into()));
    let session = claims["sid"].as_str().unwrap().to_owned();
    assert_eq!(session, scene.vestibule.operator.only_session());
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert!((120..=150).contains(&life), "two minutes and the skew, not {life} s");
    assert_eq!(received.all("x-auth-subject"), [scene.subject.as_str()]);
    assert_eq!(received.all("x-auth-session"), [session.as_str()]);
    assert_eq!(received.all("x-auth-department"), ["R&D"]);
    let csrf_token = received.all("x-csrf-token")[0].to_owned();

    // A form goes through with the token its page was given, and not without.
    let form = Ask::post("/orders/new").form(&[("item", "tea")]);
    let refused = browser.fetch(form.clone());
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(scene.service.take().is_empty());
    let taken = browser.fetch(form.header("X-CSRF-Token", &csrf_token));
    assert_eq!(taken.status, 200, "{taken:?}");
    let received = scene.service.one();
    assert_eq!(String::from_utf8_lossy(&received.body), "item=tea");
    assert!(!received.whole().contains(&csrf_token), "the proof is for us: {received:#?}");

    // The second time the same JWT is handed on: nothing is signed, nothing is read.
    let mut jwts = Vec::new();
    let counters = ["vestibule_store_reads_total", "vestibule_jwt_signed_total"];
    scene.vestibule.assert_unmoved(&counters, || {
        for _ in 0..5 {
            assert_eq!(browser.look("/orders/").status, 200);
            jwts.push(scene.service.one().jwt().unwrap().to_owned());
        }
    });
    assert!(jwts.iter().all(|jwt| *jwt == jwts[0]));

    // Signed out, the very next request is refused, with the same cookie too.
    let page = browser.sign_out();
    assert_eq!(page.answer.status, 200, "{:?}", page.answer);
    assert!(browser.cookie("vestibule").is_none(), "the browser forgot");
    assert_eq!(browser.look("/orders/").status, 302);
    let replayed = Ask::get("/orders/").header("Cookie", format!("vestibule={}", cookie.value));
    assert_eq!(replayed.send(scene.front).status, 401);
    assert!(scene.service.take().is_empty(), "and the service hears of neither");

    // The service's JWT never came to the browser, under any name.
    let received_by_browser = String::from_utf8_lossy(&browser.received).into_owned();
    assert!(!received_by_browser.contains(&jwts[0]) && !received_by_browser.contains("eyJ"));
}

#[test]
fn through_every_door_a_program_signs_in_with_json_and_sends_its_session_as_bearer() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        assert_eq!(ApiClient::attempt(scene.front, ADA, "not the password").status, 401, "{door:?}");
        let client = scene.api_client();
        assert!(client.session_token.starts_with("vst_"));
        assert_eq!(client.get("/orders/").text(), format!("hello {}", scene.subject), "{door:?}");
        assert!(!scene.service.one().whole().contains(&client.session_token[4..47]), "{door:?}");

        // No cookie, so no CSRF token is asked for.
        let posted = client.send(Ask::post("/orders/").json(&serde_json::json!({"item": "tea"})));
        assert_eq!(posted.status, 200, "{door:?}: {posted:?}");
        assert_eq!(scene.service.one().body, br#"{"item":"tea"}"#);
        assert_eq!(client.get("/auth/api/v1/session").json()["account"]["identifier"], ADA);

        assert_eq!(client.sign_out().status, 204, "{door:?}");
        let refused = client.get("/orders/");
        assert_eq!(refused.status, 401, "{door:?}: {refused:?}");
        assert!(scene.service.take().is_empty(), "{door:?}");
    }
}

#[test]
fn a_node_service_with_jose_and_a_python_service_with_pyjwt_believe_the_jwt() {
    for (library, door) in [(Library::Jose, Door::Nginx), (Library::PyJwt, Door::Caddy)] {
        let scene = Scene::before(library, door);
        let mut browser = scene.browser();
        let page = browser.sign_in("/orders/", ADA, PASSWORD);
        assert_eq!(page.answer.status, 200, "{library:?}: {:?}", page.answer);
        let claims = page.answer.json();
        assert_eq!(claims["sub"], scene.subject.as_str(), "{library:?}");
        assert_eq!(claims["department"], "R&D", "{library:?}");

        browser.sign_out();
        assert_eq!(browser.look("/orders/").status, 302, "{library:?}");
    }
}

/// HX-01, GW-11: a service that tells everyone what it was given tells it to nobody: neither its JWT nor our headers come out.
#[test]
fn what_a_careless_service_says_of_its_jwt_does_not_reach_the_browser() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut browser = scene.signed_in();
        let answer = browser.look("/orders/leak");
        assert_eq!(answer.status, 200, "{door:?}");
        let jwt = scene.service.one().jwt().unwrap().to_owned();
        assert!(!String::from_utf8_lossy(&answer.raw).contains(&jwt), "{door:?}: {answer:?}");
        for name in ["authorization", "x-auth-subject", "x-auth-session"] {
            assert_eq!(answer.header(name), None, "{door:?}: {name}");
        }
    }
}
