//! Ending one's own sessions, by the page and by the API.

use std::time::Duration;

use http::{Method, StatusCode};
use vestibule_core::id::SessionId;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, fetch, signed_in, token_of};

const BOB: &str = "bob@example.com";
const END: &str = "/auth/account/sessions/end";
const END_OTHERS: &str = "/auth/account/sessions/end-others";

/// The public names of an account's sessions, the newest first.
fn held(app: &App, byte: u8) -> Vec<String> {
    let sessions = app.world.sessions_held().into_iter();
    let mut own: Vec<_> = sessions.filter(|session| session.subject.to_string() == subject(byte)).collect();
    own.sort_by_key(|session| std::cmp::Reverse(session.opened_at));
    own.into_iter().map(|session| session.id.to_string()).collect()
}

fn subject(byte: u8) -> String {
    vestibule_core::id::Subject::from_bytes([byte; 16]).to_string()
}

async fn end(browser: &mut Browser, session: &str) -> Answer {
    let token = token_of(browser, "/auth/account").await;
    browser.post(END, &[("csrf_token", &token), ("session", session)]).await
}

/// SS-08.
#[tokio::test]
async fn one_is_ended_by_its_button_and_the_page_says_so() {
    let app = App::new();
    let mut thief = signed_in(&app, ADA, PASSWORD).await;
    app.world.advance(Duration::from_secs(1));
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let [own, others] = held(&app, 1).try_into().unwrap();
    let page = browser.get("/auth/account").await;
    assert!(page.body.contains(&format!("value=\"{others}\"")), "it has a button");
    assert!(!page.body.contains(&format!("value=\"{own}\"")), "and this one has none");

    let answer = end(&mut browser, &others).await;
    let location = "/auth/account?done=session-ended";
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, location));
    assert_eq!(held(&app, 1), [own]);
    let page = browser.get(location).await;
    assert!(page.body.contains("role=\"status\"") && page.body.contains("That device is signed out."));
    assert_eq!(thief.get("/auth/account").await.status, StatusCode::SEE_OTHER, "it is dead at once");
    let again = end(&mut browser, &others).await;
    assert_eq!(again.header("location"), "/auth/account?done=nothing-to-end");
}

/// SS-08.
#[tokio::test]
async fn all_others_are_ended_and_nobody_elses() {
    let app = App::new();
    for who in [BOB, ADA, ADA] {
        signed_in(&app, who, PASSWORD).await;
    }
    app.world.advance(Duration::from_secs(1));
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let token = token_of(&mut browser, "/auth/account").await;
    let answer = browser.post(END_OTHERS, &[("csrf_token", &token)]).await;
    assert_eq!(answer.header("location"), "/auth/account?done=others-ended");
    assert_eq!((held(&app, 1).len(), held(&app, 2).len()), (1, 1));
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_ends_what_is_not_theirs() {
    let app = App::new();
    let mut bob = signed_in(&app, BOB, PASSWORD).await;
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    let [bobs] = held(&app, 2).try_into().unwrap();
    let answer = end(&mut ada, &bobs).await;
    assert_eq!(answer.header("location"), "/auth/account?done=nothing-to-end");
    let token = token_of(&mut ada, "/auth/account").await;
    let path = format!("/auth/api/v1/sessions/{bobs}");
    let answer = fetch(&mut ada, Method::DELETE, &path, Some(&token), None).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::NOT_FOUND, "no-such-session"));
    assert_eq!(bob.get("/auth/account").await.status, StatusCode::OK);
    let unknown = SessionId::from_bytes([9; 16]).to_string();
    for id in [unknown.as_str(), "x", "%00", "%FF", "..", "%2e%2e"] {
        let path = format!("/auth/api/v1/sessions/{id}");
        let answer = fetch(&mut ada, Method::DELETE, &path, Some(&token), None).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::NOT_FOUND, "no-such-session"), "{id}");
    }
    let nonsense = end(&mut ada, "nonsense").await;
    assert_eq!(nonsense.status, StatusCode::BAD_REQUEST);
}

/// CS-01, CS-02: no other site and no form without a good token ends anything.
#[tokio::test]
async fn nothing_is_ended_without_a_proven_page_of_ours() {
    let app = App::new();
    let mut bob = signed_in(&app, BOB, PASSWORD).await;
    signed_in(&app, ADA, PASSWORD).await;
    app.world.advance(Duration::from_secs(1));
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    let other = held(&app, 1)[1].clone();
    let good = token_of(&mut ada, "/auth/account").await;
    let bobs = token_of(&mut bob, "/auth/account").await;
    let pre_session = Browser::of(&app).get("/auth/login").await.input("csrf_token").unwrap();
    for path in [END, END_OTHERS] {
        for token in ["", "x", &bobs, &pre_session] {
            let answer = ada.post(path, &[("csrf_token", token), ("session", &other)]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            assert!(answer.body.contains("open too long") && answer.body.contains("Your account"));
        }
        for site in ["cross-site", "same-site", "other"] {
            let request = ada.request(Method::POST, path).header("sec-fetch-site", site);
            let fields = [("csrf_token", &*good), ("session", &*other)];
            let answer = ada.take(crate::personas::with_form(request, &fields)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {site}");
        }
        let stranger = Browser::of(&app).post(path, &[("csrf_token", &good)]).await;
        assert_eq!(stranger.header("location"), "/auth/login?return_to=/auth/account&done=not-sent");
    }
    for path in ["/auth/api/v1/sessions".to_owned(), format!("/auth/api/v1/sessions/{other}")] {
        for token in [None, Some("x"), Some(&*bobs)] {
            let answer = fetch(&mut ada, Method::DELETE, &path, token, None).await;
            assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "csrf"), "{path}");
        }
    }
    assert_eq!(held(&app, 1).len(), 2);
}

/// SS-11: ten minutes after the password was given it is asked for first; and then what was wanted is done.
#[tokio::test]
async fn an_old_proof_is_renewed_first_and_the_wish_is_not_lost() {
    for (path, says) in
        [(END, "Device to sign out: Firefox on Linux."), (END_OTHERS, "To sign out everywhere else")]
    {
        let app = App::new();
        signed_in(&app, ADA, PASSWORD).await;
        app.world.advance(Duration::from_secs(1));
        let mut browser = signed_in(&app, ADA, PASSWORD).await;
        let [own, other] = held(&app, 1).try_into().unwrap();
        app.world.advance(Duration::from_secs(601));
        let token = token_of(&mut browser, "/auth/account").await;
        let asked = browser.post(path, &[("csrf_token", &token), ("session", &other)]).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
        let challenge = asked.header("www-authenticate");
        assert!(
            challenge.contains("error=\"insufficient_user_authentication\"") && challenge.contains("600")
        );
        assert!(asked.body.contains(says), "{}", asked.body);
        assert!(held(&app, 1).contains(&other), "nothing happened yet");
        let then = asked.input("then").unwrap();
        let token = asked.input("csrf_token").unwrap();
        let session = asked.input("session").unwrap_or_default();
        let fields = |password| {
            [("csrf_token", &*token), ("then", &*then), ("session", &*session), ("password", password)]
        };
        let refused = browser.post("/auth/confirm", &fields("wrong")).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.input("then").unwrap(), then, "the wish is still there");
        assert_eq!(refused.input("session").unwrap_or_default(), session);
        let cookie = browser.jar["__Host-Http-vestibule"].clone();
        let done = browser.post("/auth/confirm", &fields(PASSWORD)).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert!(done.header("location").starts_with("/auth/account?done="));
        assert_ne!(browser.jar["__Host-Http-vestibule"], cookie, "a new session token");
        assert_eq!(held(&app, 1), [own], "{path}");
    }
}

#[tokio::test]
async fn a_program_is_told_to_confirm_and_goes_on_with_a_new_token() {
    let app = App::new();
    let mut client = ApiClient::of(&app);
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}","deliver":"body"}}"#);
    client.post("/auth/api/v1/login", &body).await;
    let opened = client.post("/auth/api/v1/login", &body).await.json();
    let old = opened["session_token"].as_str().unwrap().to_owned();
    client.bearer = Some(old.clone());
    app.world.advance(Duration::from_secs(601));
    let refused = client.delete("/auth/api/v1/sessions").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.code(), "insufficient_user_authentication");
    assert!(refused.header("www-authenticate").contains("insufficient_user_authentication"));

    let wrong = client.post("/auth/api/v1/confirm", r#"{"password":"wrong"}"#).await;
    assert_eq!((wrong.status, &*wrong.code()), (StatusCode::UNAUTHORIZED, "login-refused"));
    let confirmed = client.post("/auth/api/v1/confirm", &format!(r#"{{"password":"{PASSWORD}"}}"#)).await;
    assert_eq!(confirmed.status, StatusCode::OK);
    let json = confirmed.json();
    assert_eq!(json["session"]["id"], opened["session"]["id"], "the session is the same");
    assert_ne!(json["session"]["proven_at"], opened["session"]["proven_at"]);
    assert!(confirmed.set_cookies().is_empty());
    assert_eq!(
        client.get("/auth/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED,
        "the old one is dead"
    );
    client.bearer = Some(json["session_token"].as_str().unwrap().to_owned());
    assert_ne!(client.bearer, Some(old));
    assert_eq!(client.delete("/auth/api/v1/sessions").await.status, StatusCode::NO_CONTENT);
    assert_eq!(held(&app, 1).len(), 1);

    let own = json["session"]["id"].as_str().unwrap();
    assert_eq!(client.delete(&format!("/auth/api/v1/sessions/{own}")).await.status, StatusCode::NO_CONTENT);
    assert!(held(&app, 1).is_empty(), "one may end the session that asks, too");
    let gone = client.delete("/auth/api/v1/sessions").await;
    assert_eq!((gone.status, &*gone.code()), (StatusCode::UNAUTHORIZED, "session-unknown"));
}

/// What other sites link to is not told as ours.
#[tokio::test]
async fn a_notice_is_told_after_our_own_redirects_alone() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let path = "/auth/account?done=password-changed";
    assert!(browser.get(path).await.body.contains("Your password is changed"));
    for (site, is_told) in
        [("same-origin", true), ("cross-site", false), ("same-site", false), ("none", false)]
    {
        let request = browser.request(Method::GET, path).header("sec-fetch-site", site);
        let page = browser.take(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(page.body.contains("Your password is changed"), is_told, "{site}");
    }
    for unknown in ["", "x", "<b>", "Password-changed", "password-changed&done=x"] {
        let page = browser
            .get(&format!("/auth/account?done={}", unknown.replace('<', "%3C").replace('>', "%3E")))
            .await;
        assert!(!page.body.contains("role=\"status\""), "{unknown}");
    }
}

/// A form that outlived its session: the login page says that nothing was done, and keeps the way back.
#[tokio::test]
async fn a_form_sent_after_the_session_ended_is_not_just_a_login_page() {
    let app = App::new();
    for (path, back) in [
        ("/auth/account/sessions/end", "/auth/account"),
        ("/auth/account/sessions/end-others", "/auth/account"),
        ("/auth/account/password", "/auth/account/password"),
        ("/auth/confirm", "/auth/confirm%3Freturn_to%3D/orders"),
    ] {
        let mut browser = Browser::of(&app);
        let answer = browser.post(path, &[("csrf_token", "x"), ("return_to", "/orders")]).await;
        let login = answer.header("location").to_owned();
        assert_eq!(login, format!("/auth/login?return_to={back}&done=not-sent"), "{path}");
        let request = browser.request(Method::GET, &login).header("sec-fetch-site", "same-origin");
        let page = browser.take(request.body(axum::body::Body::empty()).unwrap()).await;
        assert!(page.body.contains("was not carried out"), "{}", page.body);
        assert!(page.input("return_to").is_some());
    }
}
