//! Which listener answers what, below another prefix.

use super::*;

async fn statuses(sockets: &Sockets, cases: &[(&str, &str, &str)]) {
    for (listener, path, status) in cases {
        let address = if *listener == "internal" { sockets.internal } else { sockets.public };
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = exchange(address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{listener} {path}: {answer}");
        assert!(!answer.contains("/auth"), "{listener} {path}: {answer}");
    }
}

/// The application has `/auth/` then, and the three documents stay where they are.
#[tokio::test]
async fn pages_are_below_the_prefix_and_the_rest_is_the_services() {
    let upstream = slow_service(Arc::new(tokio::sync::Semaphore::new(99))).await;
    let sections = format!(
        "[paths]\nprefix = \"/sso\"\n[[route]]\npath = \"/\"\nrequire = \"public\"\nupstream = \"http://{upstream}\""
    );
    let sockets = Sockets::open_with(Limits::default(), &sections).await;
    statuses(
        &sockets,
        &[
            ("public", "/sso/login", "200"),
            ("public", "/sso", "303"),
            ("public", "/sso/", "303"),
            ("public", "/sso/nothing", "404"),
            ("public", "/.well-known/jwks.json", "200"),
            ("public", "/.well-known/change-password", "303"),
            // The service answers these.
            ("public", "/", "204"),
            ("public", "/auth/login", "204"),
            ("public", "/ssologin", "204"),
            ("public", "/.well-known/security.txt", "204"),
            ("internal", "/sso/oauth/introspect", "405"),
            ("internal", "/auth/oauth/introspect", "404"),
            ("internal", "/sso/login", "404"),
        ],
    )
    .await;
    let nothing = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(sockets.internal, nothing).await;
    assert!(answer.contains("services /csrf and /sso/oauth/introspect."), "{answer}");
}

/// What arrives has lost its prefix, but for what goes around the proxy.
#[tokio::test]
async fn where_the_prefix_is_stripped_pages_are_at_the_root() {
    let sections = "[paths]\nprefix = \"/sso\"\nstripped = true";
    let sockets = Sockets::open_with(Limits::default(), sections).await;
    statuses(
        &sockets,
        &[
            ("public", "/login", "200"),
            ("public", "/", "303"),
            ("public", "/sso/login", "404"),
            ("public", "/nothing", "404"),
            ("public", "/check", "404"),
            ("public", "/metrics", "404"),
            ("public", "/.well-known/jwks.json", "200"),
            ("public", "/.well-known/oauth-authorization-server", "200"),
            ("public", "/.well-known/change-password", "303"),
            ("public", "/.well-known/security.txt", "404"),
            ("internal", "/sso/oauth/introspect", "405"),
            ("internal", "/oauth/introspect", "404"),
            ("internal", "/login", "404"),
        ],
    )
    .await;
    let login = b"GET /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(exchange(sockets.public, login).await.contains("href=\"/sso/static/"));
}

#[tokio::test]
async fn a_listener_without_services_says_where_to_sign_in() {
    let sockets = Sockets::open_with(Limits::default(), "[paths]\nprefix = \"/sso\"").await;
    let answer = exchange(sockets.public, b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("Sign in at /sso/login."), "{answer}");
}
