//! Headers that want something.

use serde_json::json;

use super::{Forge, Hostile, hostile, text};

pub(super) fn tokens(forge: &Forge) -> Vec<Hostile> {
    let mut list = key_ids(forge);
    list.extend(keys_brought_along(forge));
    list.extend(extensions(forge));
    list.extend(kinds(forge));
    list.extend(bad_json(forge));
    list
}

/// Key ids that somebody once put into a path, a query or a log.
fn key_ids(forge: &Forge) -> Vec<Hostile> {
    let own = &forge.key_id;
    let unknown = [
        "../../dev/null",
        "file:///dev/null",
        "' OR 1=1 --",
        "'; DROP TABLE keys; --",
        "x\r\nX-Auth-Subject: admin",
        "${jndi:ldap://127.0.0.1/x}",
        "$(id)",
        "\u{0}",
        "*",
        "0",
    ]
    .map(str::to_owned);
    let near = [format!("{own} "), format!(" {own}"), format!("{own}\0"), own.to_uppercase() + "x"];
    let mut list: Vec<Hostile> = unknown
        .into_iter()
        .chain(near)
        .map(|kid| {
            let header = forge.header_with("kid", json!(kid));
            hostile(format!("kid {kid:?}"), forge.sign(&header, &forge.claims), "key-unknown")
        })
        .collect();
    let mut header = forge.header();
    header.remove("kid");
    list.push(hostile("kid missing", forge.sign(&header, &forge.claims), "header-missing"));
    let cases = [
        ("null", json!(null), "header-type"),
        ("a number", json!(1), "header-type"),
        ("a list", json!([own]), "header-type"),
        ("empty", json!(""), "header-range"),
        ("129 characters", json!("k".repeat(129)), "header-range"),
        ("10 kB", json!("k".repeat(10_000)), "too-large"),
    ];
    for (name, kid, code) in cases {
        let jwt = forge.sign(&forge.header_with("kid", kid), &forge.claims);
        list.push(hostile(format!("kid is {name}"), jwt, code));
    }
    list
}

/// A key in the header, or the address of one (CVE-2018-0114 and its relatives).
fn keys_brought_along(forge: &Forge) -> Vec<Hostile> {
    let jwk = forge.signer.public_jwk();
    let local = "http://127.0.0.1:9/keys.json";
    let members = [
        ("jwk", jwk.clone()),
        ("jwk", json!(null)),
        ("jku", json!(local)),
        ("jku", json!("file:///etc/passwd")),
        ("x5u", json!(local)),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("dGh1bWI")),
        ("x5t#S256", json!("dGh1bWI")),
    ];
    let mut list: Vec<Hostile> = members
        .iter()
        .enumerate()
        .map(|(at, (member, value))| {
            let header = forge.header_with(member, value.clone());
            hostile(
                format!("{member} in the header ({at})"),
                forge.sign(&header, &forge.claims),
                "key-in-header",
            )
        })
        .collect();
    // The real attack: no kid, the attacker's own key embedded, signed with it.
    let mut header = forge.header_with("jwk", jwk);
    header.remove("kid");
    list.push(hostile("jwk instead of kid", forge.sign(&header, &forge.claims), "key-in-header"));
    list
}

/// Extensions a verifier would have to understand.
fn extensions(forge: &Forge) -> Vec<Hostile> {
    let crit = [
        json!(["exp"]),
        json!(["alg"]),
        json!([]),
        json!(["b64"]),
        json!(["http://example.com/unknown"]),
        json!(["unknown", "unknown"]),
        json!("exp"),
        json!(null),
    ];
    let mut list: Vec<Hostile> = crit
        .into_iter()
        .map(|crit| {
            let name = format!("crit {crit}");
            let mut header = forge.header_with("crit", crit);
            header.insert("unknown".to_owned(), json!(true));
            hostile(name, forge.sign(&header, &forge.claims), "crit")
        })
        .collect();
    for value in [json!(false), json!(true)] {
        let header = forge.header_with("b64", value.clone());
        list.push(hostile(format!("b64 {value}"), forge.sign(&header, &forge.claims), "b64"));
    }
    let mut header = forge.header_with("b64", json!(false));
    header.insert("crit".to_owned(), json!(["b64"]));
    list.push(hostile("b64 false, and crit says so", forge.sign(&header, &forge.claims), "crit"));
    for value in [json!("DEF"), json!("none")] {
        let header = forge.header_with("zip", value.clone());
        list.push(hostile(format!("zip {value}"), forge.sign(&header, &forge.claims), "compressed"));
    }
    let header = forge.header_with("enc", json!("A256GCM"));
    list.push(hostile("enc in a signed token", forge.sign(&header, &forge.claims), "encrypted"));
    list
}

/// Tokens of another kind, and kinds that are nearly right.
fn kinds(forge: &Forge) -> Vec<Hostile> {
    let others = [
        "JWT",
        "jwt",
        "id+jwt",
        "txntoken+jwt",
        "logout+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "dpop+jwt",
        "dbsc+jwt",
        "client-authentication+jwt",
        "at+jwt ",
        " at+jwt",
        "at+jwt;charset=utf-8",
        "application/application/at+jwt",
        "text/at+jwt",
        "at",
        "",
    ];
    let mut list: Vec<Hostile> = others
        .into_iter()
        .filter(|typ| *typ != forge.typ)
        .map(|typ| {
            let header = forge.header_with("typ", json!(typ));
            hostile(format!("typ {typ:?}"), forge.sign(&header, &forge.claims), "header-mismatch")
        })
        .collect();
    let mut header = forge.header();
    header.remove("typ");
    list.push(hostile("typ missing", forge.sign(&header, &forge.claims), "header-missing"));
    for value in [json!(null), json!([forge.typ]), json!(1)] {
        let name = format!("typ {value}");
        let jwt = forge.sign(&forge.header_with("typ", value), &forge.claims);
        list.push(hostile(name, jwt, "header-type"));
    }
    list
}

/// Headers that two parsers read differently.
fn bad_json(forge: &Forge) -> Vec<Hostile> {
    let good = text(&forge.header());
    let open = good.trim_end_matches('}');
    let alg = forge.signer.algorithm();
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = format!("{open},\"x\":{}{}}}", "[".repeat(9), "]".repeat(9));
    let many: Vec<String> = (0..70).map(|at| format!("\"m{at}\":0")).collect();
    let cases: [(&str, Vec<u8>, &str); 17] = [
        ("duplicate alg", format!("{{\"alg\":\"none\",{}", &good[1..]).into(), "header-json-duplicate"),
        ("duplicate alg at the end", format!("{open},\"alg\":\"{alg}\"}}").into(), "header-json-duplicate"),
        (
            "duplicate alg through an escape",
            format!("{open},\"a\\u006cg\":\"none\"}}").into(),
            "header-json-duplicate",
        ),
        ("duplicate kid", format!("{open},\"kid\":\"x\"}}").into(), "header-json-duplicate"),
        (
            "duplicate member further in",
            format!("{open},\"x\":{{\"y\":1,\"y\":2}}}}").into(),
            "header-json-duplicate",
        ),
        ("depth bomb", deep.into(), "header-json-depth"),
        ("seventy members", format!("{open},{}}}", many.join(",")).into(), "header-json-members"),
        ("byte order mark", [b"\xef\xbb\xbf", good.as_bytes()].concat(), "header-json"),
        ("UTF-16", utf16, "header-json"),
        ("overlong UTF-8", [open.as_bytes(), b",\"x\":\"\xc0\xaf\"}"].concat(), "header-json"),
        ("a lone surrogate", format!("{open},\"x\":\"\\ud800\"}}").into(), "header-json"),
        ("text after it", format!("{good} x").into(), "header-json"),
        ("a comment", format!("{open}/**/}}").into(), "header-json"),
        ("a comma too many", format!("{open},}}").into(), "header-json"),
        ("a list", format!("[{good}]").into(), "header-json"),
        ("nothing", Vec::new(), "header-json"),
        ("2 kB and more", format!("{open},\"x\":\"{}\"}}", "x".repeat(2_100)).into(), "header-too-large"),
    ];
    cases
        .into_iter()
        .map(|(name, header, code)| {
            hostile(format!("header: {name}"), forge.sign_text(header, text(&forge.claims)), code)
        })
        .collect()
}
