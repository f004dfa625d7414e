//! The account page.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use http::StatusCode;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{ApiClient, Browser};

#[tokio::test]
async fn shows_where_one_is_signed_in_and_nobody_elses_sessions() {
    let app = App::new();
    Browser::of(&app).sign_in("bob@example.com", PASSWORD).await;
    let mut phone = Browser::of(&app);
    phone.user_agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1";
    phone.sign_in(ADA, PASSWORD).await;
    app.world.advance(Duration::from_secs(600));
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}","deliver":"body"}}"#);
    ApiClient::of(&app).post("/auth/api/v1/login", &body).await;
    app.world.advance(Duration::from_secs(600));
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;

    let page = browser.get("/auth/account").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.body.matches("<li ").count(), 3);
    let this = page.body.find("Firefox on Linux").unwrap();
    assert!(this < page.body.find("curl").unwrap() && this < page.body.find("Safari on iPhone").unwrap());
    assert_eq!(page.body.matches("this one").count(), 1);
    assert!(page.body.contains("20 minutes ago") && page.body.contains("10 minutes ago"));
    assert!(page.input("csrf_token").is_some(), "signing out is one click away");
}

#[tokio::test]
async fn what_a_device_says_of_itself_is_escaped() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.user_agent = "<script>alert(1)</script>\"'&";
    browser.sign_in(ADA, PASSWORD).await;
    let page = browser.get("/auth/account").await;
    assert!(!page.body.contains("<script>") && page.body.contains("&#60;script&#62;"));
}

#[tokio::test]
async fn strangers_are_shown_the_way_in_and_back() {
    let app = App::new();
    for planted in [None, Some("x"), Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
        let mut browser = Browser::of(&app);
        planted.map(|value| browser.jar.insert("__Host-Http-vestibule".to_owned(), value.to_owned()));
        let answer = browser.get("/auth/account").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), "/auth/login?return_to=/auth/account");
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn looking_at_ones_account_is_use_of_the_session_until_its_limits() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    for _ in 0..(12 * 60 / 25) {
        app.world.advance(Duration::from_secs(25 * 60));
        assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
    }
    assert!(app.world.noted.load(SeqCst) > 20);
    // Used all the time, and over after twelve hours all the same.
    app.world.advance(Duration::from_secs(25 * 60));
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::SEE_OTHER);

    let mut idle = Browser::of(&app);
    idle.sign_in(ADA, PASSWORD).await;
    app.world.advance(Duration::from_secs(30 * 60 - 1));
    assert_eq!(idle.get("/auth/account").await.status, StatusCode::OK);
    app.world.advance(Duration::from_secs(30 * 60));
    assert_eq!(idle.get("/auth/account").await.status, StatusCode::SEE_OTHER);
}
