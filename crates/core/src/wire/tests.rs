use http::{HeaderMap, HeaderName, HeaderValue};

use super::cookie::{self, Https};
use super::forwarded::{self, Target, TrustedProxies};
use super::*;
use crate::secret::Pepper;

const VALUE: &str = "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU";
const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn name() -> CookieName {
    CookieName::session("vestibule", Https::Yes).unwrap()
}

fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    map
}

fn cookies(lines: &[&str]) -> HeaderMap {
    headers(&lines.iter().map(|line| ("cookie", line.as_bytes())).collect::<Vec<_>>())
}

type Outcome = Result<Option<(CredentialKind, Transport)>, Reject>;

fn outcome(headers: &HeaderMap) -> Outcome {
    present(headers, &name(), None).map(|presented| presented.map(|p| (p.credential.kind(), p.transport)))
}

const SESSION_IN_COOKIE: Outcome = Ok(Some((CredentialKind::Reference, Transport::Cookie)));

#[test]
fn the_cookie_is_found_among_others_and_over_several_lines() {
    for lines in [
        &[&*format!("__Host-Http-vestibule={VALUE}")][..],
        &[&format!("a=1; __Host-Http-vestibule={VALUE}; b=\"2\"")],
        &["a=1", &format!("__Host-Http-vestibule={VALUE}"), "b=2"],
        &[&format!("a=1;__Host-Http-vestibule={VALUE}")],
        &[&format!("$Version=1; __Host-Http-vestibule={VALUE}")],
        &[&format!("__Host-Http-vestibule_pre={OTHER}; __Host-Http-vestibule={VALUE}")],
    ] {
        assert_eq!(outcome(&cookies(lines)), SESSION_IN_COOKIE, "{lines:?}");
    }
    let found = cookie::session_token(&cookies(&[&format!("__Host-Http-vestibule={VALUE}")]), &name())
        .unwrap()
        .unwrap();
    let pepper = Pepper::new(&[0; 32]);
    assert_eq!(found.digest(&pepper), SessionToken::from_random([0xA5; 32]).digest(&pepper));
    assert_eq!(outcome(&cookies(&["a=1; vestibule=x; __Host-vestibule=y"])), Ok(None));
}

/// CK-03 and CK-04: two of our name, or anything that a laxer parser would take for it, is nobody's session.
#[test]
fn duplicates_and_look_alikes_are_refused_in_both_orders() {
    let good = format!("__Host-Http-vestibule={VALUE}");
    let tossed = [
        format!("__Host-Http-vestibule={OTHER}"),
        format!("__Host-Http-vestibule={VALUE}"),
        format!("__host-http-vestibule={OTHER}"),
        format!("__HOST-HTTP-VESTIBULE={OTHER}"),
        format!("\t__Host-Http-vestibule={OTHER}"),
        format!("  __Host-Http-vestibule={OTHER}"),
        format!("__Host-Http-vestibule ={OTHER}"),
        format!("\"__Host-Http-vestibule\"={OTHER}"),
        format!("..Host-Http-vestibule={OTHER}"),
        format!("_[Host-Http-vestibule={OTHER}"),
        format!("_ Host-Http-vestibule={OTHER}"),
        format!("__Host-Http-vestibule[x]={OTHER}"),
        format!("__%48ost-Http-vestibule={OTHER}"),
        format!("%5f%5FHost%2dHttp-vestibule={OTHER}"),
        format!("+__Host-Http-vestibule={OTHER}"),
        format!("$Version=1,__Host-Http-vestibule={OTHER}"),
        format!("theme=dark,__Host-Http-vestibule={OTHER}"),
        format!("theme=dark __Host-Http-vestibule={OTHER}"),
        format!("theme=dark\t__host-http-vestibule={OTHER}"),
        // Where the name of another cookie ends, or a value has ended, as some see it.
        format!("theme,__Host-Http-vestibule={OTHER}"),
        format!("theme,__%48ost-Http-vestibule={OTHER}"),
        format!("theme __Host-Http-vestibule={OTHER}"),
        format!("theme=dark,__Host-Http-vestibule ={OTHER}"),
        format!("theme=dark __Host-Http-vestibule\t= {OTHER}"),
        format!("theme=dark,list=a,__Host-Http-vestibule={OTHER}"),
        format!("theme=\"dark\"__Host-Http-vestibule={OTHER}"),
        format!("theme=dark[__Host-Http-vestibule={OTHER}"),
        format!("theme=\"__Host-Http-vestibule={OTHER}"),
        format!("theme=\"a=\"__Host-Http-vestibule={OTHER}\""),
        format!("theme\"__Host-Http-vestibule =\"{OTHER}\""),
        format!("theme=dark\u{e9}__Host-Http-vestibule={OTHER}"),
        format!("==__Host-Http-vestibule={OTHER}"),
        format!("= =__Host-Http-vestibule={OTHER}"),
        // PHP leaves a bad escape as it is, and NUL ends its names; CGI.pm knows escapes of its own.
        format!("__%48ost-Http-vestibule[%zz={OTHER}"),
        format!("__%48ost-Http-vestibule%00theme={OTHER}"),
        format!("%u005F%u005fHost-Http-vestibule={OTHER}"),
        format!("\u{2000}__Host-Http-vestibule={OTHER}"),
        format!("\u{A0}__Host-Http-vestibule={OTHER}"),
        format!("\u{85}__Host-Http-vestibule={OTHER}"),
        format!("=__Host-Http-vestibule={OTHER}"),
        "__Host-Http-vestibule".to_owned(),
    ];
    for other in &tossed {
        for lines in [
            vec![format!("{good}; {other}")],
            vec![format!("{other}; {good}")],
            vec![good.clone(), other.clone()],
            vec![other.clone(), good.clone()],
        ] {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(outcome(&cookies(&lines)), Err(Reject::AmbiguousCookie), "{lines:?}");
        }
    }
    for alone in &tossed[2..] {
        assert_eq!(outcome(&cookies(&[alone])), Err(Reject::AmbiguousCookie), "{alone:?}");
    }
}

/// CK-04: a sibling host may set what it likes for all hosts of its domain. What no parser takes for ours is its own affair; were it
/// refused, one such cookie would lock a browser out for as long as it is kept.
#[test]
fn an_ordinary_cookie_beside_ours_locks_nobody_out() {
    let good = format!("__Host-Http-vestibule={VALUE}");
    for ordinary in [
        "hosthttpvestibule=1",
        "HostHttpVestibule=1",
        "__Host_Http_vestibule=1",
        "--Host-Http-vestibule=1",
        "$__Host-Http-vestibule=1",
        "'__Host-Http-vestibule'=1",
        "__Host-Http-vestibule.=1",
        "__Host-Http-vestibule_theme=1",
        "__Host-Http-vestibule2=1",
        "x__Host-Http-vestibule=1",
        "__Host-Http-vestibul%=1",
        "__Host-Http-vestibul\u{e9}=1",
        "theme=__Host-Http-vestibule",
        "theme=dark, light; list=a b c",
        "theme=a,__Host-Http-vestibule",
        "theme=x__Host-Http-vestibule=1",
        "theme==__Host-Http-vestibule=1",
        "theme=\"__Host-Http-vestibule=1\"",
        "theme= \"__Host-Http-vestibule=1, a\"",
        "theme=list:__Host-Http-vestibule=1",
        "consent=necessary,__Host-Http-vestibule,theme",
        "consent=necessary __Host-Http-vestibule",
        "theme=dark,__Host-Http-vestibule2=1",
        "theme=dark,__Host-Http-vestibule/x=1",
        "__Host-Http-vestibul%zz=1",
        "$Version=1",
        "_ga=GA1.2.1234567890.1700000000",
        "                        =1",
        "[[[[[[[[[[[[[[[[[[[[[[[[=1",
    ] {
        for line in [format!("{good}; {ordinary}"), format!("{ordinary}; {good}")] {
            assert_eq!(outcome(&cookies(&[&line])), SESSION_IN_COOKIE, "{line:?}");
        }
        assert_eq!(outcome(&cookies(&[ordinary])), Ok(None), "{ordinary:?}");
    }
}

/// What a browser is to forget is ended whole, whichever of them is one too many.
#[test]
fn every_cookie_of_our_name_is_found_to_be_ended() {
    let lines =
        cookies(&["a=1; __Host-Http-vestibule=x", "__host-http-vestibule=z; __Host-Http-vestibule=y"]);
    assert_eq!(cookie::every(&lines, &name()).collect::<Vec<_>>(), [b"x", b"y"]);
}

/// The time that one request of 16 KiB costs does not depend on what its cookies are made of.
#[test]
fn cookies_of_any_shape_are_read_in_linear_time() {
    for filler in [" ", "[", "_", "=", ",", "\"", "%5F", "+", "\u{2000}", ", ", " =", "_[", "a,=", "%u005F"] {
        let name = filler.repeat(16 * 1024 / filler.len());
        for line in [format!("{name}=1"), format!("{name}{name}"), format!("a={name}"), format!("={name}")] {
            let began = std::time::Instant::now();
            assert_eq!(outcome(&cookies(&[&line])), Ok(None), "{filler:?}");
            assert!(began.elapsed().as_millis() < 250, "{filler:?}: {:?}", began.elapsed());
        }
    }
}

#[test]
fn values_that_are_not_ours_are_refused_unread() {
    for value in [
        "",
        "x",
        "\"\"",
        &format!("\"{VALUE}\""),
        &format!("{VALUE}A"),
        &format!("{VALUE}="),
        &VALUE[1..],
        &format!(" {VALUE}"),
        &format!("{VALUE} "),
    ] {
        let lines = format!("__Host-Http-vestibule={value}");
        assert_eq!(outcome(&cookies(&[&lines])), Err(Reject::MalformedCredential), "{value:?}");
    }
}

#[test]
fn the_authorization_header_carries_one_bearer_credential() {
    let session = SessionToken::from_random([1; 32]).reveal_bearer();
    let cases: &[(&str, Outcome)] = &[
        (&format!("Bearer {session}"), Ok(Some((CredentialKind::Reference, Transport::Header)))),
        (&format!("bearer {session}"), Ok(Some((CredentialKind::Reference, Transport::Header)))),
        ("Bearer a.b.c", Ok(Some((CredentialKind::Value, Transport::Header)))),
        ("Basic YTpi", Err(Reject::UnknownScheme)),
        ("Negotiate a.b.c", Err(Reject::UnknownScheme)),
        ("Bearer", Err(Reject::MalformedCredential)),
        ("Bearer ", Err(Reject::MalformedCredential)),
        ("", Err(Reject::MalformedCredential)),
        ("Bearer  a.b.c", Err(Reject::MalformedCredential)),
        ("Bearer a.b.c, Bearer d.e.f", Err(Reject::MalformedCredential)),
        ("Bearer a.b.c d", Err(Reject::MalformedCredential)),
        (&format!("Bearer {VALUE}"), Err(Reject::MalformedCredential)),
        (&format!("Bearer {session}x"), Err(Reject::MalformedCredential)),
    ];
    for (value, expected) in cases {
        assert_eq!(outcome(&headers(&[("authorization", value.as_bytes())])), *expected, "{value:?}");
    }
}

/// HX-06: we never pick one of two.
#[test]
fn two_credentials_are_refused() {
    let session = format!("__Host-Http-vestibule={VALUE}");
    for value in ["Bearer a.b.c", &format!("Bearer {}", SessionToken::from_random([1; 32]).reveal_bearer())] {
        let both = headers(&[("cookie", session.as_bytes()), ("authorization", value.as_bytes())]);
        assert_eq!(outcome(&both), Err(Reject::TwoCredentials));
    }
    // Even one that we could not use, or not read: what it would mean to the service behind is not ours to guess.
    let basic = headers(&[("cookie", session.as_bytes()), ("authorization", b"Basic YTpi")]);
    assert_eq!(outcome(&basic), Err(Reject::TwoCredentials));
    let twice = headers(&[("authorization", b"Bearer a.b.c"), ("authorization", b"Bearer a.b.c")]);
    assert_eq!(outcome(&twice), Err(Reject::TwoCredentials));
}

/// An access token in its cookie is one credential among the others: never two, and never what it is not.
#[test]
fn access_tokens_in_their_cookie_are_credentials_where_there_is_such_a_cookie() {
    let access = CookieName::access("vestibule", Https::Yes).unwrap();
    let of = |pairs: &[(&str, &[u8])]| {
        present(&headers(pairs), &name(), Some(&access))
            .map(|presented| presented.map(|p| (p.credential.kind(), p.transport)))
    };
    let (jwt, session) = ("__Host-Http-vestibule_access=a.b.c", format!("__Host-Http-vestibule={VALUE}"));
    let in_cookie = Ok(Some((CredentialKind::Value, Transport::Cookie)));
    assert_eq!(of(&[("cookie", jwt.as_bytes())]), in_cookie);
    assert_eq!(
        of(&[("cookie", format!("a=1; {jwt}; __Host-Http-vestibule_refresh=x").as_bytes())]),
        in_cookie
    );
    assert_eq!(of(&[("cookie", session.as_bytes())]), SESSION_IN_COOKIE);
    // Where there is none, it is anybody's cookie.
    assert_eq!(outcome(&cookies(&[jwt])), Ok(None));
    // The one that buys new ones opens no door.
    assert_eq!(of(&[("cookie", b"__Host-Http-vestibule_refresh=a.b.c")]), Ok(None));

    for two in [format!("{jwt}; {session}"), format!("{session}; {jwt}")] {
        assert_eq!(of(&[("cookie", two.as_bytes())]), Err(Reject::TwoCredentials), "{two}");
    }
    for authorization in [&b"Bearer a.b.c"[..], b"Basic YTpi", b""] {
        let both: &[(&str, &[u8])] = &[("cookie", jwt.as_bytes()), ("authorization", authorization)];
        assert_eq!(of(both), Err(Reject::TwoCredentials));
    }
    for other in [
        "__Host-Http-vestibule_access=d.e.f",
        "__HOST-http-vestibule_access=d.e.f",
        "__Host-Http-vestibule_access =d.e.f",
    ] {
        for twice in [format!("{jwt}; {other}"), format!("{other}; {jwt}")] {
            assert_eq!(of(&[("cookie", twice.as_bytes())]), Err(Reject::AmbiguousCookie), "{twice}");
        }
    }
    for value in ["", "abc", "\"a.b.c\"", "a.b.c d", "a.b,c", VALUE, "a.b.c\u{e4}"] {
        let line = format!("__Host-Http-vestibule_access={value}");
        assert_eq!(of(&[("cookie", line.as_bytes())]), Err(Reject::MalformedCredential), "{value:?}");
    }
}

#[test]
fn cookie_names_follow_the_origin() {
    assert_eq!(name().as_str(), "__Host-Http-vestibule");
    assert_eq!(CookieName::session("vestibule", Https::No).unwrap().as_str(), "vestibule");
    assert_eq!(
        CookieName::pre_session("vestibule", Https::Yes).unwrap().as_str(),
        "__Host-Http-vestibule_pre"
    );
    for bad in ["", "a b", "a=b", "a;b", "\u{e4}", "A", "__Host-x\r\n"] {
        assert!(CookieName::session(bad, Https::Yes).is_err(), "{bad:?}");
    }
}

fn proxies() -> TrustedProxies {
    TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()])
}

fn target_of(pairs: &[(&str, &str)], peer: &str) -> Result<(String, String, String), Reject> {
    let pairs: Vec<(&str, &[u8])> = pairs.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let headers = headers(&pairs);
    let Target { method, host, path_and_query } =
        forwarded::target(&headers, peer.parse().unwrap(), &proxies())?;
    Ok((method.to_string(), host.to_owned(), path_and_query.to_owned()))
}

#[test]
fn both_dialects_name_the_same_target() {
    let expected = Ok(("POST".to_owned(), "app.test".to_owned(), "/orders/1?x=%2F".to_owned()));
    let nginx = [("x-original-method", "POST"), ("x-original-url", "https://app.test/orders/1?x=%2F")];
    let caddy = [
        ("x-forwarded-method", "POST"),
        ("x-forwarded-host", "app.test:443"),
        ("x-forwarded-uri", "/orders/1?x=%2F"),
        ("x-forwarded-proto", "https"),
    ];
    assert_eq!(target_of(&nginx, "127.0.0.1"), expected);
    assert_eq!(target_of(&caddy, "127.0.0.1"), expected);
    assert_eq!(target_of(&caddy, "::ffff:127.0.0.1"), expected);
    assert_eq!(target_of(&[&nginx[..], &caddy[..]].concat(), "127.0.0.1"), expected);
}

/// GW-03: what an untrusted peer forwards does not count; what a trusted one forwards must be whole and of one meaning.
#[test]
fn forwarded_targets_are_refused_when_untrusted_contradictory_or_incomplete() {
    let nginx = [("x-original-method", "GET"), ("x-original-url", "https://app.test/a")];
    assert_eq!(target_of(&nginx, "192.0.2.1"), Err(Reject::UntrustedPeer));
    let disagreeing: &[&[(&str, &str)]] = &[
        &[("x-forwarded-method", "GET"), ("x-forwarded-host", "app.test"), ("x-forwarded-uri", "/public")],
        &[("x-forwarded-method", "POST"), ("x-forwarded-host", "app.test"), ("x-forwarded-uri", "/a")],
        &[("x-forwarded-method", "GET"), ("x-forwarded-host", "evil.test"), ("x-forwarded-uri", "/a")],
        &[("x-forwarded-uri", "/a")],
        &[("x-forwarded-method", "GET")],
        &[("x-original-url", "https://app.test/a")],
        &[("x-original-method", "GET")],
    ];
    for more in disagreeing {
        assert_eq!(
            target_of(&[&nginx[..], more].concat(), "127.0.0.1"),
            Err(Reject::AmbiguousTarget),
            "{more:?}"
        );
    }
    for url in [
        "",
        "/a",
        "app.test/a",
        "https://app.test",
        "ftp://app.test/a",
        "https:///a",
        "https://a@b/c",
        "https://app.test:/a",
        "https://app.test:x/a",
        "https://app.testhttp://evil/a",
        "https://app test/a",
        "https://app.test./a",
        "https://[0:0:0:0:0:0:0:1]/a",
        "https://[::1/a",
        "https://[]/a",
        "https://[app.test]/a",
    ] {
        assert_eq!(
            target_of(&[("x-original-method", "GET"), ("x-original-url", url)], "127.0.0.1"),
            Err(Reject::AmbiguousTarget),
            "{url:?}"
        );
    }
    assert_eq!(target_of(&[], "127.0.0.1"), Err(Reject::AmbiguousTarget));
    assert_eq!(
        target_of(&[("x-original-method", "G ET"), nginx[1]], "127.0.0.1"),
        Err(Reject::AmbiguousTarget)
    );
}

#[test]
fn the_clients_address_is_the_nearest_hop_that_is_no_proxy_of_ours() {
    let client = |peer: &str, lines: &[&str]| {
        let pairs: Vec<(&str, &[u8])> =
            lines.iter().map(|line| ("x-forwarded-for", line.as_bytes())).collect();
        proxies().client(peer.parse().unwrap(), &headers(&pairs)).to_string()
    };
    assert_eq!(client("127.0.0.1", &["203.0.113.7"]), "203.0.113.7");
    assert_eq!(client("127.0.0.1", &["198.51.100.1, 203.0.113.7, 10.1.2.3"]), "203.0.113.7");
    assert_eq!(client("127.0.0.1", &["198.51.100.1", "203.0.113.7"]), "203.0.113.7");
    assert_eq!(client("192.0.2.9", &["203.0.113.7"]), "192.0.2.9");
    assert_eq!(client("127.0.0.1", &["203.0.113.7, nonsense"]), "127.0.0.1");
    assert_eq!(client("127.0.0.1", &["9.9.9.9", "\u{ff}, 203.0.113.7"]), "127.0.0.1");
    assert_eq!(client("127.0.0.1", &["9.9.9.9", "\u{ff}"]), "127.0.0.1");
    assert_eq!(client("127.0.0.1", &["203.0.113.7:5555"]), "203.0.113.7");
    assert_eq!(client("127.0.0.1", &["[2001:db8::1]:5555"]), "2001:db8::1");
    assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
}

/// Proxies write a hop in different ways; what is none of them is not read, nor is what stands before it.
#[test]
fn a_hop_is_read_in_every_form_that_proxies_write() {
    let client = |line: &str| {
        let headers = headers(&[("x-forwarded-for", line.as_bytes())]);
        proxies().client("127.0.0.1".parse().unwrap(), &headers).to_string()
    };
    for hop in [
        "2001:db8::1",
        "[2001:db8::1]",
        "[2001:db8::1]:443",
        "\"[2001:db8::1]\"",
        "\"[2001:db8::1]:443\"",
        "\"2001:db8::1\"",
        "[2001:DB8:0::1]",
        "2001:db8::1%eth0",
        "[2001:db8::1%eth0]:443",
        "[2001:db8::1%25eth0]",
        "for=\"[2001:db8::1]\"",
        "For=\"[2001:db8::1]:443\"",
    ] {
        assert_eq!(client(&format!("9.9.9.9, {hop} , 10.0.0.2")), "2001:db8::1", "{hop}");
    }
    for hop in
        ["\"203.0.113.7\"", "for=203.0.113.7", "\"203.0.113.7:80\"", "[::ffff:203.0.113.7]", "203.0.113.7:80"]
    {
        assert_eq!(client(&format!("9.9.9.9, {hop}")), "203.0.113.7", "{hop}");
    }
    for hop in [
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]x",
        "[2001:db8::1]:",
        "[2001:db8::1]:x",
        "[2001:db8::1]:70000",
        "[203.0.113.7]",
        "\"2001:db8::1",
        "for=unknown",
        "_hidden",
        "203.0.113.7%eth0",
        "",
        "\"",
        "for=",
    ] {
        assert_eq!(client(&format!("9.9.9.9, {hop}")), "127.0.0.1", "{hop}");
    }
}

#[test]
fn a_navigation_is_what_the_browser_says_or_else_a_get_that_takes_pages() {
    let is = |method: &Method, pairs: &[(&'static str, &'static str)]| {
        let headers = pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_navigation(method, &headers)
    };
    assert!(is(&Method::POST, &[("sec-fetch-mode", "navigate")]));
    assert!(is(&Method::GET, &[("accept", "application/xhtml+xml, Text/HTML;q=0.9")]));
    assert!(!is(&Method::GET, &[("sec-fetch-mode", "cors"), ("accept", "text/html")]));
    assert!(!is(&Method::POST, &[("accept", "text/html")]));
    assert!(!is(&Method::GET, &[("accept", "*/*")]));
    assert!(!is(&Method::GET, &[]));
}

#[test]
fn a_nameless_cookie_that_reads_like_ours_is_known_with_the_white_space_before_it() {
    let name = CookieName::session("vestibule", Https::Yes).unwrap();
    for pair in [
        "=__Host-Http-vestibule=x",
        " =__Host-Http-vestibule=x",
        "__Host-Http-vestibule",
        " \t=__host-http-vestibule",
    ] {
        assert!(name.resembles(pair.as_bytes()), "{pair}");
    }
    for pair in ["theme=__Host-Http-vestibule", " theme=__Host-Http-vestibule=x", " =theme=x", ""] {
        assert!(!name.resembles(pair.as_bytes()), "{pair}");
    }
}

#[test]
fn cookie_names_are_short_and_of_few_characters() {
    for good in ["v", "a-b_9", &"x".repeat(64)] {
        assert_eq!(CookieName::session(good, Https::No).unwrap().as_str(), good);
        assert_eq!(CookieName::session(good, Https::Yes).unwrap().as_str(), format!("__Host-Http-{good}"));
    }
    for bad in ["", "A", "a b", "a.b", "a=b", "a;b", "\u{e4}", "a\n", &"x".repeat(65)] {
        assert!(CookieName::session(bad, Https::No).is_err(), "{bad:?}");
        assert!(CookieName::session(bad, Https::Yes).is_err(), "{bad:?}");
    }
    assert!(CookieName::session("v", Https::Yes).unwrap().is_secure());
    assert!(!CookieName::session("v", Https::No).unwrap().is_secure());
}
