use super::*;

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
    ] {
        assert_eq!(ReturnTo::parse(good).map(|path| path.0).as_deref(), Some(good));
    }
    let longest = format!("/{}", "a".repeat(MAX_BYTES - 1));
    assert!(ReturnTo::parse(&longest).is_some());
    assert!(ReturnTo::parse(&(longest + "a")).is_none());
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
        "/#//x",
        "/a#b",
        "/a\\b",
        "/a?\\b",
        "/a?b\r\nSet-Cookie: x=y",
        "/a\r\nLocation: //evil.test",
        "/a?x=\u{0}",
        "/a?x=é",
        "/é",
        "/a b",
        "/a?a b",
        "/a?\"><script>",
        "/<script>",
        "/a?`",
        "/a|b",
        "/a^b",
        "/{a}",
        "/%41",
        "/a%2Eb",
        "/a?x#y",
        "/%2",
        "/%2x",
    ] {
        payloads.push(odd.to_owned());
    }
    payloads.sort();
    payloads.dedup();
    assert!(payloads.len() >= 200, "{}", payloads.len());
    for payload in payloads {
        assert_eq!(ReturnTo::parse(&payload), None, "{payload:?}");
    }
}

#[test]
fn a_wish_survives_being_handed_on() {
    let wish = ReturnTo::parse("/orders?page=2&sort=%2Fa%20b").unwrap();
    let handed = ReturnTo::handed_to(Some(&wish), "/auth/login");
    assert_eq!(handed, "/auth/login?return_to=/orders%3Fpage%3D2%26sort%3D%252Fa%2520b");
    assert_eq!(ReturnTo::from_query(handed.split_once('?').map(|(_, query)| query)), Some(wish));
    assert_eq!(ReturnTo::handed_to(None, "/auth/login"), "/auth/login");
    assert_eq!(ReturnTo::from_query(Some("return_to=/a&return_to=/b")), None);
    assert_eq!(ReturnTo::from_query(None), None);
}
