//! `[paths]`: what a prefix may be, and what it means for routes.

use super::*;

fn refused(paths: &str, path: &str, more: &str) -> String {
    let text = format!("[paths]\n{paths}\n[[route]]\npath = \"{path}\"\nrequire = \"public\"\n{more}");
    from(&text).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn the_prefix_is_auth_unless_another_is_named() {
    let settings = from("").unwrap();
    assert_eq!((settings.paths.prefix(), settings.paths.is_stripped()), ("/auth", false));
    let settings = from("[paths]\nprefix = \"/apps/sso\"\nstripped = true").unwrap();
    assert_eq!((settings.paths.prefix(), settings.paths.is_stripped()), ("/apps/sso", true));
}

#[test]
fn what_is_no_prefix_is_refused_with_the_reason() {
    for (prefix, why) in [
        ("", "\"\" does not begin with /"),
        ("sso", "\"sso\" does not begin with /; write it like \"/auth\""),
        ("/", "\"/\" would leave no path for the application"),
        ("/sso/", "\"/sso/\" ends in /; leave the last / out"),
        ("/a//b", "\"/a//b\" is not a plain path"),
        ("/a/../b", "\"/a/../b\" is not a plain path"),
        ("/a%62", "\"/a%62\" is not a plain path"),
        ("/.well-known", "\"/.well-known\" is under /.well-known, where no pages belong"),
        ("/.well-known/sso", "\"/.well-known/sso\" is under /.well-known"),
    ] {
        let said = refused(&format!("prefix = \"{prefix}\""), "/a/", "");
        assert!(said.starts_with(&format!("v.toml:2:1: paths.prefix: {why}")), "{prefix}: {said}");
    }
}

/// The error names both. What only begins with the same letters is the application's, and so is the default when it is not the prefix.
#[test]
fn no_route_is_at_or_below_the_prefix() {
    let sso = "prefix = \"/sso\"";
    for path in ["/sso", "/sso/", "/sso/x", "/sso/login", "/%73so/x"] {
        let said = refused(sso, path, "");
        let end = "is at or below paths.prefix (\"/sso\"), which is Vestibule's own";
        assert!(
            said.starts_with("v.toml:4:1: route[0].path: \"/sso") && said.ends_with(end),
            "{path}: {said}"
        );
    }
    for path in ["/", "/auth/", "/ssologin", "/sso-x/", "/a/sso/"] {
        assert_eq!(refused(sso, path, ""), "", "{path}");
    }
    assert!(refused("stripped = true", "/auth/x", "").contains("is at or below paths.prefix (\"/auth\")"));
    assert!(refused(sso, "/.well-known/jwks.json", "").contains("is a document of Vestibule's own"));
}

/// Every path that arrives is one of the pages then: nothing could be carried, and nothing is carried by accident.
#[test]
fn where_the_prefix_is_stripped_no_route_has_an_upstream() {
    let upstream = "upstream = \"http://127.0.0.1:9000\"";
    let said = refused("stripped = true", "/orders/", upstream);
    assert!(
        said.starts_with("v.toml:6:1: route[0].upstream: is not possible with paths.stripped = true: "),
        "{said}"
    );
    assert!(said.contains("have the proxy pass \"/orders/\" to the service itself"), "{said}");
    assert_eq!(refused("stripped = true", "/orders/", ""), "");
    assert_eq!(refused("stripped = false", "/orders/", upstream), "");
}
