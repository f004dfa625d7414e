//! Paths that programs read in different ways, on routes that take them.

use proptest::prelude::*;

use super::*;

fn passing(path: &str, name: &str) -> Route {
    Route { ambiguous_path: AmbiguousPath::Pass, ..route(None, path, &[], name) }
}

/// RabbitMQ, GitLab and npm put encoded slashes into paths, Java servers put `;jsessionid` there.
#[test]
fn a_route_may_take_paths_that_are_read_in_different_ways() {
    let table = RouteTable::new(vec![
        route(None, "/", &[], "any"),
        passing("/npm/", "npm"),
        Route { methods: vec![Method::GET], ..passing("/api/", "api") },
    ]);
    let get = |path: &str| found(&table, "x.test", path, &Method::GET);
    for rest in [
        "@scope%2fname",
        "a%2Fb%2fc",
        "x;jsessionid=1",
        "x;a=1/b;c=2",
        "a//b",
        "/x",
        "/",
        "100%2525",
        "%253B",
        ";x",
        "a%3Bb",
    ] {
        assert_eq!(get(&format!("/npm/{rest}")), Ok("npm".to_owned()), "{rest}");
        assert_eq!(get(&format!("/other/{rest}")), Err(Reject::AmbiguousPath), "{rest}");
    }
    assert_eq!(get("/api/a%2Fb"), Ok("api".to_owned()));
    assert_eq!(found(&table, "x.test", "/api/a%2Fb", &Method::PUT), Err(Reject::NoRoute));
    // What comes before the prefix, or in it, may be read as another route's path.
    for path in
        ["//npm/x", "/npm;x/a", "/npm%2Fx", "/npm;/x", "/%2Fnpm/x", "/n%2570m/x", "/NPM/a%2Fb", "/x/%2Fnpm/"]
    {
        assert_eq!(get(path), Err(Reject::AmbiguousPath), "{path}");
    }
    assert_eq!(found(&RouteTable::default(), "x.test", "//x", &Method::GET), Err(Reject::AmbiguousPath));
}

/// Whatever a route says, a path never leads out of it. CVE-2021-41773 and `..;/` (Tomcat behind a proxy) are of this kind.
#[test]
fn no_reading_of_an_ambiguous_path_leaves_its_route() {
    let table = RouteTable::new(vec![route(None, "/", &[], "any"), passing("/npm/", "npm")]);
    for rest in [
        "../admin",
        "..%2fadmin",
        "%2e%2e%2fadmin",
        "a%2f..%2f..%2fadmin",
        "..;/admin",
        "..;x=1/admin",
        ".;/x",
        "%252e%252e%252fadmin",
        "%25252e%25252e%25252fadmin",
        "%2525252525252e",
        "a;%2f..%2f",
        "x\\..\\admin",
        "%5c..%5cadmin",
        "%255cadmin",
        "a%2fb%00",
        "a%252500",
        "a%2f%0d%0a",
        "%25c0%25ae%2f",
        "a%2f%ff",
        "a//..%20/x",
        "a%2f%ef%bc%8e%ef%bc%8e%2fx",
        "a%2f%25ef%25bc%258e.%2fx",
    ] {
        let path = format!("/npm/{rest}");
        assert_eq!(found(&table, "x.test", &path, &Method::GET), Err(Reject::AmbiguousPath), "{path}");
    }
}

#[test]
fn a_route_that_takes_ambiguous_paths_has_nothing_below_it() {
    let host = |host: &str, route: Route| Route { host: Some(host.to_owned()), ..route };
    let at = |path| route(None, path, &[], "x");
    for (below, routes) in [
        (0, vec![at("/npm/admin/"), passing("/npm/", "npm")]),
        (0, vec![at("/NPM/Admin/"), passing("/npm/", "npm")]),
        (0, vec![Route { case: Case::Sensitive, ..at("/NPM/x") }, passing("/npm/", "npm")]),
        (0, vec![host("a.test", at("/npm/x/")), passing("/npm/", "npm")]),
        (0, vec![at("/npm/x"), passing("/", "npm")]),
        (0, vec![passing("/npm/x/", "npm"), passing("/npm/", "npm")]),
    ] {
        assert_eq!(conflict(&routes), Some(Conflict::AmbiguousOver { route: 1, below }));
    }
    assert_eq!(conflict(&[passing("/npm", "npm")]), Some(Conflict::AmbiguousExact { route: 0 }));
    let apart = [
        at("/"),
        passing("/npm/", "npm"),
        at("/npmx/"),
        host("a.test", passing("/x/", "x")),
        host("b.test", at("/x/y/")),
    ];
    assert_eq!(conflict(&apart), None);
    let methods = [Route { methods: vec![Method::GET], ..at("/npm/") }, passing("/npm/", "npm")];
    assert_eq!(conflict(&methods), None);
}

/// One reading of a path: what a program makes of it that decodes so often, leaves parameters out or not, merges slashes or not.
fn read_so(path: &str, layers: usize, parameters: bool, merges: bool) -> Vec<String> {
    let mut text = path.to_owned();
    for _ in 0..layers {
        text = percent_decoded(&text);
    }
    let mut stack: Vec<String> = Vec::new();
    for segment in text.split('/').skip(1) {
        let segment = if parameters { segment } else { segment.split(';').next().unwrap() };
        match segment {
            "" if merges => {}
            "." => {}
            ".." => drop(stack.pop()),
            other => stack.push(other.to_owned()),
        }
    }
    stack
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// GW-06: what passes as ambiguous lies below its route's prefix in every reading.
    #[test]
    fn every_reading_of_what_passes_lies_below_the_prefix(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "/", "//", "%2f", "%2F", ";", ";x=1", "%3b", ".", "..", "%2e", "%252e", "%252f", "%25", "25", "2e", "2f", "npm",
                "admin", "a", "%61", "\\", "%5c", "%255c", "[", "~",
            ]),
            0..8,
        ),
    ) {
        let table = RouteTable::new(vec![route(None, "/", &[], "any"), passing("/npm/", "npm")]);
        let path = format!("/npm/{}", parts.concat());
        if found(&table, "x.test", &path, &Method::GET) == Ok("npm".to_owned()) {
            for (layers, parameters, merges) in
                (0..5).flat_map(|layers| [(layers, true, true), (layers, true, false), (layers, false, true), (layers, false, false)])
            {
                let read = read_so(&path, layers, parameters, merges);
                prop_assert_eq!(read.first().map(String::as_str), Some("npm"), "{} read as {:?}", path, read);
            }
        }
    }
}
