//! AU-04: an unknown account, a wrong password and a disabled account get one answer, byte for byte.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::app::{App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser};

/// Who is asked for, and with what. All names have one length, as what was typed is shown again.
const CLASSES: [(&str, &str); 4] = [
    ("ada@example.com", "a wrong password"),
    ("nob@example.com", "a wrong password"),
    ("eve@example.com", "a wrong password"),
    ("eve@example.com", PASSWORD),
];

/// An answer without what is random in every answer, with its length as it was.
fn bytes(answer: &Answer, identifier: &str) -> (u16, Vec<(String, String)>, String, usize) {
    let secrets: Vec<String> = answer.input("csrf_token").into_iter().collect();
    let hidden = |text: &str| {
        let mut text = text.replace(identifier, "[identifier]");
        for secret in &secrets {
            text = text.replace(secret, "[csrf]");
        }
        text
    };
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap();
        let value = match (name.as_str(), value.split_once('=')) {
            ("set-cookie", Some((name, rest))) => format!("{name}=[43]{}", &rest[43..]),
            _ => hidden(value),
        };
        (name.to_string(), value)
    });
    (answer.status.as_u16(), headers.collect(), hidden(&answer.body), answer.body.len())
}

#[tokio::test]
async fn on_the_page() {
    let mut seen = Vec::new();
    for (identifier, password) in CLASSES {
        let app = App::new();
        let mut browser = Browser::of(&app);
        for round in 0..7 {
            let answer = browser.sign_in(identifier, password).await;
            assert!(matches!(answer.status.as_u16(), 401 | 429), "{}", answer.body);
            seen.push((round, bytes(&answer, identifier)));
        }
        assert_eq!(app.world.hashed.load(SeqCst), 5, "the same work for {identifier}");
    }
    for (round, answer) in &seen {
        assert_eq!(answer, &seen[*round].1, "attempt {round}");
    }
}

#[tokio::test]
async fn over_the_api() {
    let mut seen = Vec::new();
    for (identifier, password) in CLASSES {
        let app = App::new();
        let client = ApiClient::of(&app);
        let body = format!(r#"{{"identifier":"{identifier}","password":"{password}"}}"#);
        for round in 0..7 {
            let answer = client.post("/auth/api/v1/login", &body).await;
            seen.push((round, bytes(&answer, identifier)));
            app.world.advance(Duration::from_millis(1));
        }
    }
    for (round, answer) in &seen {
        assert_eq!(answer, &seen[*round].1, "attempt {round}");
    }
}

/// Names and passwords that no account can have are refused in the same words as those that one could have.
#[tokio::test]
async fn impossible_names_and_passwords() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let long = "x".repeat(300);
    let ordinary = client.post("/auth/api/v1/login", r#"{"identifier":"a","password":"b"}"#).await;
    for (identifier, password) in
        [("", "b"), ("a", ""), (&long, "b"), ("a", &long), ("a\\u0000b", "b"), ("a\\u202eb", "b")]
    {
        let body = format!(r#"{{"identifier":"{identifier}","password":"{password}"}}"#);
        let answer = client.post("/auth/api/v1/login", &body).await;
        assert_eq!(bytes(&answer, "-"), bytes(&ordinary, "-"), "{body}");
    }
}
