//! The answers of `/check`, to the letter.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};

use crate::app::{App, SESSION, SUBJECT};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A sub-request as Caddy makes it, with more headers.
fn caddy<'a>(method: &'a str, uri: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut headers = vec![
        ("x-forwarded-method", method),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.test"),
        ("x-forwarded-uri", uri),
    ];
    headers.extend_from_slice(more);
    headers
}

async fn check(app: &App, check: &str, headers: &[(&str, &str)], peer: IpAddr) -> Response<Full<Bytes>> {
    let mut request = Request::get(check);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.forward_auth.answer(&request.body(()).unwrap().into_parts().0, peer).await
}

async fn ask(app: &App, headers: &[(&str, &str)]) -> Response<Full<Bytes>> {
    check(app, "/check", headers, PROXY).await
}

fn header<'a>(response: &'a Response<Full<Bytes>>, name: &str) -> &'a str {
    let mut values = response.headers().get_all(name).iter();
    let value = values.next().unwrap_or_else(|| panic!("no {name} in {:?}", response.headers()));
    assert!(values.next().is_none(), "{name} twice");
    value.to_str().unwrap()
}

async fn problem(response: Response<Full<Bytes>>) -> serde_json::Value {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(header(&response, "cache-control"), "no-store");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["status"], status);
    problem
}

#[tokio::test]
async fn a_session_is_answered_with_a_jwt_that_the_service_can_verify() {
    let app = App::new();
    let cookie = app.cookie();
    let response = ask(&app, &caddy("GET", "/orders/1?x=%2F", &[("cookie", &cookie)])).await;
    assert_eq!(response.status(), StatusCode::OK);
    let jwt = header(&response, "authorization").strip_prefix("Bearer ").unwrap();
    let now = vestibule_core::port::Clock::now(&*app.clock).unix_seconds();
    let claims = app.services.verify_at(jwt, now).unwrap();
    assert_eq!(claims.sub(), SUBJECT.to_string());
    assert_eq!(header(&response, "x-auth-subject"), SUBJECT.to_string());
    assert_eq!(header(&response, "x-auth-session"), SESSION.to_string());
    assert_eq!(header(&response, "x-auth-department"), "R&D");
    assert_eq!(header(&response, "shoe-size"), "", "the account has none");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn every_page_gets_a_csrf_token_of_its_own_and_all_of_them_are_good() {
    let app = App::new();
    let cookie = app.cookie();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let response = ask(&app, &caddy("GET", "/orders/", &[("cookie", &cookie)])).await;
        tokens.push(header(&response, "x-csrf-token").to_owned());
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
    for token in tokens {
        let more = [("cookie", &*cookie), ("sec-fetch-site", "same-origin"), ("x-csrf-token", &token)];
        let response = ask(&app, &caddy("POST", "/orders/", &more)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "x-csrf-token"), "", "an action loads no page");
    }
}

#[tokio::test]
async fn who_is_not_ambient_needs_no_csrf_token_and_gets_none() {
    let app = App::new();
    for bearer in [app.session_bearer(), format!("Bearer {}", app.jwt("https://app.test"))] {
        let response = ask(&app, &caddy("GET", "/orders/", &[("authorization", &bearer)])).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "x-csrf-token"), "");
        assert_ne!(header(&response, "authorization"), bearer);
    }
}

#[tokio::test]
async fn every_identity_header_is_there_even_when_nobody_passes() {
    let app = App::new();
    let stale = "__Host-Http-vestibule=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for more in [&[][..], &[("cookie", stale)], &[("authorization", "Bearer x.y.z")]] {
        let response = ask(&app, &caddy("GET", "/public/", more)).await;
        assert_eq!(response.status(), StatusCode::OK);
        for name in [
            "authorization",
            "x-auth-subject",
            "x-auth-session",
            "x-csrf-token",
            "x-auth-department",
            "shoe-size",
            "cost_centre",
        ] {
            assert_eq!(header(&response, name), "", "{name} for {more:?}");
        }
    }
}

/// GW-01: a proxy copies one list of headers for all routes.
#[tokio::test]
async fn an_answer_carries_the_identity_headers_of_every_route() {
    let app = App::new();
    let cookie = app.cookie();
    for (path, more) in [("/bare/", &[][..]), ("/bare/", &[("cookie", &*cookie)]), ("/plain/", &[])] {
        let response = ask(&app, &caddy("GET", path, more)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut unsaid = vec!["x-assertion"];
        if path == "/bare/" {
            unsaid.extend(["x-auth-department", "shoe-size", "cost_centre"]);
        }
        for name in unsaid {
            assert_eq!(header(&response, name), "", "{name} for {path} {more:?}");
        }
    }
    let response = ask(&app, &caddy("GET", "/bare/", &[("cookie", &cookie)])).await;
    assert!(header(&response, "authorization").starts_with("Bearer "));
    assert_eq!(header(&response, "x-auth-subject"), SUBJECT.to_string());
}

#[tokio::test]
async fn a_public_route_tells_who_passes_and_without_an_audience_only_that() {
    let app = App::new();
    let cookie = app.cookie();
    let response = ask(&app, &caddy("GET", "/public/", &[("cookie", &cookie)])).await;
    assert!(header(&response, "authorization").starts_with("Bearer "));
    let response = ask(&app, &caddy("GET", "/plain/", &[("cookie", &cookie)])).await;
    assert_eq!(header(&response, "authorization"), "");
    assert_eq!(header(&response, "x-auth-subject"), SUBJECT.to_string());
    assert_eq!(header(&response, "x-auth-session"), SESSION.to_string());
}

#[tokio::test]
async fn a_jwt_delivered_elsewhere_leaves_the_usual_place_empty() {
    let app = App::new();
    let bearer = app.session_bearer();
    let response = ask(&app, &caddy("GET", "/elsewhere/", &[("authorization", &bearer)])).await;
    assert_eq!(header(&response, "authorization"), "");
    assert!(header(&response, "x-assertion").starts_with("Bearer "));
}

#[tokio::test]
async fn nginx_asks_in_its_own_dialect() {
    let app = App::new();
    let cookie = app.cookie();
    let headers = [
        ("x-original-method", "GET"),
        ("x-original-url", "https://app.test/orders/1?a#b"),
        ("cookie", &*cookie),
    ];
    assert_eq!(ask(&app, &headers).await.status(), StatusCode::OK);
    let outside = [
        ("x-original-method", "GET"),
        ("x-original-url", "https://app.test/orders/1#b"),
        ("cookie", &*cookie),
    ];
    assert_eq!(problem(ask(&app, &outside).await).await["code"], "path-ambiguous");
}

#[tokio::test]
async fn a_stranger_is_told_where_to_sign_in() {
    let app = App::new();
    let response = ask(&app, &caddy("GET", "/orders/1?x=%2F", &[])).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"https://app.test\"");
    assert_eq!(
        header(&response, "x-auth-login"),
        "https://app.test/auth/login?return_to=/orders/1%3Fx%3D%252F"
    );
    assert_eq!(problem(response).await["code"], "no-credential");
}

/// RFC 6750 section 3.1: an error code for a bearer credential that was refused, and one text whatever was wrong with it.
#[tokio::test]
async fn a_refused_bearer_learns_that_it_was_refused_and_nothing_more() {
    let app = App::new();
    let forged = format!("{}x", app.jwt("https://app.test"));
    let (foreign, session) = (app.jwt("orders"), app.session_bearer());
    let mut seen = Vec::new();
    for bearer in ["a.b.c", "..", &forged, &foreign, "eyJhbGciOiJub25lIn0.e30."] {
        let bearer = format!("Bearer {bearer}");
        let response = ask(&app, &caddy("GET", "/orders/", &[("authorization", &bearer)])).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let challenge = header(&response, "www-authenticate").to_owned();
        seen.push((challenge, problem(response).await.to_string()));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].0.contains("error=\"invalid_token\""));
    app.world.end_all();
    let response = ask(&app, &caddy("GET", "/orders/", &[("authorization", &session)])).await;
    assert!(header(&response, "www-authenticate").contains("error=\"invalid_token\""));
    let basic = ask(&app, &caddy("GET", "/orders/", &[("authorization", "Basic YTpi")])).await;
    assert_eq!(header(&basic, "www-authenticate"), "Bearer realm=\"https://app.test\"");
}

#[tokio::test]
async fn browsers_are_redirected_when_the_operator_asks_for_it() {
    let app = App::new();
    let navigation = [("sec-fetch-mode", "navigate")];
    let script = [("sec-fetch-mode", "cors")];
    for (uri, more, expected) in [
        ("/check?redirect=1", &navigation, StatusCode::FOUND),
        ("/check?a=b&redirect=1", &navigation, StatusCode::FOUND),
        ("/check?redirect=1", &script, StatusCode::UNAUTHORIZED),
        ("/check?redirect=0", &navigation, StatusCode::UNAUTHORIZED),
        ("/check?xredirect=1", &navigation, StatusCode::UNAUTHORIZED),
        ("/check", &navigation, StatusCode::UNAUTHORIZED),
    ] {
        let response = check(&app, uri, &caddy("GET", "/orders/", more), PROXY).await;
        assert_eq!(response.status(), expected, "{uri} {more:?}");
        if expected == StatusCode::FOUND {
            assert_eq!(header(&response, "location"), "https://app.test/auth/login?return_to=/orders/");
            assert_eq!(header(&response, "cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn what_signing_in_cannot_help_is_forbidden() {
    let app = App::new();
    let (cookie, jwt) = (app.cookie(), format!("Bearer {}", app.jwt("https://app.test")));
    let two = [("cookie", &*cookie), ("authorization", &*jwt)];
    let only_cookie = [("cookie", &*cookie)];
    let cross_site = [("cookie", &*cookie), ("sec-fetch-site", "cross-site")];
    for (headers, code) in [
        (caddy("GET", "/nowhere", &only_cookie), "no-route"),
        (caddy("POST", "/read-only/", &only_cookie), "no-route"),
        (caddy("GET", "/orders/", &two), "two-credentials"),
        (caddy("POST", "/orders/", &only_cookie), "csrf"),
        (caddy("POST", "/orders/", &cross_site), "csrf"),
        (caddy("GET", "/orders//1", &only_cookie), "path-ambiguous"),
        (caddy("GET", "/public/../orders/", &only_cookie), "path-ambiguous"),
        (caddy("GET", "https://app.test/orders/", &only_cookie), "path-ambiguous"),
        (only_cookie.to_vec(), "target-ambiguous"),
        (
            [&caddy("GET", "/public/", &only_cookie)[..], &[("x-forwarded-uri", "/orders/")]].concat(),
            "target-ambiguous",
        ),
        (
            caddy(
                "GET",
                "/public/",
                &[("x-original-method", "GET"), ("x-original-url", "https://app.test/orders/")],
            ),
            "target-ambiguous",
        ),
    ] {
        let response = ask(&app, &headers).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{headers:?}");
        assert!(!response.headers().contains_key("authorization"));
        assert_eq!(problem(response).await["code"], code, "{headers:?}");
    }
}

/// GW-03: no one but a configured proxy is listened to, and that from the next request on when it changes.
/// h2c smuggling: a proxy that carries `Upgrade` along would end up with a tunnel that nobody looks into.
#[tokio::test]
async fn a_connection_may_become_a_websocket_and_nothing_else() {
    let app = App::new();
    for protocols in
        [&["h2c"][..], &["foo"], &["H2C", "websocket"], &["websocket", "h2c"], &["websocket, h2c"], &[""]]
    {
        let upgrades: Vec<_> = protocols.iter().map(|to| ("upgrade", *to)).collect();
        for path in ["/public/", "/orders/"] {
            let bearer = app.session_bearer();
            let more = [&upgrades[..], &[("authorization", &bearer)]].concat();
            let response = ask(&app, &caddy("GET", path, &more)).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{protocols:?} {path}");
            assert!(!response.headers().contains_key("authorization"));
            assert_eq!(problem(response).await["code"], "upgrade");
        }
    }
    for (path, protocol) in [("/public/", "websocket"), ("/public/", "WebSocket")] {
        let response = ask(&app, &caddy("GET", path, &[("upgrade", protocol)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{protocol}");
    }
}

#[tokio::test]
async fn only_trusted_proxies_may_ask() {
    let app = App::new();
    let cookie = app.cookie();
    let headers = caddy("GET", "/orders/", &[("cookie", &cookie)]);
    let stranger = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let response = check(&app, "/check", &headers, stranger).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(problem(response).await["code"], "peer-untrusted");
    app.forward_auth.replace_proxies(vestibule_core::wire::forwarded::TrustedProxies::new(vec![
        "192.0.2.0/24".parse().unwrap(),
    ]));
    assert_eq!(check(&app, "/check", &headers, stranger).await.status(), StatusCode::OK);
    assert_eq!(ask(&app, &headers).await.status(), StatusCode::FORBIDDEN);
}

/// GW-08: not being able to tell is neither a yes nor a logout.
#[tokio::test]
async fn a_fault_is_503_and_changes_nothing() {
    let app = App::new();
    let cookie = app.cookie();
    let headers = caddy("GET", "/orders/", &[("cookie", &cookie)]);
    app.world.is_down.store(true, Ordering::SeqCst);
    for uri in ["/orders/", "/public/"] {
        let response = ask(&app, &caddy("GET", uri, &[("cookie", &cookie)])).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&response, "retry-after"), "5");
        for absent in ["authorization", "x-auth-subject", "set-cookie"] {
            assert!(!response.headers().contains_key(absent), "{absent}");
        }
        assert_eq!(problem(response).await["code"], "unavailable");
    }
    app.world.is_down.store(false, Ordering::SeqCst);
    assert_eq!(ask(&app, &headers).await.status(), StatusCode::OK);
    let broken = ask(&app, &caddy("GET", "/broken/", &[("cookie", &cookie)])).await;
    assert_eq!(broken.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_ended_or_idle_session_is_a_challenge() {
    let app = App::new();
    let cookie = app.cookie();
    let headers = caddy("GET", "/orders/", &[("cookie", &cookie)]);
    app.clock.advance(Duration::from_secs(1801));
    assert_eq!(problem(ask(&app, &headers).await).await["code"], "session-idle");
    app.world.end_all();
    assert_eq!(problem(ask(&app, &headers).await).await["code"], "session-unknown");
}
