//! Which headers of a client a route may let pass, and how plain copies of claims are written.

use super::*;

fn route(more: &str) -> Result<Settings, ConfigError> {
    from(&format!(
        "[[audience]]\nname = \"a\"\nclaims = {{ city = \"account.traits.city\" }}\n[[route]]\npath = \"/a/\"\naudience = \"a\"\n{more}"
    ))
}

#[test]
fn headers_that_may_pass_are_named_and_never_ours() {
    let passes = |names: &str| route(&format!("pass_headers = [{names}]"));
    let settings =
        passes("\"X-MS-Version\", \"x-ms-date\", \"x-user-agent\", \"x-http-method-override\"").unwrap();
    let names: Vec<&str> = settings.routes[0].pass_headers.iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["x-ms-version", "x-ms-date", "x-user-agent", "x-http-method-override"]);
    assert_eq!(settings.notes, [""; 0]);
    let notes = passes("\"x-webauth-user\"").unwrap().notes;
    assert!(
        notes[0].starts_with("warning: route[0] \"/a/\" lets x-webauth-user of the client pass"),
        "{notes:?}"
    );
    // What Azure App Service says of its visitor is in a family that says nothing else of who asks.
    for name in ["x-ms-client-principal", "x-ms-token-aad-id-token"] {
        let notes = passes(&format!("\"{name}\"")).unwrap().notes;
        assert!(notes[0].contains(&format!("lets {name} of the client pass")), "{notes:?}");
    }
    for (name, says) in [
        ("x-auth-subject", "tells the service who asks"),
        ("X-Auth-Anything", "tells the service who asks"),
        ("authorization", "tells the service who asks"),
        ("x-csrf-token", "tells the service who asks"),
        ("x-forwarded-for", "tells the service who asks"),
        ("forwarded", "tells the service who asks"),
        ("connection", "belongs to one connection"),
        ("proxy-authorization", "belongs to one connection"),
        ("te", "belongs to one connection"),
        ("cookie", "belongs to one connection"),
        ("x-original-url", "names another path or host"),
        ("x-rewrite-url", "names another path or host"),
        ("x-host", "names another path or host"),
        ("x_ms_version", "has a character that servers read in different ways"),
        ("a b", "is not a header name"),
        ("accept", "passes anyway"),
    ] {
        let said = refusal(passes(&format!("\"x-ms-date\", \"{name}\"")));
        assert!(said.contains(&format!("route[0].pass_headers[1]: \"{name}\" {says}")), "{said}");
    }
    let own = refusal(route("assertion_header = \"x-user-jwt\"\npass_headers = [\"X-User-JWT\"]"));
    assert!(own.contains("only Vestibule sets it"), "{own}");
    let copy = refusal(route("headers = { \"x-user-city\" = \"city\" }\npass_headers = [\"x-user-city\"]"));
    assert!(copy.contains("only Vestibule sets it"), "{copy}");
    // Every route's identity headers are of Vestibule's making on all routes.
    let elsewhere = "pass_headers = [\"x-user-city\"]\n[[route]]\npath = \"/b/\"\naudience = \"a\"\nheaders = { \"X-User-City\" = \"city\" }";
    let said = refusal(route(elsewhere));
    assert!(
        said.contains("route[0].pass_headers: \"x-user-city\" is an identity header of route[1]"),
        "{said}"
    );
    // A word for another method must not lead past what methods decide.
    let methods = "methods = [\"GET\"]\npass_headers = [\"x-http-method-override\"]";
    let said = refusal(route(methods));
    assert!(said.contains("names another method than the one that `methods` allows"), "{said}");
    let beside = "pass_headers = [\"x-method-override\"]\n[[route]]\npath = \"/a/\"\naudience = \"a\"\nmethods = [\"DELETE\"]";
    let said = refusal(route(beside));
    assert!(said.contains("route[0].pass_headers: \"x-method-override\" names another method"), "{said}");
}

#[test]
fn the_encoding_of_copies_is_one_of_three() {
    for encoding in ["drop", "percent", "utf-8"] {
        assert!(route(&format!("headers_encoding = \"{encoding}\"")).is_ok());
    }
    let said = refusal(route("headers_encoding = \"latin1\""));
    assert!(
        said.contains(
            "route[0].headers_encoding: \"latin1\" is not a choice; use \"drop\", \"percent\" or \"utf-8\""
        ),
        "{said}"
    );
}

#[test]
fn what_goes_to_the_service_of_the_clients_own_is_said() {
    let notes = |more: &str| route(more).unwrap().notes;
    let own = notes("accept = [\"session-cookie\"]\nassertion_header = \"x-jwt\"\ncsrf = \"origin\"");
    assert!(own[0].contains("the client's own Authorization goes to the service"), "{own:?}");
    assert!(own[1].contains("the client's X-CSRF-Token goes to the service"), "{own:?}");
    assert_eq!(notes("accept = [\"session-cookie\"]"), [""; 0]);
    assert_eq!(notes("assertion_header = \"x-jwt\""), [""; 0]);
}

#[test]
fn a_copy_has_one_name_that_means_nothing_else() {
    // Letter case makes no other header, and one copy would be lost.
    let twice = refusal(route("headers = { \"X-City\" = \"city\", \"x-city\" = \"city\" }"));
    assert!(twice.contains("route[0].headers.x-city: x-city is there twice"), "{twice}");
    for name in [
        "Set-Cookie",
        "content-length",
        "content-security-policy",
        "connection",
        "cookie",
        "host",
        "http2-settings",
        "location",
        "origin",
        "Proxy-Authorization",
        "sec-fetch-site",
        "te",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-accel-redirect",
        "x-auth-subject",
        "x-csrf-token",
        "x-forwarded-for",
        "X-Forwarded-Host",
        "x-forwarded-proto",
        "x-http-method-override",
        "x-original-url",
        "x-real-ip",
        "x-rewrite-url",
    ] {
        let copy = refusal(route(&format!("headers = {{ \"{name}\" = \"city\" }}")));
        assert!(copy.contains("already has a meaning of its own"), "{copy}");
        let assertion = refusal(route(&format!("assertion_header = \"{name}\"")));
        assert!(assertion.contains("already has a meaning of its own"), "{assertion}");
    }
    for name in ["x-auth-city", "x-forwarded-user", "x-forwarded-preferred-username", "remote-user", "city"] {
        let settings = route(&format!("headers = {{ \"{name}\" = \"city\" }}")).unwrap();
        assert_eq!(settings.routes[0].headers[0].0.as_str(), name);
    }
}
