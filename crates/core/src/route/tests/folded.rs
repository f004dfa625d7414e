//! Other spellings of a path: services that ignore case, trailing dots, or normalise Unicode take them for the path itself.

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn public(path: &str) -> Route {
    Route { requirement: Requirement::Public, audience: None, ..route(None, path, &[], "") }
}

fn verdict(table: &RouteTable, path: &str) -> Result<Requirement, Reject> {
    table.find("x.test", path, &Method::GET).map(|found| found.route.requirement)
}

const SIGNED_IN: Result<Requirement, Reject> = Ok(Requirement::SignedIn(Assurance::Aal1));

/// CVE-2022-32532 and CVE-2023-22602 (Shiro), and every Express behind a case-sensitive proxy.
#[test]
fn another_spelling_of_a_protected_path_is_protected() {
    let table = RouteTable::new(vec![
        public("/"),
        route(None, "/admin/", &[], "admin"),
        route(None, "/caf%C3%A9/stra%C3%9Fe/", &[], "street"),
        route(None, "/Office", &[], "office"),
    ]);
    for path in [
        "/admin/x",
        "/ADMIN/x",
        "/aDmIn",
        "/Admin/",
        "/%41DMIN/x",
        "/admin./x",
        "/admin...",
        "/admin%20/x",
        "/admin%20%20/",
        "/admin.%20./x",
        "/%20admin/x",
        "/admin%C2%A0/x",
        "/admin%E3%80%80",
        "/%EF%BD%81%EF%BD%84%EF%BD%8D%EF%BD%89%EF%BD%8E/x",
        "/%EF%BC%A1dmin/x",
        "/adm%C4%B1n/x",
        "/ADM%C4%B0N/x",
        "/ad%C2%ADmin/x",
        "/ad%E2%80%8Bmin/x",
        "/%F0%9D%90%9Admin/x",
        "/admin%EF%BC%8Fx",
        "/admin%EF%BC%9Bx",
        "/%EF%BC%8Fadmin/x",
        "/.../admin/x",
        "/%20/admin/x",
        "/CAF%C3%89/STRASSE/x",
        "/cafe%CC%81/stra%E1%BA%9Ee/x",
        "/office",
        "/o%EF%AC%83ce",
        "/OFFICE/",
        "/o%EF%AC%80ice",
        "/Office.",
    ] {
        assert_eq!(verdict(&table, path), SIGNED_IN, "{path}");
    }
    for path in
        ["/", "/administrator", "/x/admin/y", "/Home", "/caf%C3%A9", "/cafe/strasse/", "/a.dmin", "/ad.min/x"]
    {
        assert_eq!(verdict(&table, path), Ok(Requirement::Public), "{path}");
    }
}

#[test]
fn a_case_sensitive_route_covers_its_own_spelling_alone() {
    let sensitive = |name: &str, path: &str| Route { case: Case::Sensitive, ..route(None, path, &[], name) };
    let table = RouteTable::new(vec![
        public("/"),
        sensitive("upper", "/Admin/"),
        sensitive("lower", "/admin/"),
        route(None, "/Docs/", &[], "docs"),
    ]);
    let of = |path| table.find("x.test", path, &Method::GET).unwrap().route.audience.clone();
    assert_eq!(of("/Admin/x").as_deref(), Some("upper"));
    assert_eq!(of("/admin/x").as_deref(), Some("lower"));
    assert_eq!(of("/ADMIN/x"), None);
    assert_eq!(of("/admin./x"), None);
    assert_eq!(of("/docs/").as_deref(), Some("docs"));
    // A wider route that is protected does not take a sensitive public one along.
    let table = RouteTable::new(vec![
        route(None, "/", &[], "any"),
        Route { case: Case::Sensitive, ..public("/pub/") },
    ]);
    assert_eq!(verdict(&table, "/pub/x"), Ok(Requirement::Public));
    assert_eq!(verdict(&table, "/PUB/x"), SIGNED_IN);
}

#[test]
fn a_folded_match_only_adds_demands() {
    let mut site = Route { csrf: CsrfPolicy::Token, ..public("/") };
    site.accept = Accept::NONE.with(CredentialKind::Reference, Transport::Cookie);
    let mut admin = Route {
        csrf: CsrfPolicy::Off,
        activity: Activity::Background,
        methods: vec![Method::GET, Method::POST],
        ..route(None, "/admin/", &[], "admin")
    };
    admin.accept = admin.accept.with(CredentialKind::Value, Transport::Cookie);
    let table = RouteTable::new(vec![site.clone(), admin.clone()]);
    let found = table.find("x.test", "/ADMIN/x", &Method::POST).unwrap();
    assert_eq!(found.exact.unwrap().path, site.path);
    let both = found.route;
    assert_eq!((&both.path, both.requirement), (&admin.path, admin.requirement));
    assert_eq!(
        (both.accept, both.csrf, both.activity),
        (site.accept, CsrfPolicy::Token, Activity::Background)
    );
    assert_eq!(both.audience.as_deref(), Some("admin"));
    assert!(table.find("x.test", "/admin/x", &Method::POST).unwrap().exact.is_none());
    // A method that the protected route does not take is refused under each of its spellings.
    assert_eq!(table.find("x.test", "/ADMIN/x", &Method::DELETE).err(), Some(Reject::NoRoute));

    // A public route found by folding opens nothing, and what no route covers by its exact spelling stays refused.
    let table = RouteTable::new(vec![route(None, "/", &[], "any"), public("/public/")]);
    assert_eq!(verdict(&table, "/PUBLIC/x"), SIGNED_IN);
    let table = RouteTable::new(vec![route(None, "/only/", &[], "only")]);
    assert_eq!(verdict(&table, "/ONLY/x"), Err(Reject::NoRoute));
}

/// Which of two services would get the JWT is not known: neither gets one.
#[test]
fn no_jwt_is_for_a_service_that_may_not_be_asked() {
    let table = RouteTable::new(vec![route(None, "/", &[], "web"), route(None, "/admin/", &[], "admin")]);
    assert_eq!(verdict(&table, "/Admin/x"), Err(Reject::AmbiguousPath));
    let told = Route { requirement: Requirement::Public, ..route(None, "/", &[], "web") };
    for (one, other) in [("/", "/static/"), ("/static/", "/")] {
        let table = RouteTable::new(vec![
            Route { path: PathPattern::parse(one).unwrap(), ..told.clone() },
            public(other),
        ]);
        let found = table.find("x.test", "/STATIC/x", &Method::GET).unwrap();
        assert_eq!(found.route.audience, None, "{one} and {other}");
    }
}

#[test]
fn hosts_are_searched_in_the_same_order_for_all_spellings() {
    let table = RouteTable::new(vec![
        public("/"),
        route(Some("app.test"), "/admin/", &[], "admin"),
        Route { host: Some("open.test".to_owned()), ..public("/") },
        route(None, "/secret/", &[], "secret"),
    ]);
    let of = |host, path| table.find(host, path, &Method::GET).unwrap().route.requirement;
    let signed_in = Requirement::SignedIn(Assurance::Aal1);
    assert_eq!(of("app.test", "/ADMIN/x"), signed_in);
    assert_eq!(of("APP.test", "/ADMIN/x"), signed_in);
    assert_eq!(of("app.test", "/SECRET/x"), signed_in);
    assert_eq!(of("x.test", "/ADMIN/x"), Requirement::Public);
    assert_eq!(
        (of("open.test", "/secret/x"), of("open.test", "/SECRET/x")),
        (Requirement::Public, Requirement::Public)
    );
}

#[test]
fn two_routes_for_one_path_contradict_each_other() {
    let at = |path| route(None, path, &[], "x");
    let sensitive = |path| Route { case: Case::Sensitive, ..at(path) };
    for (one, other) in
        [("/admin/", "/Admin/"), ("/admin", "/ADMIN/"), ("/a./", "/a/"), ("/stra%C3%9Fe", "/strasse")]
    {
        assert_eq!(
            conflict(&[at(one), at(other)]),
            Some(Conflict::OnePath { route: 1, other: 0 }),
            "{one} {other}"
        );
        assert_eq!(conflict(&[at(one), sensitive(other)]), Some(Conflict::OnePath { route: 1, other: 0 }));
        assert_eq!(conflict(&[sensitive(one), sensitive(other)]), None);
    }
    assert_eq!(conflict(&[at("/p"), at("/p/"), at("/q")]), None);
    assert_eq!(conflict(&[route(Some("a.test"), "/p", &[], "x"), at("/P")]), None);
}

#[test]
fn protected_routes_below_public_ones_are_named() {
    let at = |path| route(None, path, &[], "x");
    let exposure = |protected, public| Exposure { protected, public };
    assert_eq!(exposures(&[public("/"), at("/admin/")]), [exposure(1, 0)]);
    assert_eq!(exposures(&[at("/ADMIN/x"), public("/"), public("/admin/")]), [exposure(0, 2)]);
    assert_eq!(exposures(&[public("/"), at("/a/"), at("/a/b/")]), [exposure(1, 0)]);
    assert_eq!(exposures(&[at("/"), public("/public/")]), []);
    let get = Route { methods: vec![Method::GET], ..public("/") };
    assert_eq!(exposures(&[at("/"), get, at("/admin/")]), [exposure(2, 1)]);
    let elsewhere = Route { host: Some("a.test".to_owned()), ..public("/") };
    assert_eq!(exposures(&[elsewhere, route(Some("b.test"), "/admin/", &[], "x")]), []);
}

/// Letters and marks, each with other spellings that some program takes for it.
const SPELLINGS: [(&str, &[&str]); 12] = [
    ("a", &["A", "\u{ff41}", "\u{ff21}", "\u{1d41a}", "\u{24d0}", "%61"]),
    ("d", &["D", "\u{ff44}", "\u{1d403}", "%44"]),
    ("m", &["M", "\u{ff2d}", "\u{217f}", "%4d"]),
    ("i", &["I", "\u{ff49}", "\u{131}", "\u{130}", "\u{2170}", "%69"]),
    ("n", &["N", "\u{ff4e}", "\u{2115}", "%6E"]),
    ("s", &["S", "\u{17f}", "\u{ff33}", "%73"]),
    ("k", &["K", "\u{212a}", "\u{ff4b}"]),
    ("\u{df}", &["ss", "SS", "\u{1e9e}", "\u{17f}s", "sS"]),
    ("ffi", &["\u{fb03}", "\u{fb00}i", "f\u{fb01}", "FFI"]),
    ("\u{e9}", &["\u{c9}", "e\u{301}", "E\u{301}"]),
    ("\u{3c3}", &["\u{3a3}", "\u{3c2}"]),
    ("-", &["%2D", "\u{ff0d}"]),
];

/// What programs trim from the end of a segment.
const TRAILING: [&str; 7] = ["", "", ".", "%20", ".%20.", "\u{a0}", "\u{3000}."];

fn escaped(text: &str) -> String {
    let one = |it: char| match it.is_ascii() {
        true => it.to_string(),
        false => it.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect(),
    };
    text.chars().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Under any spelling a path gets a verdict that is at least as strict.
    #[test]
    fn no_spelling_of_a_path_gets_a_laxer_verdict(
        letters in prop::collection::vec((0..SPELLINGS.len(), 0..8_usize, 0..4_usize), 1..8),
        trailing in prop::sample::select(&TRAILING[..]),
        below in prop::sample::select(vec!["", "/", "/x", "/X./y"]),
        is_normal in any::<bool>(),
    ) {
        let name: String = letters.iter().map(|(letter, ..)| SPELLINGS[*letter].0).collect();
        let spelled: String = letters
            .iter()
            .map(|(letter, spelling, ignorable)| {
                let (plain, others) = SPELLINGS[*letter];
                let ignored = if *ignorable == 0 { "\u{ad}" } else { "" };
                format!("{}{ignored}", others.get(*spelling).unwrap_or(&plain))
            })
            .collect();
        let pattern = format!("/{}/", escaped(&name));
        let table = RouteTable::new(vec![public("/"), route(None, &pattern, &[], "protected")]);
        let spelled = if is_normal { spelled.nfd().collect() } else { spelled };
        let path = format!("/{}{}{below}", escaped(&spelled), escaped(trailing));
        prop_assert_eq!(verdict(&table, &path), SIGNED_IN, "{} as {}", pattern, path);
        // The same the other way round: the route is configured under the odd spelling.
        if let Ok(odd) = PathPattern::parse(&format!("/{}/", escaped(&spelled))) {
            let odd = Route { path: odd, ..route(None, "/x/", &[], "protected") };
            let table = RouteTable::new(vec![public("/"), odd]);
            prop_assert_eq!(verdict(&table, &format!("{pattern}x")), SIGNED_IN, "{} as {}", path, pattern);
        }
    }

    #[test]
    fn folding_twice_is_folding_once(path in "/\\PC{0,20}") {
        let once = fold::path(&path);
        prop_assert_eq!(fold::path(&once), once.clone());
        if fold::is_folded(&path) {
            prop_assert_eq!(once, path);
        }
    }

    /// What a table takes for folded, it does not fold.
    #[test]
    fn a_path_read_as_folded_is_its_own_folded_form(sent in "(/|[a-z]|[A-Z.~%@=]|%2e|%41|%c3%89){0,8}") {
        if let Ok(read) = super::path::read(&format!("/{sent}"))
            && read.agreement == super::path::Agreement::Folded
        {
            prop_assert_eq!(fold::path(&read.meaning), read.meaning.as_ref());
        }
    }
}
