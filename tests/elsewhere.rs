//! Ways to write another site where a path of ours is expected. In: our own host and port. Out: over 200 texts, each once.

/// What stands before a host, for somebody who reads URLs by rules of their own.
const SLASHES: [&str; 42] = [
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
    "\t//",
    " //",
    "/ /",
    "/%00/",
    "/%09/",
    "/%0a/",
    "/%0d%0a/",
    "/./",
    "/..//",
    "/.//",
    "/%2e/",
    "/%2e%2e//",
    "/.%2e//",
    "/;/",
    "/;//",
    "/a/..//",
    "/\u{2044}/",
    "/\u{ff0f}/",
    "\u{ff0f}\u{ff0f}",
    "/\u{a0}/",
    "/%c0%af/",
    "/%e0%80%af/",
    "/%u002f",
    "//%20",
    "/\\\t/",
    "/?//",
];

const SCHEMES: [&str; 14] = [
    "http:",
    "https:",
    "HtTpS:",
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "data:",
    "vbscript:",
    "file:",
    "blob:",
    "about:",
    "ws:",
    "mailto:",
    "view-source:",
];

/// All of them.
pub(crate) fn elsewhere(ours: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for slashes in SLASHES {
        for host in ["evil.test", "evil.test/%2f..", &format!("{ours}@evil.test"), "[::1]"] {
            all.push(format!("{slashes}{host}"));
        }
    }
    for scheme in SCHEMES {
        for rest in ["evil.test", "//evil.test", "///evil.test", "\\\\evil.test", "alert(1)"] {
            all.push(format!("{scheme}{rest}"));
        }
    }
    for userinfo in ["@evil.test", ":80@evil.test", "%40evil.test", ".evil.test", "evil.test"] {
        all.push(format!("http://{ours}{userinfo}"));
        all.push(format!("//{ours}{userinfo}"));
    }
    let odd = [
        "",
        ".",
        "..",
        "?",
        "#",
        "evil.test",
        ":80",
        "/#//evil.test",
        "/a\\b",
        "/a?\\b",
        "/a?b\r\nSet-Cookie: x=y",
        "/a\r\nLocation: //evil.test",
        "/a%0d%0aLocation:%20//evil.test",
        "/\"><script>alert(1)</script>",
        "/'onmouseover=alert(1)",
        "/a b",
        "/\u{202e}tset.live",
        "/a\u{0}b",
        "//evil\u{3002}test",
        "//xn--evl-5ma.test",
        "/auth/login?return_to=//evil.test",
        "/auth/logout?return_to=https://evil.test",
        "///evil.test/..",
        "/https://evil.test",
        "/%68ttps://evil.test",
        "//0x7f000001",
        "//2130706433",
        "//[::ffff:127.0.0.1]",
    ];
    all.extend(odd.map(str::to_owned));
    all.sort();
    all.dedup();
    all
}
