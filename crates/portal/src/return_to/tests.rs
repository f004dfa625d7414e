use super::*;

const ORIGIN: &str = "https://app.test";

fn parse(text: &str) -> Option<ReturnTo> {
    ReturnTo::parse(text, ORIGIN)
}

#[test]
fn paths_of_ours_are_taken_as_they_are() {
    for good in [
        "/",
        "/orders/",
        "/orders/7",
        "/orders?page=2&sort=-date",
        "/a%20b/caf%C3%A9",
        "/a?next=https://other.example/x",
        "/a?q=%2F%2F",
        "/a?",
        "/auth/account",
        "/@ada/~x/a,b+c=d!$&'()*:",
        "/file.tar.gz",
        "/.well-known/x",
        "/a?x=1?y=2",
        // Another spelling of a path of ours (RFC 3986 section 6.2.2.2) is one all the same.
        "/%41",
        "/a%2Eb",
    ] {
        assert_eq!(parse(good).map(|path| path.0).as_deref(), Some(good));
    }
    let longest = format!("/{}", "a".repeat(LONGEST - 1));
    assert!(parse(&longest).is_some());
    assert!(parse(&(longest + "a")).is_none());
}

/// AU-11. Every way of writing "another host" behind every way of writing the first slashes.
#[test]
fn ways_to_another_origin_are_refused() {
    let mut payloads: Vec<String> = Vec::new();
    let slashes = [
        "//",
        "///",
        "////",
        "/\\",
        "\\/",
        "\\\\",
        "/%2f",
        "/%2F",
        "%2f%2f",
        "%2F/",
        "/%5c",
        "/%5C",
        "%5c%5c",
        "/%252f",
        "%252f%252f",
        "/\t/",
        "/\n/",
        "/\r/",
        "/\r\n/",
        "\t//",
        " //",
        "/ /",
        "/\u{0}/",
        "/%00/",
        "/%09/",
        "/%0a/",
        "/%0d/",
        "/%0d%0a/",
        "/./",
        "/../",
        "/.//",
        "/..//",
        "/%2e/",
        "/%2e%2e/",
        "/.%2e/",
        "/;/",
        "/%3b/",
        "/a/..//",
        "/\u{2044}/",
        "/\u{ff0f}/",
        "\u{ff0f}\u{ff0f}",
        "/\u{3002}/",
        "/\u{a0}/",
        "/%c0%af/",
        "/%e0%80%af/",
        "/%u002f",
        "/%",
        "//%20",
        "/\\\t/",
    ];
    for slash in slashes {
        for host in ["evil.test", "evil.test/%2f..", "app.test@evil.test", "[::1]"] {
            payloads.push(format!("{slash}{host}"));
        }
    }
    for scheme in [
        "http:",
        "https:",
        "HtTpS:",
        "javascript:",
        "data:",
        "vbscript:",
        "file:",
        "blob:",
        "about:",
        "ws:",
        "mailto:",
    ] {
        for rest in ["evil.test", "/evil.test", "//evil.test", "///evil.test", "\\\\evil.test", "alert(1)"] {
            payloads.push(format!("{scheme}{rest}"));
        }
    }
    for odd in [
        "",
        ".",
        "..",
        "?",
        "#",
        "@evil.test",
        "evil.test",
        "evil.test/",
        "app.test.evil.test",
        ":80",
        "/a\\b",
        "/a?b\r\nSet-Cookie: x=y",
        "/a\r\nLocation: //evil.test",
        "/a?x=\u{0}",
        "/a?x=é",
        "/é",
        "/a b",
        "/a?a b",
        "/%2",
        "/%2x",
    ] {
        payloads.push(odd.to_owned());
    }
    payloads.sort();
    payloads.dedup();
    assert!(payloads.len() >= 200, "{}", payloads.len());
    for payload in payloads {
        assert_eq!(parse(&payload), None, "{payload:?}");
    }
}

/// What browsers send in a link and proxies or older programs do not take is kept, escaped.
#[test]
fn odd_characters_of_real_links_are_kept_escaped() {
    for (asked, kept) in [
        ("/a?q=`x`", "/a?q=%60x%60"),
        ("/a?path=C:\\dir\\file", "/a?path=C:%5Cdir%5Cfile"),
        ("/a?q=a|b", "/a?q=a%7Cb"),
        ("/a?q={\"a\":[1]}", "/a?q=%7B%22a%22:[1]%7D"),
        ("/a?<b>^", "/a?%3Cb%3E%5E"),
        ("/a|b", "/a%7Cb"),
        ("/{a}/^", "/%7Ba%7D/%5E"),
        ("/a?\"><script>", "/a?%22%3E%3Cscript%3E"),
    ] {
        assert_eq!(parse(asked).as_ref().map(ReturnTo::as_str), Some(kept), "{asked}");
    }
}

#[test]
fn a_fragment_is_kept_and_a_bad_one_is_dropped_alone() {
    let long = "a".repeat(LONGEST);
    for (asked, kept) in [
        ("/a#b", "/a#b"),
        ("/a?x#y", "/a?x#y"),
        ("/#//x", "/#//x"),
        ("/a#!/view?id=1", "/a#!/view?id=1"),
        ("/a#x|`\"#", "/a#x%7C%60%22%23"),
        ("/a#", "/a#"),
        ("/a?b#c d", "/a?b"),
        ("/a#\r\nSet-Cookie: x=y", "/a"),
        ("/a#\u{e9}", "/a"),
        (&*format!("/a#{long}"), "/a"),
    ] {
        assert_eq!(parse(asked).as_ref().map(ReturnTo::as_str), Some(kept), "{asked:?}");
    }
    // What the fragment hides is no excuse for the path.
    assert_eq!(parse("//evil.test#/a"), None);
    assert_eq!(parse("#/a"), None);
}

/// AU-11: our own origin may be written out, as reverse proxies do; nothing that only begins like it.
#[test]
fn an_absolute_url_of_our_origin_is_a_path_of_ours() {
    for (asked, kept) in [
        ("https://app.test/orders?a=1#b", "/orders?a=1#b"),
        ("HTTPS://App.Test/", "/"),
        ("https://app.test", "/"),
        ("https://app.test?a", "/?a"),
        ("https://app.test#a", "/#a"),
        ("https://app.test:443/orders", "/orders"),
        ("https://APP.test:443", "/"),
        ("https://app.test:443?a", "/?a"),
    ] {
        assert_eq!(parse(asked).as_ref().map(ReturnTo::as_str), Some(kept), "{asked}");
    }
    for other in [
        "http://app.test/",
        "https://app.test.evil.test/",
        "https://app.test@evil.test/",
        "https://app.test:8443/",
        "https://app.test:80/",
        "https://app.test:4430/",
        "https://app.test:443:443/",
        "https://app.test:443@evil.test/",
        "https://app.test:443//evil.test",
        "https://app.test:443.evil.test/",
        "https://app.test:@evil.test/",
        "https://app.test:443\\@evil.test/",
        "https://app.test%2f@evil.test/",
        "https://app.test;evil.test/",
        "https://app.test\t.evil.test/",
        "https:/app.test/",
        "https:\\\\app.test/",
        "https://ada@app.test/",
        " https://app.test/",
        "https://app.test//evil.test",
        "https://app.test/\\evil.test",
        "https://app.test\\evil.test",
        "https://app.testhttps://app.test/",
        "https://app.tes",
        "https:app.test/",
        "//app.test/",
    ] {
        assert_eq!(parse(other), None, "{other}");
    }
    let of = |text: &str, origin: &str| ReturnTo::parse(text, origin).map(|path| path.0);
    for (origin, ours, others) in [
        ("http://app.test", "http://app.test:80/a", ["http://app.test:443/a", "https://app.test/a"]),
        (
            "https://app.test:8443",
            "HTTPS://app.test:8443/a",
            ["https://app.test/a", "https://app.test:8443:443/a"],
        ),
        ("http://[::1]", "http://[::1]:80/a", ["http://[::1]:8080/a", "http://[::1]80/a"]),
        ("http://[::1]:8080", "http://[::1]:8080/a", ["http://[::1]/a", "http://[::1]:8080:80/a"]),
    ] {
        assert_eq!(of(ours, origin).as_deref(), Some("/a"));
        for other in others {
            assert_eq!(of(other, origin), None, "{other} at {origin}");
        }
    }
}

/// 1,150 commas are a link like any other; escaped, they would burst a proxy's buffer, and the answer with them.
#[test]
fn what_is_bounded_is_the_encoded_way_back() {
    assert_eq!(parse(&format!("/a?ids={}", "1,".repeat(700))), None);
    assert!(parse(&format!("/a?ids={}", "1,".repeat(400))).is_some());
}

#[test]
fn a_wish_survives_being_handed_on() {
    let wish = parse("/orders?page=2&sort=%2Fa%20b").unwrap();
    let handed = ReturnTo::handed_to(Some(&wish), "/auth/login");
    assert_eq!(handed, "/auth/login?return_to=/orders%3Fpage%3D2%26sort%3D%252Fa%2520b");
    let form = Form::parse(handed.split_once('?').unwrap().1.as_bytes()).ok().unwrap();
    assert_eq!(parse(form.field(RETURN_TO)), Some(wish));
    assert_eq!(ReturnTo::handed_to(None, "/auth/login"), "/auth/login");
}
