//! Claims that are signed and must be refused all the same.

use serde_json::{Map, Value, json};

use super::{Forge, Hostile, hostile, text};

pub(super) fn by_a_careless_issuer(forge: &Forge) -> Vec<Hostile> {
    let mut list = issuers(forge);
    list.extend(audiences(forge));
    list.extend(dates(forge));
    list.extend(times(forge));
    list.extend(types(forge));
    list.extend(bad_json(forge));
    list
}

fn issuers(forge: &Forge) -> Vec<Hostile> {
    let own = valid(forge, "iss");
    let cases = [
        ("of another environment", json!(own.replace("https://", "https://staging.")), "claim-mismatch"),
        ("with a slash more", json!(format!("{own}/")), "claim-mismatch"),
        ("in upper case", json!(own.to_uppercase()), "claim-mismatch"),
        ("cut short", json!(own[..own.len() - 1]), "claim-mismatch"),
        ("continued", json!(format!("{own}.evil.example")), "claim-mismatch"),
        ("over http", json!(own.replace("https://", "http://")), "claim-mismatch"),
        ("with a space after", json!(format!("{own} ")), "claim-mismatch"),
        ("empty", json!(""), "claim-range"),
        ("null", json!(null), "claim-type"),
        ("as a list", json!([own]), "claim-type"),
    ];
    let mut list = changed(forge, "iss", cases);
    list.push(without(forge, "iss"));
    list
}

fn audiences(forge: &Forge) -> Vec<Hostile> {
    let own = valid(forge, "aud");
    let cases = [
        ("another service", json!(format!("not-{own}")), "claim-mismatch"),
        ("continued", json!(format!("{own}s")), "claim-mismatch"),
        ("cut short", json!(own[..own.len() - 1]), "claim-mismatch"),
        ("in upper case", json!(own.to_uppercase()), "claim-mismatch"),
        ("with a slash more", json!(format!("{own}/")), "claim-mismatch"),
        ("a list of another", json!(["another"]), "claim-mismatch"),
        ("a list of two", json!([own, "another"]), "claim-range"),
        ("an empty list", json!([]), "claim-range"),
        ("empty", json!(""), "claim-range"),
        ("a list of an empty text", json!([""]), "claim-type"),
        ("a list in a list", json!([[own]]), "claim-type"),
        ("null", json!(null), "claim-type"),
        ("an object", json!({own: true}), "claim-type"),
    ];
    let mut list = changed(forge, "aud", cases);
    list.push(without(forge, "aud"));
    list
}

/// Every wrong way to write a date, for every date (CVE-2026-25537: a string was taken as absent).
fn dates(forge: &Forge) -> Vec<Hostile> {
    let mut list = vec![without(forge, "exp")];
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        let date = if claim == "exp" { forge.now + 60 } else { forge.now };
        let writings = [
            ("as a string", format!("\"{date}\""), "claim-type"),
            ("as a word", "\"tomorrow\"".to_owned(), "claim-type"),
            ("as a string with a fraction", format!("\"{date}.5\""), "claim-type"),
            ("negative by a fraction", "-0.5".to_owned(), "claim-range"),
            ("beyond the year 9999 with a fraction", "253402300800.5".to_owned(), "claim-range"),
            ("beyond the year 9999 with an exponent", "1e300".to_owned(), "claim-range"),
            ("true", "true".to_owned(), "claim-type"),
            ("null", "null".to_owned(), "claim-type"),
            ("negative", format!("-{date}"), "claim-range"),
            ("beyond the year 9999", "253402300800".to_owned(), "claim-range"),
            ("beyond 64 bits", "18446744073709551616".to_owned(), "claim-range"),
            ("beyond a double", "1e400".to_owned(), "claims-json"),
            ("in a list", format!("[{date}]"), "claim-type"),
            ("in an object", format!("{{\"date\":{date}}}"), "claim-type"),
        ];
        for (name, raw, code) in writings {
            let mut claims = forge.claims.clone();
            claims.remove(claim);
            let payload = format!("{},\"{claim}\":{raw}}}", text(&claims).trim_end_matches('}'));
            list.push(hostile(
                format!("{claim} {name}"),
                forge.sign_text(text(&forge.header()), payload),
                code,
            ));
        }
    }
    list
}

/// Right dates at the wrong time. Far enough away that a slow test does not make them true.
fn times(forge: &Forge) -> Vec<Hostile> {
    let now = forge.now;
    let signed = |claims: Map<String, Value>| forge.sign(&forge.header(), &claims);
    let mut long = forge.claims_with("exp", json!(now + 10 * 365 * 86_400));
    long.insert("iat".to_owned(), json!(now));
    vec![
        hostile("expired a minute ago", signed(forge.claims_with("exp", json!(now - 60))), "expired"),
        hostile("expired in 1970", signed(forge.claims_with("exp", json!(0))), "expired"),
        hostile("valid in five minutes", signed(forge.claims_with("nbf", json!(now + 300))), "not-yet-valid"),
        hostile(
            "issued in five minutes",
            signed(forge.claims_with("iat", json!(now + 300))),
            "issued-in-future",
        ),
        hostile("valid for ten years", signed(long), "lifetime"),
    ]
}

/// Other claims with a type nobody expects.
fn types(forge: &Forge) -> Vec<Hostile> {
    let mut list = vec![without(forge, "sub")];
    list.extend(changed(
        forge,
        "sub",
        [("empty", json!(""), "claim-range"), ("null", json!(null), "claim-type")],
    ));
    for claim in ["sub", "jti", "sid", "client_id", "acr", "scope"] {
        list.extend(changed(
            forge,
            claim,
            [("a number", json!(7), "claim-type"), ("a list", json!(["x"]), "claim-type")],
        ));
    }
    list.extend(changed(
        forge,
        "amr",
        [("a text", json!("pwd"), "claim-type"), ("a list of numbers", json!([1]), "claim-type")],
    ));
    list
}

/// Payloads that two parsers read differently, or that are no object.
fn bad_json(forge: &Forge) -> Vec<Hostile> {
    let good = text(&forge.claims);
    let open = good.trim_end_matches('}');
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let many: Vec<String> = (0..70).map(|at| format!("\"m{at}\":0")).collect();
    let cases: [(&str, Vec<u8>, &str); 19] = [
        ("duplicate sub", format!("{open},\"sub\":\"admin\"}}").into(), "claims-json-duplicate"),
        (
            "duplicate sub through an escape",
            format!("{open},\"\\u0073ub\":\"admin\"}}").into(),
            "claims-json-duplicate",
        ),
        ("duplicate exp", format!("{open},\"exp\":9999999999}}").into(), "claims-json-duplicate"),
        (
            "duplicate member further in",
            format!("{open},\"x\":[{{\"y\":1,\"y\":2}}]}}").into(),
            "claims-json-duplicate",
        ),
        (
            "depth bomb",
            format!("{open},\"x\":{}{}}}", "[".repeat(100), "]".repeat(100)).into(),
            "claims-json-depth",
        ),
        (
            "one level too deep",
            format!("{open},\"x\":{}{}}}", "[".repeat(8), "]".repeat(8)).into(),
            "claims-json-depth",
        ),
        ("seventy members", format!("{open},{}}}", many.join(",")).into(), "claims-json-members"),
        ("byte order mark", [b"\xef\xbb\xbf", good.as_bytes()].concat(), "claims-json"),
        ("UTF-16", utf16, "claims-json"),
        ("overlong UTF-8", [open.as_bytes(), b",\"x\":\"\xc0\xaf\"}"].concat(), "claims-json"),
        ("a surrogate in UTF-8", [open.as_bytes(), b",\"x\":\"\xed\xa0\x80\"}"].concat(), "claims-json"),
        ("text after it", format!("{good} x").into(), "claims-json"),
        ("a second object", format!("{good}{good}").into(), "claims-json"),
        ("NaN", format!("{open},\"x\":NaN}}").into(), "claims-json"),
        ("a list", format!("[{good}]").into(), "claims-json"),
        ("a text", b"\"claims\"".to_vec(), "claims-json"),
        ("nothing", Vec::new(), "claims-json"),
        ("another signed token", forge.control().into(), "claims-json"),
        ("compressed bytes", vec![0xab, 0x56, 0x2a, 0x2e, 0x4d, 0x52, 0xb2, 0x52], "claims-json"),
    ];
    cases
        .into_iter()
        .map(|(name, payload, code)| {
            hostile(format!("claims: {name}"), forge.sign_text(text(&forge.header()), payload), code)
        })
        .collect()
}

fn changed<const N: usize>(
    forge: &Forge,
    claim: &str,
    cases: [(&str, Value, &'static str); N],
) -> Vec<Hostile> {
    let tokens = cases.into_iter().map(|(name, value, code)| {
        let jwt = forge.sign(&forge.header(), &forge.claims_with(claim, value));
        hostile(format!("{claim} {name}"), jwt, code)
    });
    tokens.collect()
}

fn without(forge: &Forge, claim: &str) -> Hostile {
    let mut claims = forge.claims.clone();
    claims.remove(claim);
    hostile(format!("{claim} missing"), forge.sign(&forge.header(), &claims), "claim-missing")
}

fn valid<'a>(forge: &'a Forge, claim: &str) -> &'a str {
    forge.claims[claim].as_str().unwrap()
}
