//! Texts that are not one compact JWS in its one spelling.

use std::sync::LazyLock;

use serde_json::json;

use super::sealer::{ENCRYPTIONS, MANAGEMENTS, Sealer};
use super::{Forge, Hostile, base64, hostile, text};

pub(super) fn tokens(forge: &Forge) -> Vec<Hostile> {
    let mut list = segments(forge);
    list.extend(encodings(forge));
    list.extend(json_serialisations(forge));
    list.extend(encrypted(forge));
    list.extend(genuine(forge));
    list.extend(sizes(forge));
    list
}

fn segments(forge: &Forge) -> Vec<Hostile> {
    let valid = forge.control();
    let parts: Vec<&str> = valid.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a JWS has three parts") };
    vec![
        hostile("the empty text", "", "segments"),
        hostile("one segment", header, "segments"),
        hostile("two segments", format!("{header}.{payload}"), "segments"),
        hostile("four segments", format!("{valid}.{signature}"), "segments"),
        hostile("a dot before", format!(".{valid}"), "segments"),
        hostile("a dot after", format!("{valid}."), "segments"),
        hostile("six segments", format!("{valid}.{valid}"), "segments"),
        hostile("only dots", "..", "header-json"),
        hostile("an empty header", format!(".{payload}.{signature}"), "header-json"),
        hostile("an empty payload", format!("{header}..{signature}"), "signature"),
        hostile("header and payload swapped", format!("{payload}.{header}.{signature}"), "header-missing"),
        hostile(
            "another payload under the signature",
            {
                let claims = text(&forge.claims_with("sub", json!("admin")));
                format!("{header}.{}.{signature}", base64(claims))
            },
            "signature",
        ),
        hostile("two tokens", format!("{valid} {valid}"), "encrypted"),
        hostile("two tokens and a comma", format!("{valid},{valid}"), "encrypted"),
        hostile("a scheme before", format!("Bearer {valid}"), "encoding"),
    ]
}

/// Other spellings of the same bytes: with them one token has many texts, and lists of texts fail.
fn encodings(forge: &Forge) -> Vec<Hostile> {
    let valid = forge.control();
    let (input, signature) = valid.rsplit_once('.').unwrap();
    let mut list = vec![
        hostile("a space after", format!("{valid} "), "encoding"),
        hostile("a space before", format!(" {valid}"), "encoding"),
        hostile("a newline after", format!("{valid}\n"), "encoding"),
        hostile("a newline within", valid.replacen('.', ".\n", 1), "encoding"),
        hostile("a NUL after", format!("{valid}\0"), "encoding"),
        hostile("padding", format!("{valid}=="), "encoding"),
        hostile("padding in the header", valid.replacen('.', "=.", 1), "encoding"),
        hostile("a percent escape", format!("{valid}%00"), "encoding"),
        hostile("full-width dots", valid.replace('.', "．"), "segments"),
        hostile("in quotes", format!("\"{valid}\""), "encoding"),
        hostile("the plain alphabet", format!("{input}.{}++//", &signature[4..]), "encoding"),
    ];
    // The last character of 64 and of 256 bytes carries unused bits; decoders that ignore them take 4 or 16 texts for one.
    if let Some(twin) = trailing_bits(signature) {
        list.push(hostile("trailing bits set", format!("{input}.{twin}"), "encoding"));
    }
    list
}

/// The same bytes to a careless decoder, or `None` when every bit of the last character counts.
fn trailing_bits(segment: &str) -> Option<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let unused: usize = match segment.len() % 4 {
        2 => 4,
        3 => 2,
        _ => return None,
    };
    let (head, last) = segment.split_at(segment.len() - 1);
    let value = ALPHABET.find(last)? | ((1 << unused) - 1);
    Some(format!("{head}{}", &ALPHABET[value..=value]))
}

/// RFC 7515 §7.2 is JWS, but it is not a JWT.
fn json_serialisations(forge: &Forge) -> Vec<Hostile> {
    let valid = forge.control();
    let parts: Vec<&str> = valid.split('.').collect();
    let flattened = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    let one = json!({"protected": parts[0], "signature": parts[2]});
    let general = json!({"payload": parts[1], "signatures": [one]});
    // Read as JSON it is one token, split at the dots another.
    let polyglot = format!("{{\"payload\":\"{}\",\"x\":\".{}.\"}}", parts[1], parts[1]);
    vec![
        hostile("flattened JSON", flattened.to_string(), "segments"),
        hostile("general JSON", general.to_string(), "segments"),
        hostile("a polyglot of JSON and compact", polyglot, "encoding"),
        hostile("the token in a list", format!("[\"{valid}\"]"), "encoding"),
    ]
}

/// Encryption proves nothing about the author: anybody has the public key (CVE-2023-51774).
fn encrypted(forge: &Forge) -> Vec<Hostile> {
    let around = |header: serde_json::Value, key: &[u8], iv: &[u8], tag: &[u8]| {
        let header = base64(header.to_string());
        let body = base64(text(&forge.claims));
        format!("{header}.{}.{}.{body}.{}", base64(key), base64(iv), base64(tag))
    };
    let epk = forge.signer.public_jwk();
    let kid = &forge.key_id;
    let headers = [
        ("ECDH-ES around claims", json!({"alg": "ECDH-ES", "enc": "A256GCM", "epk": epk, "kid": kid})),
        ("RSA-OAEP around claims", json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid})),
        ("RSA1_5", json!({"alg": "RSA1_5", "enc": "A128CBC-HS256", "kid": kid})),
        ("a direct key", json!({"alg": "dir", "enc": "A256GCM", "kid": kid})),
        (
            "PBES2 with p2c 2^31",
            json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1_u64 << 31, "p2s": "c2FsdA"}),
        ),
        ("zip", json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": kid})),
        (
            "an off-curve epk",
            json!({"alg": "ECDH-ES", "enc": "A256GCM", "epk": {"kty": "EC", "crv": "P-256", "x": base64([1; 32]), "y": base64([1; 32])}}),
        ),
        ("a signed token's header", json!(forge.header())),
    ];
    let mut list: Vec<Hostile> = headers
        .into_iter()
        .map(|(name, header)| {
            hostile(format!("JWE: {name}"), around(header, &[7; 32], &[7; 12], &[7; 16]), "encrypted")
        })
        .collect();
    let direct = || json!({"alg": "dir", "enc": "A256GCM"});
    for length in [0, 1, 4, 8, 12, 15] {
        list.push(hostile(
            format!("JWE: a tag of {length} bytes"),
            around(direct(), &[], &[7; 12], &vec![7; length]),
            "encrypted",
        ));
    }
    for length in [0, 8, 16, 32] {
        list.push(hostile(
            format!("JWE: an IV of {length} bytes"),
            around(direct(), &[], &vec![7; length], &[7; 16]),
            "encrypted",
        ));
    }
    list.push(hostile("JWE: four dots and nothing else", "....", "encrypted"));
    list
}

/// Encrypted by the rules, around claims that nobody signed and around a token that is good by itself. Where a signed token is expected
/// neither counts: whoever could decrypt it was not asked.
fn genuine(forge: &Forge) -> Vec<Hostile> {
    static SEALERS: LazyLock<Vec<(String, Sealer)>> = LazyLock::new(|| {
        let sealer =
            |(alg, crv): (&str, &str)| (format!("{alg} {crv}"), Sealer::generate(alg, crv, "A256GCM"));
        MANAGEMENTS.into_iter().map(sealer).collect()
    });
    let (claims, valid) = (text(&forge.claims), forge.control());
    let mut list = Vec::new();
    for (name, sealer) in &*SEALERS {
        for enc in ENCRYPTIONS.into_iter().filter(|enc| *enc == "A256GCM" || !name.starts_with("dir")) {
            let mut header = sealer.header(enc);
            header.insert("typ".to_owned(), json!(forge.typ));
            let around = |content: &str| sealer.parts(&header, content.as_bytes()).text();
            list.push(hostile(format!("JWE: {name} {enc} around claims"), around(&claims), "encrypted"));
            list.push(hostile(format!("JWE: {name} {enc} around a good token"), around(&valid), "encrypted"));
        }
    }
    list
}

fn sizes(forge: &Forge) -> Vec<Hostile> {
    let padded =
        |length: usize| forge.sign(&forge.header(), &forge.claims_with("padding", json!("x".repeat(length))));
    vec![
        hostile("8 KiB and one", padded_to(&padded, 8 * 1024 + 1), "too-large"),
        hostile("a megabyte", padded(1_000_000), "too-large"),
        hostile("a megabyte of dots", ".".repeat(1_000_000), "too-large"),
    ]
}

/// The shortest token made by `padded` that has at least `length` characters.
fn padded_to(padded: &dyn Fn(usize) -> String, length: usize) -> String {
    let near = (length - padded(0).len()) * 3 / 4 - 3;
    (near..).map(padded).find(|jwt| jwt.len() >= length).unwrap()
}
