//! Headers that are the service's business on some routes: the client's own `Authorization` and `X-CSRF-Token`, and headers that a
//! route lets pass although others of their kind do not.

use crate::app::App;
use crate::wire::{Gate, OK, service, status, values};

/// A service that sends a token of its own, as frameworks do.
fn own(_: &str) -> String {
    OK.replace("\r\n\r\n", "\r\nX-CSRF-Token: theirs\r\nAuthorization: Bearer theirs\r\n\r\n")
}

#[tokio::test]
async fn a_services_own_csrf_token_passes_both_ways() {
    let (uri, seen) = service(own).await;
    let gate = Gate::before(&uri).await;
    let (cookie, csrf) = (gate.app.cookie(), gate.app.csrf());
    for path in ["/own-csrf/", "/no-csrf/", "/own-all/"] {
        let sent = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("X-CSRF-Token", "its own")];
        let answer = gate.ask("POST", path, &sent).await;
        assert_eq!((status(&answer), values(&answer, "x-csrf-token")), (200, vec!["theirs"]), "{path}");
        assert_eq!(values(&seen.one(), "x-csrf-token"), ["its own"], "{path}");
        // None is none, and not an empty one; two are nobody's.
        gate.ask("POST", path, &sent[..2]).await;
        assert_eq!(values(&seen.one(), "x-csrf-token"), [""; 0], "{path}");
        gate.ask("POST", path, &[&sent[..], &[("X-CSRF-Token", "another")]].concat()).await;
        assert_eq!(values(&seen.one(), "x-csrf-token"), [""; 0], "{path}");
        // A page that is loaded gets one of ours to put into its forms.
        gate.get(path, &[]).await;
        assert_eq!(values(&seen.one(), "x-csrf-token").len(), 1, "{path}");
        gate.ask("POST", path, &[&sent[..2], &[("X_CSRF_Token", "alias")]].concat()).await;
        assert!(!seen.one().contains("alias"));
    }
    // Where the token is ours to judge, it stays here.
    let sent = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("X-CSRF-Token", &*csrf)];
    assert_eq!(status(&gate.ask("POST", "/orders/", &sent).await), 200);
    assert!(!seen.one().contains(&csrf));
}

#[tokio::test]
async fn a_clients_own_authorization_passes_where_it_is_no_credential() {
    let (uri, seen) = service(own).await;
    let gate = Gate::before(&uri).await;
    let (cookie, bearer) = (gate.app.cookie(), gate.app.session_bearer());
    let edge = format!("Bearer {}", gate.app.jwt(crate::app::ORIGIN));
    for own in ["Basic YTpi", "Bearer of.their.own", "Token x", "Negotiate YII="] {
        let answer = gate.get("/own-all/", &[("Authorization", own)]).await;
        assert_eq!(
            (status(&answer), values(&answer, "authorization")),
            (200, vec!["Bearer theirs"]),
            "{own}"
        );
        let request = seen.one();
        assert_eq!(values(&request, "authorization"), [own]);
        assert!(values(&request, "x-assertion")[0].starts_with("Bearer ey"), "{request}");
        assert_eq!(values(&request, "x-auth-subject").len(), 1);
        // It opens nothing.
        assert_eq!(status(&gate.ask("GET", "/own-all/", &[("Authorization", own)]).await), 401);
        // Everywhere else it is a second credential.
        let both = [("Cookie", &*cookie), ("Authorization", own)];
        assert_eq!(status(&gate.ask("GET", "/orders/", &both).await), 403);
        assert_eq!(status(&gate.ask("GET", "/elsewhere/", &both).await), 403);
    }
    // What is a credential of ours, in whatever form, no service gets.
    for ours in [&bearer, &edge, &bearer.to_uppercase().replace("BEARER", "bearer")] {
        assert_eq!(status(&gate.ask("GET", "/own-all/", &[("Authorization", ours)]).await), 401);
    }
    for token in credentials(&gate.app) {
        for ours in spellings(&token) {
            gate.get("/own-all/", &[("Authorization", &ours)]).await;
            assert_eq!(values(&seen.one(), "authorization"), [""; 0], "{ours}");
        }
    }
    // A JWT of ours for a service is a service's business, and what only resembles a token is no token.
    let orders = gate.app.jwt("orders");
    for own in [&format!("Bearer {orders}"), "Bearer a.b.c", "Token xvst_x", "Basic dmVydDp2c3Q="] {
        gate.get("/own-all/", &[("Authorization", own)]).await;
        assert_eq!(values(&seen.one(), "authorization"), [own], "{own}");
    }
    gate.get("/own-all/", &[("Authorization", "Basic YTpi"), ("Authorization", "Basic Yjpj")]).await;
    assert_eq!(values(&seen.one(), "authorization"), [""; 0]);
}

/// Each kind of credential that could stand in `Authorization`; an access token also after its end, and one with a broken signature.
fn credentials(app: &App) -> Vec<String> {
    let access = app.jwt(crate::app::ORIGIN);
    let broken = format!("{}AAAA", &access[..access.len() - 4]);
    let expired = app.jwt_at(crate::app::ORIGIN, 1_000_000_000);
    let session = app.session_bearer()["Bearer ".len()..].to_owned();
    vec![session, format!("vrt_{}", "A".repeat(91)), "vrt_x".to_owned(), access, broken, expired]
}

/// A token as programs write it, and as they should not.
fn spellings(token: &str) -> Vec<String> {
    let forms = [
        "Bearer {}",
        "bearer {}",
        "Bearer   {}",
        "Bearer\t{}",
        "{}",
        "Token {}",
        "Bearer {}, x",
        "Bearer \"{}\"",
        "Bearer {}=",
        "Bearer {}.x",
        "Bearer:{}",
        "Token token=\"{}\"",
        "Token token={}",
        "Basic YTpi, Bearer {}",
        "ApiKey a:{}",
        "Bearer <{}>",
    ];
    forms.map(|form| form.replace("{}", token)).to_vec()
}

#[tokio::test]
async fn a_route_lets_headers_pass_that_it_names() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let sent = [
        ("X-MS-Version", "2021"),
        ("X-MS-Client-Principal", "evil"),
        ("X_MS_Version", "alias"),
        ("X-User-Agent", "grpc"),
    ];
    gate.get("/own-all/", &sent).await;
    let request = seen.one();
    assert_eq!(
        (values(&request, "x-ms-version"), values(&request, "x-user-agent")),
        (vec!["2021"], vec!["grpc"])
    );
    assert!(!request.contains("evil") && !request.contains("alias"), "{request}");
    gate.get("/orders/", &sent).await;
    let request = seen.one();
    assert!(!request.contains("2021") && !request.contains("grpc"), "{request}");
}

/// Proxies take these two from the answer, as they take all identity headers: what is the client's own comes back to them there.
#[tokio::test]
async fn forward_auth_hands_the_clients_own_headers_back() {
    let app = App::new();
    let cookie = app.cookie();
    let ask = async |path: &str, more: &[(&str, &str)]| {
        let fixed = [
            ("x-forwarded-method", "POST"),
            ("x-forwarded-host", "app.test"),
            ("x-forwarded-uri", path),
            ("cookie", &*cookie),
            ("sec-fetch-site", "same-origin"),
        ];
        let mut request = http::Request::get("/check");
        for (name, value) in fixed.iter().chain(more) {
            request = request.header(*name, *value);
        }
        let (request, ()) = request.body(()).unwrap().into_parts();
        let answer = app.forward_auth.answer(&request, [127, 0, 0, 1].into()).await;
        let of = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), of("authorization"), of("x-csrf-token"))
    };
    let own = [("authorization", "Basic YTpi"), ("x-csrf-token", "theirs")];
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(ask("/own-all/", &own).await, (200, text("Basic YTpi"), text("theirs")));
    assert_eq!(ask("/own-all/", &[]).await, (200, text(""), text("")));
    for token in credentials(&app) {
        for ours in spellings(&token) {
            let told = ask("/own-all/", &[("authorization", &*ours)]).await;
            assert_eq!(told, (200, text(""), text("")), "{ours}");
        }
    }
}
