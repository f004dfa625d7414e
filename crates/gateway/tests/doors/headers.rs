//! What passes the wall of headers in either direction, and what never does.

use vestibule_core::id::Subject;

use crate::app::{SESSION, SUBJECT};
use crate::wire::{Gate, OK, code, request, service, status, values};

/// Names that a service could believe, with whether we set them ourselves.
const PROTECTED: &[(&str, bool)] = &[
    ("authorization", true),
    ("x-auth-subject", true),
    ("x-auth-session", true),
    ("x-auth-department", true),
    ("x-csrf-token", true),
    ("shoe-size", true),
    ("x-forwarded-for", true),
    ("x-forwarded-host", true),
    ("x-forwarded-proto", true),
    ("x-forwarded-user", false),
    ("x-forwarded-email", false),
    ("x-forwarded-uri", false),
    ("x-forwarded-method", false),
    ("x-forwarded-prefix", false),
    ("x-forwarded-port", false),
    ("x-auth-request-user", false),
    ("x-authenticated-user", false),
    ("x-user-id", false),
    ("x-remote-user", false),
    ("x-real-ip", false),
    ("x-original-url", false),
    ("x-rewrite-url", false),
    ("x-ssl-client-verify", false),
    ("x-client-cert", false),
    ("x-http-method-override", false),
    ("x-webauth-user", false),
    ("client-cert-chain", false),
    ("remote-groups", false),
    ("remote-user", false),
    ("txn-token", false),
    ("forwarded", false),
];

const ALIASES: usize = 500;

/// Every name under this many spellings: case of each letter and `-`, `_` or `.` for each joint, by a fixed sequence.
fn aliases(name: &str) -> Vec<String> {
    let mut state = name
        .bytes()
        .fold(0x9E37_79B9_7F4A_7C15_u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(31));
    let mut draw = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut found = std::collections::BTreeSet::new();
    while found.len() < ALIASES.min(1 << name.len()) {
        let spell = |letter: char| match letter {
            '-' => ['-', '_', '.'][draw(3) as usize],
            letter if draw(2) == 0 => letter.to_ascii_uppercase(),
            letter => letter,
        };
        found.insert(name.chars().map(spell).collect());
    }
    found.into_iter().collect()
}

/// As a server folds names that hands them on as variables.
fn fold(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

fn folded_values<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let head = message.split("\r\n\r\n").next().unwrap();
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.filter(|(found, _)| fold(found) == name).map(|(_, value)| value.trim()).collect()
}

/// GW-01: however a client spells a name of ours, the service gets exactly our value, or none. CVE-2025-64484 and CVE-2026-39858
/// (an `X_Forwarded_User` that survived) are one row of this.
#[tokio::test]
async fn no_alias_of_a_protected_name_passes() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let cookie = gate.app.cookie();
    let mut tried = 0;
    for (name, is_ours) in PROTECTED {
        let spelled = aliases(name);
        assert!(spelled.len() >= ALIASES, "{name}");
        // Authorization has no joints: each spelling is the header itself, and two of it are refused before anything is carried.
        let is_credential = *name == "authorization";
        let (at_once, path) = if is_credential { (1, "/public/") } else { (50, "/orders/") };
        for some in spelled.chunks(at_once) {
            let mut headers: Vec<(&str, &str)> = some.iter().map(|alias| (&**alias, "evil")).collect();
            headers.push(("X-Harmless", "1"));
            // Beside our cookie it would be a second credential, and go nowhere.
            if !is_credential {
                headers.push(("Cookie", &*cookie));
            }
            let answer = gate.ask("GET", path, &headers).await;
            assert_eq!(status(&answer), 200, "{answer}");
            let request = seen.one();
            assert!(!request.contains("evil"), "{name}: {request}");
            assert_eq!(values(&request, "x-harmless"), ["1"]);
            let expected = usize::from(*is_ours && !is_credential);
            assert_eq!(folded_values(&request, name).len(), expected, "{name}: {request}");
            tried += some.len();
        }
    }
    assert!(tried >= PROTECTED.len() * ALIASES, "{tried} aliases reached the wall");
}

/// An operator's own name with `_` in it is folded by services, too: the client's `-` is its alias.
#[tokio::test]
async fn no_alias_of_an_operators_own_name_passes() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    for alias in ["Cost-Centre", "cost_centre", "COST.CENTRE", "Shoe_Size", "shoe-size"] {
        gate.get("/orders/", &[(alias, "evil")]).await;
        let request = seen.one();
        assert!(!request.contains("evil"), "{request}");
        assert_eq!((values(&request, "cost_centre"), values(&request, "shoe-size")), (vec![""], vec![""]));
    }
}

#[tokio::test]
async fn names_that_are_not_plain_never_pass_and_plain_ones_do_unchanged() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    // Not base64url, so that the JWT beside it never contains it.
    const ODD: &str = "o!d";
    let odd = [("x_anything", ODD), ("a.b", ODD), ("a~b", ODD), ("$x", ODD), ("Content_Length", ODD)];
    let plain = [
        ("Accept", "a, b"),
        ("Accept", "c"),
        ("X-Trace-Id", "1"),
        ("If-None-Match", "\"x\""),
        ("Origin", "null"),
    ];
    gate.get("/orders/", &[&odd[..], &plain].concat()).await;
    let request = seen.one();
    assert!(!request.contains(ODD), "{request}");
    assert_eq!(values(&request, "accept"), ["a, b", "c"]);
    assert_eq!(values(&request, "x-trace-id"), ["1"]);
    assert_eq!(values(&request, "if-none-match"), ["\"x\""]);
    assert_eq!(values(&request, "host"), ["app.test"]);
}

/// GW-02, CVE-2025-48865: a client cannot have our headers, or those that frame and address the request, removed on the way.
#[tokio::test]
async fn a_connection_header_cannot_name_what_is_not_the_clients() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let cookie = gate.app.cookie();
    let fixed = ["cookie", "host", "content-length", "content-type", "origin", "x-assertion"];
    for name in PROTECTED.iter().map(|(name, _)| *name).chain(fixed) {
        let upper = name.to_ascii_uppercase();
        let alias = name.replace('-', "_");
        let path = if name == "x-assertion" { "/elsewhere/" } else { "/public/" };
        for lines in [
            vec![format!("close, {name}")],
            vec![format!("{upper},close")],
            vec![format!("close,\t{name}\t, x")],
            vec!["close".to_owned(), upper.clone()],
            vec![format!(",,{alias},,"), "close".to_owned()],
        ] {
            let mut text = format!("GET {path} HTTP/1.1\r\nHost: app.test\r\nCookie: {cookie}\r\n");
            lines.iter().for_each(|line| text.push_str(&format!("Connection: {line}\r\n")));
            let answer = gate.send(text + "\r\n").await;
            assert_eq!((status(&answer), &*code(&answer)), (400, "request-ambiguous"), "{lines:?}");
            assert_eq!(seen.take(), [""; 0], "{lines:?}");
        }
    }
    for no_list in ["close, \"x\"", "close, a b", "close; x", "close, x\u{e9}"] {
        let answer = gate.ask("GET", "/public/", &[("Connection", no_list)]).await;
        assert_eq!(status(&answer), 400, "{no_list}");
    }
}

#[tokio::test]
async fn what_is_meant_for_one_hop_ends_here() {
    let (uri, seen) = service(|_| {
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, x-hop\r\nX-Hop: upstream\r\nKeep-Alive: timeout=upstream\r\n\
         Proxy-Authenticate: upstream\r\nTrailer: upstream\r\nX-End-To-End: 1\r\nContent-Length: 2\r\n\r\nok"
            .to_owned()
    })
    .await;
    let gate = Gate::before(&uri).await;
    // Not base64url, so that the JWT beside it never contains it.
    const HOP: &str = "h!p";
    let hops = [
        ("Connection", "x-mine"),
        ("X-Mine", HOP),
        ("Keep-Alive", HOP),
        ("Proxy-Authorization", HOP),
        ("Proxy-Connection", HOP),
        ("Proxy", HOP),
        ("TE", "trailers, h!p"),
        ("Trailer", HOP),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", HOP),
        ("X-Kept", "1"),
    ];
    let answer = gate.get("/orders/", &hops).await;
    let request = seen.one();
    assert!(!request.contains(HOP), "{request}");
    for gone in ["connection", "upgrade", "te", "trailer", "keep-alive", "http2-settings"] {
        assert_eq!(values(&request, gone), [""; 0], "{gone}: {request}");
    }
    assert_eq!(values(&request, "x-kept"), ["1"]);
    assert!(!answer.contains("upstream"), "{answer}");
    assert_eq!(values(&answer, "x-end-to-end"), ["1"]);
}

/// GW-03; CVE-2026-40575: the path that is decided about is the one that is asked for. GHSA-6384-m2mw-rf54: a forwarded prefix is
/// forwarded by nobody.
#[tokio::test]
async fn what_a_client_says_of_the_way_here_counts_for_nothing() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let spoofs = [
        ("X-Forwarded-Uri", "/public/"),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Prefix", "/public"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Original-URL", "https://app.test/public/"),
        ("X-Original-Method", "GET"),
        ("X-Rewrite-Url", "/public/"),
        ("Forwarded", "for=203.0.113.9;host=evil.test"),
        ("Via", "1.0 somebody"),
    ];
    for spoof in spoofs {
        assert_eq!(status(&gate.ask("GET", "/orders/", &[spoof]).await), 401, "{spoof:?}");
    }
    assert_eq!(seen.take(), [""; 0]);
    gate.get("/orders/", &spoofs).await;
    let request = seen.one();
    assert_eq!(values(&request, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&request, "x-forwarded-host"), ["app.test"]);
    assert_eq!(values(&request, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&request, "via"), ["1.0 somebody", "1.1 vestibule"]);
    for spoofed in ["203.0.113.9", "evil.test", "gopher", "/public"] {
        assert!(!request.contains(spoofed), "{spoofed}: {request}");
    }
}

/// HX-01: the session's secret and the page's proof stay outside.
#[tokio::test]
async fn neither_our_cookies_nor_the_csrf_token_reach_a_service() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let (cookie, csrf) = (gate.app.cookie(), gate.app.csrf());
    let pre = format!("__Host-Http-vestibule_pre={}", "P".repeat(43));
    let secret = cookie.split_once('=').unwrap().1;
    for (sent, passed) in [
        (format!("a=1; {cookie}; b=\"2\"; {pre}"), vec!["a=1; b=\"2\""]),
        (format!("{cookie};a = 1 ;;c"), vec!["a = 1 ;;c"]),
        (format!("a=1;{cookie}"), vec!["a=1"]),
        (cookie.clone(), vec![]),
        (format!("{pre}; {cookie}; __Host-theirs=3; vestibule=4"), vec!["__Host-theirs=3; vestibule=4"]),
    ] {
        let proof = [("Sec-Fetch-Site", "same-origin"), ("X-CSRF-Token", &*csrf)];
        let answer = gate.ask("POST", "/orders/", &[&[("Cookie", &*sent)][..], &proof].concat()).await;
        assert_eq!(status(&answer), 200, "{sent}");
        let request = seen.one();
        for canary in [secret, &csrf, "PPPP", "Host-Http"] {
            assert!(!request.contains(canary), "{canary}: {request}");
        }
        assert_eq!(values(&request, "cookie"), passed);
        assert_eq!(values(&request, "x-csrf-token"), [""], "an action gets no token for a page");
    }
    // Where the cookie counts for nothing, it still is a secret.
    let twice = format!("{cookie}; {}; z=1", cookie.to_uppercase());
    gate.ask("GET", "/public/", &[("Cookie", &twice)]).await;
    assert_eq!(values(&seen.one(), "cookie"), ["z=1"]);
    let bearer = gate.app.session_bearer();
    gate.ask("GET", "/orders/", &[("Authorization", &bearer)]).await;
    assert!(!seen.one().contains(&bearer[7..]));
}

#[tokio::test]
async fn a_page_gets_a_csrf_token_to_put_into_its_forms() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    gate.get("/orders/", &[]).await;
    let request = seen.one();
    let [token] = &*values(&request, "x-csrf-token") else { panic!("{request}") };
    let (cookie, token) = (gate.app.cookie(), (*token).to_owned());
    let proof = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin"), ("X-CSRF-Token", &token)];
    assert_eq!(status(&gate.ask("POST", "/orders/", &proof).await), 200);
}

/// GW-11 and HX-01: a service that echoes everything gives nothing away and takes nothing over.
#[tokio::test]
async fn a_service_can_neither_hand_out_the_jwt_nor_set_our_cookies() {
    let (uri, seen) = service(|request| {
        let bearer = values(request, "authorization").first().map_or("", |bearer| *bearer).to_owned();
        let jwt = bearer.trim_start_matches("Bearer ").to_owned();
        format!(
            "HTTP/1.1 200 OK\r\nAuthorization: {bearer}\r\nX-Echo: <{jwt}>\r\nX-Auth-Subject: evil\r\nX_Auth_Session: evil\r\n\
             Shoe-Size: evil\r\nSet-Cookie: __Host-Http-vestibule=evil; Path=/\r\nSet-Cookie: theirs=1; Path=/\r\n\
             Set-Cookie:  __HOST-http-vestibule =evil\r\nSet-Cookie: __Host-Http-vestibule_pre=evil\r\n\
             Set-Cookie: =__Host-Http-vestibule=evil\r\nSet-Cookie: leak={jwt}\r\nX-Exactly: {jwt}\r\nX-Fine: 1\r\nX-Long: {}\r\nContent-Length: 2\r\n\r\nok",
            "long".repeat(750)
        )
    })
    .await;
    let gate = Gate::before(&uri).await;
    let answer = gate.get("/orders/", &[]).await;
    let jwt = values(&seen.one(), "authorization")[0].trim_start_matches("Bearer ").to_owned();
    assert!(jwt.split('.').count() == 3 && jwt.len() > 100);
    assert!(!answer.contains(&jwt), "{answer}");
    assert!(!answer.contains("evil"), "{answer}");
    assert_eq!(values(&answer, "x-exactly"), [""; 0], "the JWT is the whole value");
    assert_eq!(values(&answer, "x-fine"), ["1"]);
    assert_eq!(values(&answer, "x-long").first().map(|long| long.len()), Some(3000), "long and harmless");
    assert_eq!(values(&answer, "set-cookie"), ["theirs=1; Path=/"]);
}

/// GW-07: by these headers a service has a server in front (nginx, Apache, lighttpd, H2O) fetch the answer from an address or a file
/// that nobody decided about. What only resembles them passes.
#[tokio::test]
async fn no_service_redirects_a_server_in_front_past_the_decision() {
    let (uri, _) = service(|_| {
        "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /planted/1\r\nX-Sendfile: /planted/2\r\nX-LIGHTTPD-send-file: /planted/3\r\n\
         X-Reproxy-URL: http://planted/4\r\nx-accel-REDIRECT: /planted/5\r\nX_Sendfile: /planted/6\r\n\
         X-Accel-Buffering: no\r\nX-Sendfile-Type: fine\r\nContent-Length: 2\r\n\r\nok"
            .to_owned()
    })
    .await;
    let gate = Gate::before(&uri).await;
    for answer in [gate.get("/orders/", &[]).await, gate.ask("GET", "/public/", &[]).await] {
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(!answer.contains("planted"), "{answer}");
        assert_eq!(values(&answer, "x-accel-buffering"), ["no"], "{answer}");
        assert_eq!(values(&answer, "x-sendfile-type"), ["fine"], "{answer}");
    }
}

/// GW-13: what one visitor was shown is not kept for the next, unless the service says so.
#[tokio::test]
async fn answers_to_someone_are_not_stored_unless_the_service_says_so() {
    let (uri, _) = service(|request| {
        let says = if request.contains("/says") { "Cache-Control: max-age=60\r\n" } else { "" };
        format!("HTTP/1.1 200 OK\r\n{says}Content-Length: 2\r\n\r\nok")
    })
    .await;
    let gate = Gate::before(&uri).await;
    assert_eq!(values(&gate.get("/orders/x.css", &[]).await, "cache-control"), ["no-store"]);
    assert_eq!(values(&gate.get("/public/", &[]).await, "cache-control"), ["no-store"]);
    assert_eq!(values(&gate.get("/orders/says", &[]).await, "cache-control"), ["max-age=60"]);
    assert_eq!(values(&gate.ask("GET", "/public/", &[]).await, "cache-control"), [""; 0]);
}

#[tokio::test]
async fn a_service_is_told_who_passes_and_verifies_it() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    gate.get("/orders/", &[]).await;
    let request = seen.one();
    let jwt = values(&request, "authorization")[0].strip_prefix("Bearer ").unwrap();
    let now = vestibule_core::port::Clock::now(&*gate.app.clock).unix_seconds();
    let claims = gate.app.services.verify_at(jwt, now).unwrap();
    assert_eq!(claims.sub().parse::<Subject>(), Ok(SUBJECT));
    assert_eq!(values(&request, "x-auth-subject"), [SUBJECT.to_string()]);
    assert_eq!(values(&request, "x-auth-session"), [SESSION.to_string()]);
    assert_eq!(values(&request, "x-auth-department"), ["R&D"]);
    assert_eq!(values(&request, "shoe-size"), [""]);
    let bearer = gate.app.session_bearer();
    gate.send(request_elsewhere(&bearer)).await;
    let request = seen.one();
    assert_eq!(values(&request, "authorization"), [""; 0]);
    assert!(values(&request, "x-assertion")[0].starts_with("Bearer ey"));
}

/// GW-01: headers of another route are nothing that a client may fill in here. A service that knows them finds them empty.
#[tokio::test]
async fn the_identity_headers_of_every_route_reach_a_service_empty() {
    let (uri, seen) = service(|_| {
        "HTTP/1.1 200 OK\r\nShoe-Size: 44\r\nX-Assertion: leaked\r\nContent-Length: 2\r\n\r\nok".to_owned()
    })
    .await;
    let gate = Gate::before(&uri).await;
    let claims = [("Shoe-Size", "evil"), ("Cost-Centre", "evil"), ("X-Assertion", "evil")];
    for claimed in [&[][..], &claims] {
        let answer = gate.ask("GET", "/bare/", claimed).await;
        assert_eq!(status(&answer), 200, "{answer}");
        let request = seen.one();
        assert!(!request.contains("evil"), "{request}");
        for name in ["x-auth-department", "shoe-size", "cost_centre"] {
            assert_eq!(values(&request, name), [""], "{name}: {request}");
        }
        // An empty credential is malformed (RFC 9110 section 11.4).
        assert_eq!(values(&request, "x-assertion"), [""; 0], "{request}");
        for name in ["shoe-size", "x-assertion"] {
            assert_eq!(values(&answer, name), [""; 0], "{answer}");
        }
    }
}

fn request_elsewhere(bearer: &str) -> String {
    request("GET", "/elsewhere/", &[("Authorization", bearer), ("X-Assertion", "evil")], "")
}
