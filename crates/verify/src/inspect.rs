//! A look at a JWT by somebody who wants to know why it fails.
//! In: any text. Out: what it says and what is odd about it. Nothing is verified, and the type says so.

use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    claims::Claims,
    jws::{self, Jws, LastHeader},
    reject::Reject,
    strict_json::{self, Limits},
};

/// What a JWT *claims*. Anybody can write such a text: never decide anything by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Unverified {
    /// The header, as far as it could be read.
    pub header: Map<String, Value>,
    /// The claims, where the payload is a JSON object.
    pub claims: Option<Map<String, Value>>,
    /// What is odd about it, the gravest first.
    pub findings: Vec<Finding>,
}

/// One thing worth knowing about a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// A short stable name.
    pub code: &'static str,
    /// One plain sentence.
    pub text: String,
}

/// Reads a compact JWS without verifying it, at the given time in Unix seconds.
///
/// # Errors
/// When not even the header can be read.
pub fn inspect(jwt: &str, now: u64) -> Result<Unverified, Reject> {
    let [header, payload, signature] = jws::split(jwt)?;
    let header = jws::header_members(header)?;
    let mut findings = Vec::new();

    if let Err(reject) = Jws::parse(jwt, &LastHeader::default()) {
        findings.push(Finding::refused("header", reject));
    }
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if algorithm.eq_ignore_ascii_case("none") {
        findings.push(Finding::new("unsigned", "alg is none: nobody signed this"));
    }
    if Algorithm::parse(algorithm) == Some(Algorithm::Hs256) {
        let text = "alg is HS256: whoever can verify this token can also make one";
        findings.push(Finding::new("symmetric", text));
    }
    match jws::decode(signature) {
        Ok(bytes) if bytes.is_empty() => {
            findings.push(Finding::new("no-signature", "there is no signature"));
        }
        Ok(_) => {}
        Err(reject) => findings.push(Finding::refused("signature", reject)),
    }
    let claims = match jws::decode(payload) {
        Ok(payload) => {
            judge_claims(&payload, now, &mut findings);
            strict_json::parse_object(&payload, Limits::JOSE).ok()
        }
        Err(reject) => {
            findings.push(Finding::refused("payload", reject));
            None
        }
    };
    Ok(Unverified { header, claims, findings })
}

fn judge_claims(payload: &[u8], now: u64, findings: &mut Vec<Finding>) {
    let claims = match Claims::parse(payload) {
        Ok(claims) => claims,
        Err(reject) => {
            findings.push(Finding::refused("claims", reject));
            return;
        }
    };
    if claims.exp() <= now {
        let text = format!("it expired {} seconds ago", now - claims.exp());
        findings.push(Finding::new("expired", text));
    }
    if let Some(nbf) = claims.nbf().filter(|nbf| *nbf > now) {
        findings.push(Finding::new("not-yet-valid", format!("it is valid in {} seconds", nbf - now)));
    }
    match claims.iat() {
        None => findings.push(Finding::new("no-iat", "it does not say when it was issued")),
        Some(iat) if iat > now => {
            let text = format!("it was issued {} seconds in the future", iat - now);
            findings.push(Finding::new("issued-in-future", text));
        }
        Some(iat) if claims.exp().saturating_sub(iat) > crate::DEFAULT_MAX_LIFETIME => {
            findings.push(Finding::new("lifetime", "it lives longer than a day"));
        }
        Some(_) => {}
    }
    if claims.sub().contains('@') {
        let text = "sub looks like a mail address, which changes hands; a subject must not";
        findings.push(Finding::new("sub-is-address", text));
    }
}

impl Finding {
    fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    fn refused(part: &str, reject: Reject) -> Self {
        Self::new(reject.code(), format!("a verifier refuses the {part}: {reject}"))
    }
}

#[cfg(test)]
mod tests;
