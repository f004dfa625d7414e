use http::header::AUTHORIZATION;

use super::*;

pub(super) fn route(host: Option<&str>, path: &str, methods: &[Method], name: &str) -> Route {
    Route {
        host: host.map(str::to_owned),
        path: PathPattern::parse(path).unwrap(),
        case: Case::Fold,
        ambiguous_path: AmbiguousPath::Refuse,
        methods: methods.to_vec(),
        requirement: Requirement::SignedIn(Assurance::Aal1),
        accept: Accept::DEFAULT,
        audience: Some(name.into()),
        csrf: CsrfPolicy::Token,
        activity: Activity::Person,
        assertion_header: AUTHORIZATION,
        elsewhere: Elsewhere::default(),
        headers: Vec::new(),
        headers_encoding: HeaderEncoding::Drop,
        pass_headers: Vec::new(),
        upstream: None,
    }
}

fn found(table: &RouteTable, host: &str, path: &str, method: &Method) -> Result<String, Reject> {
    table.find(host, path, method).map(|found| found.route.audience.as_deref().unwrap_or_default().to_owned())
}

#[test]
fn the_most_specific_route_wins_whatever_the_order() {
    let mut routes = vec![
        route(None, "/", &[], "any"),
        route(None, "/orders/", &[], "orders"),
        route(None, "/orders/", &[Method::POST], "orders-post"),
        route(None, "/orders/public", &[], "exact"),
        route(Some("App.Test"), "/orders/", &[], "own-host"),
    ];
    for _ in 0..routes.len() {
        routes.rotate_left(1);
        let table = RouteTable::new(routes.clone());
        let get = |host, path| found(&table, host, path, &Method::GET).unwrap();
        assert_eq!(get("x.test", "/orders/1"), "orders");
        assert_eq!(get("x.test", "/orders/public"), "exact");
        assert_eq!(get("x.test", "/orders"), "orders");
        assert_eq!(get("x.test", "/orders-not"), "any");
        assert_eq!(get("x.test", "/orders/public/"), "exact");
        assert_eq!(get("x.test", "/orders/public/x"), "orders");
        assert_eq!(get("app.test", "/orders/1"), "own-host");
        assert_eq!(get("APP.test", "/orders/1"), "own-host");
        assert_eq!(get("app.test", "/other"), "any");
        assert_eq!(found(&table, "x.test", "/orders/1", &Method::POST).unwrap(), "orders-post");
    }
}

#[test]
fn a_path_and_the_same_with_a_slash_are_two_where_both_are_configured() {
    let table = RouteTable::new(vec![route(None, "/p", &[], "page"), route(None, "/p/", &[], "tree")]);
    assert_eq!(found(&table, "x.test", "/p", &Method::GET).unwrap(), "page");
    assert_eq!(found(&table, "x.test", "/p/", &Method::GET).unwrap(), "tree");
}

/// GW-07: what no route names is denied, and a method left out of a route does not slip to a wider one.
#[test]
fn denied_by_default() {
    assert_eq!(found(&RouteTable::default(), "x.test", "/", &Method::GET), Err(Reject::NoRoute));
    let table =
        RouteTable::new(vec![route(None, "/", &[], "any"), route(None, "/admin/", &[Method::GET], "admin")]);
    assert_eq!(found(&table, "x.test", "/admin/x", &Method::GET).unwrap(), "admin");
    assert_eq!(found(&table, "x.test", "/admin/x", &Method::DELETE), Err(Reject::NoRoute));
    assert_eq!(found(&table, "x.test", "/administrator", &Method::DELETE).unwrap(), "any");
}

/// GW-06: GHSA-6jwx-7vp4-9847 and CVE-2026-26205 are of this kind.
#[test]
fn paths_with_two_meanings_are_refused() {
    let ambiguous = [
        "",
        "*",
        "orders",
        "http://x/",
        "//",
        "//admin/x",
        "/a//b",
        "/a/./b",
        "/a/../b",
        "/..",
        "/a/.",
        "/a/..",
        "/%2e%2e/a",
        "/a/%2E/b",
        "/a/.%2e/b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%5Cb",
        "/a\\b",
        "/a;b",
        "/a;x=1/b",
        "/a%3bb",
        "/a%00",
        "/a%0d%0a",
        "/a%7f",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%252e",
        "/a%252fb",
        "/a%25%32%66",
        "/a%c0%af",
        "/a%e0%80%af",
        "/a%ff",
        "/a b",
        "/a\tb",
        "/a\u{0}b",
        "/\u{e4}",
        "/a?b",
        "/a#b",
        "/a\"b",
        "/a<b",
        "/a>b",
        "/a;",
        "/%2E%2E",
        "/a/%2e",
        "/a/..%20/b",
        "/a/%20../b",
        "/a/.%C2%A0/b",
        "/a/%EF%BC%8E%EF%BC%8E/b",
        "/a/%E2%80%A5/b",
        "/a/.%E2%80%8B./b",
        "/a%EF%BC%BCb",
        "/a%+1",
        "/a%-1",
    ];
    for path in ambiguous {
        assert_eq!(canonical_path(path), Err(Reject::AmbiguousPath), "{path:?}");
    }
    let plain = [
        "/",
        "/a",
        "/a/",
        "/a/b.html",
        "/.well-known/jwks.json",
        "/a/..b",
        "/...",
        "/a%20b",
        "/%C3%A4",
        "/a%25",
        "/a%25x",
        "/a:b@c!d$e&f'g(h)i*j+k,l=m",
        "/~x/-_",
        "/%61dmin",
        "/%41",
        "/%7E",
        "/%2d",
        "/a%2Eb",
        "/posts/[slug]",
        "/a|b^c`d{e}",
        "/%5Bslug%5D",
        "/wiki/%E2%80%A6",
        "/a/%20/b",
    ];
    for path in plain {
        assert_eq!(canonical_path(path), Ok(()), "{path:?}");
    }
}

/// GW-06: however a path is spelled, if it is one path to a service it is one path to the routes.
#[test]
fn spellings_of_one_path_find_one_route() {
    let table = RouteTable::new(vec![
        route(None, "/", &[], "any"),
        route(None, "/caf%C3%A9/", &[], "cafe"),
        route(None, "/u/@me", &[], "me"),
        route(None, "/a+b/", &[], "plus"),
    ]);
    for (path, expected) in [
        ("/caf%C3%A9/x", "cafe"),
        ("/caf%c3%a9/x", "cafe"),
        ("/caf%c3%a9", "cafe"),
        ("/u/@me", "me"),
        ("/u/%40me", "me"),
        ("/a+b/", "plus"),
        ("/a%2Bb/", "plus"),
        ("/a%2bb/c", "plus"),
        ("/a%20b/", "any"),
    ] {
        assert_eq!(found(&table, "x.test", path, &Method::GET).unwrap(), expected, "{path}");
    }
}

#[test]
fn accept_asks_kind_and_transport() {
    assert!(Accept::DEFAULT.takes(CredentialKind::Reference, Transport::Cookie));
    assert!(Accept::DEFAULT.takes(CredentialKind::Value, Transport::Header));
    assert!(!Accept::DEFAULT.takes(CredentialKind::Value, Transport::Cookie));
    assert!(!Accept::NONE.takes(CredentialKind::Reference, Transport::Header));
}

/// RFC 3986 section 6.2.2.2: an escaped letter is the letter, and what browsers send raw is what other programs escape.
#[test]
fn escapes_of_unreserved_characters_are_compared_decoded() {
    let table = RouteTable::new(vec![
        route(None, "/", &[], "any"),
        route(None, "/~ada/", &[], "home"),
        route(None, "/a-b_c.d/", &[], "marks"),
        route(None, "/posts/[slug]", &[], "slug"),
    ]);
    for (path, expected) in [
        ("/%7Eada/x", "home"),
        ("/%7eada", "home"),
        ("/~%61da/x", "home"),
        ("/a%2Db%5Fc%2Ed/", "marks"),
        ("/%61-b_c.d", "marks"),
        ("/posts/[slug]", "slug"),
        ("/posts/%5Bslug%5D", "slug"),
        ("/posts/[other]", "any"),
    ] {
        assert_eq!(found(&table, "x.test", path, &Method::GET).unwrap(), expected, "{path}");
    }
}

mod ambiguous;
mod folded;
