//! Lies about who signed, and how.

use data_encoding::BASE64;
use serde_json::json;

use super::{Forge, Hostile, Signer, base64, hostile, hs256, signing_input, text};

pub(super) fn tokens(forge: &Forge) -> Vec<Hostile> {
    let mut list = unsigned(forge);
    list.extend(misspelt(forge));
    list.extend(confused(forge));
    list.extend(swapped(forge));
    list.extend(bad_signatures(forge));
    list.extend(other_keys(forge));
    list
}

/// `none` in all its spellings, with no signature, with the old one, and with one over the new header.
fn unsigned(forge: &Forge) -> Vec<Hostile> {
    let payload = text(&forge.claims);
    let valid = forge.control();
    let old_signature = valid.rsplit('.').next().unwrap();
    let mut list = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "none ", "nоne"] {
        let header = text(&forge.header_with("alg", json!(alg)));
        let input = signing_input(&header, &payload);
        list.push(hostile(format!("alg {alg:?}, no signature"), format!("{input}."), "alg-unsupported"));
        list.push(hostile(
            format!("alg {alg:?}, old signature"),
            format!("{input}.{old_signature}"),
            "alg-unsupported",
        ));
        list.push(hostile(
            format!("alg {alg:?}, signed"),
            forge.sign_text(&header, &payload),
            "alg-unsupported",
        ));
    }
    list
}

/// Names that are nearly the right one.
fn misspelt(forge: &Forge) -> Vec<Hostile> {
    let own = forge.signer.algorithm();
    let spellings = [
        ("lower case", own.to_lowercase()),
        ("a long s", own.replace('S', "ſ")),
        ("a space after", format!("{own} ")),
        ("a space before", format!(" {own}")),
        ("a NUL after", format!("{own}\0")),
        ("a homoglyph", own.replace('E', "Е").replace('P', "Р").replace('R', "Ꭱ")),
        ("empty", String::new()),
    ];
    let mut list: Vec<Hostile> = spellings
        .into_iter()
        .map(|(name, alg)| {
            let header = forge.header_with("alg", json!(alg));
            hostile(format!("alg with {name}"), forge.sign(&header, &forge.claims), "alg-unsupported")
        })
        .collect();
    let mut header = forge.header();
    header.remove("alg");
    list.push(hostile("alg missing", forge.sign(&header, &forge.claims), "header-missing"));
    for (name, value) in [("null", json!(null)), ("a list", json!([own])), ("a number", json!(256))] {
        let header = forge.header_with("alg", value);
        list.push(hostile(format!("alg is {name}"), forge.sign(&header, &forge.claims), "header-type"));
    }
    list
}

/// HS256 with the published key as the secret (the CVE-2015-9235 class), in every encoding libraries have used.
fn confused(forge: &Forge) -> Vec<Hostile> {
    let der = forge.signer.public_der();
    let pem = pem(&der);
    let secrets: [(&str, Vec<u8>); 7] = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM without the last newline", pem.trim_end().as_bytes().to_vec()),
        ("SubjectPublicKeyInfo", der.clone()),
        ("raw key", forge.signer.public_raw()),
        ("JWK text", forge.signer.public_jwk().to_string().into_bytes()),
        ("x5c text", BASE64.encode(&der).into_bytes()),
        ("empty", Vec::new()),
    ];
    let header = text(&forge.header_with("alg", json!("HS256")));
    let input = signing_input(&header, text(&forge.claims));
    secrets
        .into_iter()
        .map(|(name, secret)| {
            let jwt = format!("{input}.{}", base64(hs256(&secret, input.as_bytes())));
            hostile(format!("HS256 with the public key as {name}"), jwt, "alg-mismatch")
        })
        .collect()
}

/// The right key under another algorithm's name.
fn swapped(forge: &Forge) -> Vec<Hostile> {
    let own = forge.signer.algorithm();
    let known = ["EdDSA", "ES256", "PS256", "RS256"].into_iter().filter(|alg| *alg != own);
    let unknown = [
        "ES256K",
        "ES384",
        "ES512",
        "HS384",
        "HS512",
        "PS384",
        "PS512",
        "RS384",
        "RS512",
        "ML-DSA-44",
        "dir",
    ];
    let known = known.map(|alg| (alg, "alg-mismatch"));
    let unknown = unknown.into_iter().map(|alg| (alg, "alg-unsupported"));
    known
        .chain(unknown)
        .map(|(alg, code)| {
            let header = forge.header_with("alg", json!(alg));
            hostile(format!("{own} called {alg}"), forge.sign(&header, &forge.claims), code)
        })
        .collect()
}

/// Signatures that are not one.
fn bad_signatures(forge: &Forge) -> Vec<Hostile> {
    let input = signing_input(text(&forge.header()), text(&forge.claims));
    let good = forge.signer.sign(input.as_bytes());
    let zeros = vec![0; good.len()];
    let mut flipped = good.clone();
    flipped[0] ^= 1;
    let mut last = good.clone();
    *last.last_mut().unwrap() ^= 1;
    let reversed: Vec<u8> = good.iter().rev().copied().collect();
    let mut signatures = vec![
        ("empty", Vec::new()),
        ("one zero byte", vec![0]),
        ("all zeros", zeros),
        ("all ones", vec![0xff; good.len()]),
        ("one byte short", good[..good.len() - 1].to_vec()),
        ("half", good[..good.len() / 2].to_vec()),
        ("a zero appended", [good.as_slice(), &[0]].concat()),
        ("a zero prepended", [&[0], good.as_slice()].concat()),
        ("twice", [good.as_slice(), good.as_slice()].concat()),
        ("first bit flipped", flipped),
        ("last bit flipped", last),
        ("reversed", reversed),
        ("of another message", forge.signer.sign(b"another message")),
    ];
    if let Some(der) = forge.signer.sign_in_der(input.as_bytes()) {
        signatures.push(("in DER", der));
        signatures.extend(psychic(&good));
    }
    signatures
        .into_iter()
        .map(|(name, signature)| {
            hostile(format!("signature {name}"), format!("{input}.{}", base64(signature)), "signature")
        })
        .collect()
}

/// CVE-2022-21449: r or s is zero, or the group order, which is zero again.
fn psychic(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (r, s) = good.split_at(32);
    let swapped = [s, r].concat();
    vec![
        ("with r = 0", [&[0; 32], s].concat()),
        ("with s = 0", [r, &[0; 32]].concat()),
        ("with r = n", [&ORDER, s].concat()),
        ("with s = n", [r, &ORDER].concat()),
        ("with r = s = n", [ORDER, ORDER].concat()),
        ("with r and s swapped", swapped),
    ]
}

/// Good signatures by somebody else.
fn other_keys(forge: &Forge) -> Vec<Hostile> {
    let stranger = Forge {
        signer: Signer::generate(forge.signer.algorithm()),
        key_id: forge.key_id.clone(),
        typ: forge.typ.clone(),
        claims: forge.claims.clone(),
        now: forge.now,
    };
    let mut unknown = stranger.header();
    unknown.insert("kid".to_owned(), json!("a-key-of-another-tenant"));
    vec![
        hostile("another tenant's key under our kid", stranger.control(), "signature"),
        hostile(
            "another tenant's key under its own kid",
            stranger.sign(&unknown, &forge.claims),
            "key-unknown",
        ),
    ]
}

fn pem(der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
