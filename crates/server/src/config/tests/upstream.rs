//! Where a route may send requests: to a service, and never to Vestibule's own listeners.

use super::*;

fn route(public: &str, internal: &str, upstream: &str) -> Result<Settings, ConfigError> {
    let beyond = !internal.starts_with("127.") && !internal.starts_with("[::1]");
    from(&format!(
        "public_url = \"https://app.test\"\n[listen]\npublic = \"{public}\"\ninternal = \"{internal}\"\n\
         danger_internal_beyond_loopback = {beyond}\n\
         [[route]]\npath = \"/metrics\"\nrequire = \"public\"\nupstream = \"{upstream}\""
    ))
}

/// GW-01: the internal listener trusts this machine, so the public one must not lead there; and one that leads to itself has no end.
#[test]
fn an_upstream_is_none_of_our_listeners() {
    let said = refusal(route("127.0.0.1:8080", "127.0.0.1:8081", "http://127.0.0.1:8081"));
    assert_eq!(
        said,
        "v.toml:9:1: route[0].upstream: \"http://127.0.0.1:8081\" is Vestibule itself: it reaches `listen.internal` \
         (127.0.0.1:8081); write the address of the service, or move that listener to another port"
    );
    for (public, internal, upstreams) in [
        (
            "127.0.0.1:8080",
            "127.0.0.1:8081",
            &[
                "http://127.0.0.1:8080",
                "http://localhost:8081",
                "http://LOCALHOST:8081/",
                "http://app.localhost:8081",
                "http://0.0.0.0:8081",
                "http://0:8081",
                "http://127.1:8081",
                "http://0x7f000001:8081",
                "http://[::]:8081",
                "http://[::ffff:127.0.0.1]:8081",
                "http://[::ffff:0.0.0.0]:8081",
            ][..],
        ),
        ("[::1]:8080", "127.0.0.1:8081", &["http://[::1]:8080", "http://localhost:8080", "http://[::]:8080"]),
        (
            "0.0.0.0:8080",
            "127.0.0.1:8081",
            &["http://127.0.0.1:8080", "http://127.9.9.9:8080", "http://0.0.0.0:8080"],
        ),
        (
            "127.0.0.1:8080",
            "[::]:8081",
            &[
                "http://127.0.0.2:8081",
                "http://[::1]:8081",
                "http://localhost:8081",
                "http://[::ffff:127.3.0.1]:8081",
            ],
        ),
        (
            "192.0.2.7:80",
            "127.0.0.1:8081",
            &["http://192.0.2.7", "http://192.0.2.7:80", "http://[::ffff:192.0.2.7]"],
        ),
    ] {
        for upstream in upstreams {
            let said = refusal(route(public, internal, upstream));
            assert!(
                said.contains("is Vestibule itself: it reaches `listen."),
                "{public} {internal} {upstream}: {said}"
            );
        }
    }
}

#[test]
fn an_upstream_beside_our_listeners_is_a_service() {
    for (public, internal, upstream) in [
        ("127.0.0.1:8080", "127.0.0.1:8081", "http://127.0.0.1:8082"),
        ("127.0.0.1:8080", "127.0.0.1:8081", "http://127.0.0.2:8081"),
        ("127.0.0.1:8080", "127.0.0.1:8081", "http://[::1]:8081"),
        ("127.0.0.1:8080", "127.0.0.1:8081", "http://192.0.2.7:8081"),
        ("0.0.0.0:8080", "127.0.0.1:8081", "http://192.0.2.7:8080"),
        ("192.0.2.7:8080", "127.0.0.1:8081", "http://localhost:8080"),
        ("127.0.0.1:8080", "127.0.0.1:8081", "http://orders:8081"),
        ("127.0.0.1:0", "127.0.0.1:0", "http://127.0.0.1:80"),
    ] {
        let settings =
            route(public, internal, upstream).unwrap_or_else(|error| panic!("{upstream}: {error}"));
        assert!(settings.routes[0].upstream.is_some());
    }
}
