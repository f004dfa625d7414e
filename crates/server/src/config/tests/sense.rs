//! Configurations that were called right and could not work, and those in which something else may be meant.

use super::super::warnings;
use super::{each_is_refused, from};

#[test]
fn what_cannot_work_is_refused_in_so_many_words() {
    let cases: &[(&str, &str)] = &[
        (
            "registration = true",
            "v.toml:1:16: registration: is of the wrong kind; use \"closed\" or \"open\"",
        ),
        (
            "[[route]]\npath = \"/a\"\ncsrf = false",
            "v.toml:3:8: route[0].csrf: invalid type: boolean `false`, expected a string; use \"token\", \"origin\" or \"off\"",
        ),
        (
            "[[route]]\npath = \"/a\"\naccept = [true]",
            "v.toml:3:11: route[0].accept[0]: invalid type: boolean `true`, expected a string; use \"session-cookie\", \"session-header\", \"token-cookie\" or \"token-header\"",
        ),
        (
            "[tokens]\nalgorithm = 256",
            "v.toml:2:13: tokens.algorithm: invalid type: integer `256`, expected a string; use \"ES256\", \"EdDSA\", \"RS256\" or \"PS256\"",
        ),
        (
            "registration = \"open\"\n\nregistration = \"closed\"",
            "v.toml:3:1: registration: is set twice; it is set before at v.toml:1:1",
        ),
        (
            "[sessions]\nidle = \"30m\"\n# why\nidle = \"40m\"",
            "v.toml:4:1: sessions.idle: is set twice; it is set before at v.toml:2:1",
        ),
        (
            "[[route]]\npath = \"/a\"\n[[route]]\npath = \"/b\"\npath = \"/c\"",
            "v.toml:5:1: route[1].path: is set twice; it is set before at v.toml:4:1",
        ),
        (
            "[tokens]\nrefresh = { idle = \"1d\", idle = \"2d\" }",
            "v.toml:2:26: tokens.refresh.idle: is set twice; it is set before at v.toml:2:13",
        ),
        (
            "[listen]\npublic = \"127.0.0.1:1\"\n[keys]\n[listen]\ninternal = \"127.0.0.1:2\"",
            "v.toml:4:2: listen: is set twice; it is set before at v.toml:1:2",
        ),
        (
            "[listen]\npublic = \"127.0.0.1:8081\"",
            "v.toml:1:2: listen.internal: 127.0.0.1:8081 is the port of `listen.public` (127.0.0.1:8081)",
        ),
        (
            "public_url = \"https://a.test\"\n[listen]\npublic = \"0.0.0.0:8080\"\ninternal = \"127.0.0.1:8080\"",
            "v.toml:4:1: listen.internal: 127.0.0.1:8080 is the port of `listen.public` (0.0.0.0:8080)",
        ),
        (
            "[[route]]\npath = \"/orders/*\"\nrequire = \"public\"",
            "v.toml:2:1: route[0].path: \"/orders/*\" has a *, which covers nothing but itself; end the path in /",
        ),
        (
            "[[route]]\npath = \"/orders/{id}\"\nrequire = \"public\"",
            "v.toml:2:1: route[0].path: \"/orders/{id}\" has a {, which covers nothing but itself",
        ),
        (
            "public_url = \"https://a.test\"\n[[audience]]\nname = \"o\"\n[[route]]\npath = \"/\"\naudience = \"o\"\nhost = \"b.test\"\naccept = [\"session-cookie\"]",
            "v.toml:7:1: route[0].host: is not the host of `public_url` (a.test)",
        ),
        (
            "public_url = \"https://*.example.com\"",
            "v.toml:1:1: public_url: \"https://*.example.com\" is not an origin",
        ),
        (
            "public_url = \"https://app[::1]:443\"",
            "v.toml:1:1: public_url: \"https://app[::1]:443\" is not an origin",
        ),
        (
            "public_url = \"https://a.test:0\"",
            "v.toml:1:1: public_url: \"https://a.test:0\" is not an origin",
        ),
        ("[listen]\npublic = \"127.0.0.1:0\"", "v.toml: public_url: is missing: the system chooses the port"),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nhost = \"*.a.test\"",
            "v.toml:4:1: route[0].host: \"*.a.test\" is not a host",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nhost = \"a..b\"",
            "v.toml:4:1: route[0].host: \"a..b\" is not a host",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nupstream = \"http://a..b:9000\"",
            "v.toml:4:1: route[0].upstream: \"http://a..b:9000\" names no host or port that can be",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nupstream = \"http://a:0\"",
            "v.toml:4:1: route[0].upstream: \"http://a:0\" names no host or port that can be",
        ),
        (
            "[trusted_proxies]\nforward_auth = [\"::ffff:0:0/96\"]",
            "v.toml:2:17: trusted_proxies.forward_auth[0]: \"::ffff:0:0/96\" is everyone",
        ),
    ];
    each_is_refused(cases);
}

/// A peer that comes over an IPv6 socket is compared as the IPv4 address that it is, and so are networks.
#[test]
fn mapped_networks_are_ipv4_networks() {
    let settings = from(
        "[trusted_proxies]\npublic = [\"::ffff:10.0.0.0/104\", \"::ffff:192.0.2.7\", \"2001:db8::/32\"]",
    )
    .unwrap();
    let networks: Vec<String> = settings.public_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
    let proxies = vestibule_core::wire::forwarded::TrustedProxies::new(settings.public_proxies);
    for (peer, is_one) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("::ffff:192.0.2.7", true),
        ("192.0.2.7", true),
        ("::ffff:11.0.0.1", false),
        ("192.0.2.8", false),
        ("2001:db8::1", true),
    ] {
        assert_eq!(proxies.trusts(peer.parse().unwrap()), is_one, "{peer}");
    }
}

/// A port is taken once for each family of addresses; `[::]` takes both.
#[test]
fn listeners_of_two_families_may_have_one_port() {
    let listening = |public: &str, internal: &str| {
        from(&format!(
            "public_url = \"https://a.test\"\n[listen]\npublic = \"{public}:8080\"\ninternal = \"{internal}:8080\""
        ))
    };
    for (public, internal) in [("0.0.0.0", "[::1]"), ("127.0.0.1", "[::1]"), ("[::1]", "127.0.0.1")] {
        assert!(listening(public, internal).is_ok(), "{public} {internal}");
    }
    for (public, internal) in [("[::]", "127.0.0.1"), ("[::]", "[::1]"), ("0.0.0.0", "127.0.0.1")] {
        assert!(listening(public, internal).is_err(), "{public} {internal}");
    }
}

#[test]
fn hosts_are_kept_as_browsers_send_them() {
    let route = |host: &str| {
        let text = format!("[[route]]\npath = \"/a\"\nrequire = \"public\"\nhost = \"{host}\"");
        from(&text).map(|settings| settings.routes[0].host.clone().unwrap())
    };
    assert_eq!(route("App.Example.com").unwrap(), "app.example.com");
    assert_eq!(route("b\u{FC}cher.example").unwrap(), "xn--bcher-kva.example");
    assert_eq!(route("[0::1]").unwrap(), "[::1]");
    assert!(route("app.example.com:80").is_err() && route("app.example.com:8080").is_err());
}

#[test]
fn what_may_be_a_slip_is_warned_of() {
    let said = |text: &str| warnings(&from(text).unwrap());
    assert!(said("")[0].starts_with("route: there is none"), "{:?}", said(""));
    let audience =
        "public_url = \"https://a.test\"\n[[audience]]\nname = \"o\"\n[[route]]\naudience = \"o\"\n";
    assert_eq!(said(&format!("{audience}path = \"/\"\nhost = \"a.test\"")), Vec::<String>::new());
    let elsewhere = said(&format!("{audience}path = \"/\"\nhost = \"b.test\""));
    assert!(
        elsewhere[0].starts_with("route[0].host: \"b.test\" is not the host of `public_url`"),
        "{elsewhere:?}"
    );
    let programs = format!("{audience}path = \"/\"\nhost = \"b.test\"\naccept = [\"token-header\"]");
    assert_eq!(said(&programs), Vec::<String>::new());
    let variable = said(&format!("{audience}path = \"/orders/:id\""));
    assert!(variable[0].starts_with("route[0].path: \"/orders/:id\" covers that very text"), "{variable:?}");
}
