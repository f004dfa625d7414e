//! `vestibule token decrypt`: what a service reads, for who has its private key. In: a JWE on stdin, a key file. Out: its header and what
//! is inside, with a word on whether that was verified; nothing of the key.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use vestibule_core::port::Clock;
use vestibule_verify::jwe::{self, DecryptionKeys, Policy};
use vestibule_verify::strict_json::{Limits, parse_object};
use zeroize::Zeroizing;

use super::{By, jwt, keys, members};
use crate::cli::output::{self, say};
use crate::cli::{Context, Failure};
use crate::control::view::VerifiedView;
use crate::host::clock::SystemClock;

#[derive(Args)]
pub(in crate::cli) struct Decrypt {
    /// The private key, as a JWK
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Verify what is inside, which must be for this audience
    #[arg(long)]
    audience: Option<String>,
    #[command(flatten)]
    by: By,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was inside.
enum Inside {
    /// A signed JWT that was verified.
    Verified(VerifiedView),
    /// A signed JWT that was not.
    Signed { header: Map<String, Value>, claims: Option<Map<String, Value>> },
    /// Claims that nobody signed.
    Unsigned(Map<String, Value>),
}

impl Decrypt {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if self.audience.is_none() && self.by.jwks_file.is_some() {
            return Err(Failure::Usage("--jwks-file verifies, and that needs --audience".to_owned()));
        }
        let of_key = |cause| Failure::Usage(format!("{}: {cause}", self.key.display()));
        let keys = DecryptionKeys::from_text(keys(&self.key)?.trim()).map_err(of_key)?;
        let token = jwt()?;
        let refused = |reject: vestibule_verify::Reject| {
            Failure::Refused(format!("this cannot be decrypted ({}): {reject}", reject.code()))
        };
        let header = jwe::header(&token).map_err(refused)?;
        // Whoever says whose audience they are is told what a service of it would make of the token.
        let policy = if self.audience.is_some() { Policy::NESTED } else { Policy::ANY };
        let content = Zeroizing::new(jwe::decrypt(&token, &keys, &policy).map_err(refused)?);
        let inside = self.inside(context, &content)?;
        if self.json {
            return output::json(&inside.to_json(header));
        }
        say("Header (encrypted to this key)")?;
        members(&Value::Object(header))?;
        inside.say()
    }

    fn inside(&self, context: &Context, content: &[u8]) -> Result<Inside, Failure> {
        let text = std::str::from_utf8(content).unwrap_or_default();
        if let Some(audience) = &self.audience {
            return self.by.verify(context, text, audience).map(Inside::Verified);
        }
        if let Ok(read) = vestibule_verify::inspect(text, SystemClock.now().unix_seconds()) {
            return Ok(Inside::Signed { header: read.header, claims: read.claims });
        }
        parse_object(content, Limits::JOSE).map(Inside::Unsigned).map_err(|_| {
            Failure::Refused(format!("it holds {} bytes that are neither a JWT nor claims", content.len()))
        })
    }
}

impl Inside {
    fn to_json(&self, header: Map<String, Value>) -> Value {
        let inner = match self {
            Self::Verified(VerifiedView { header, claims }) => {
                json!({ "signature": "verified", "header": header, "claims": claims })
            }
            Self::Signed { header, claims } => {
                json!({ "signature": "not verified", "header": header, "claims": claims })
            }
            Self::Unsigned(claims) => json!({ "signature": "none", "header": null, "claims": claims }),
        };
        json!({ "header": header, "inside": inner })
    }

    fn say(self) -> Result<(), Failure> {
        match self {
            Self::Verified(VerifiedView { header, claims }) => {
                say(
                    "Inside: a JWT. Its signature is good, and it is for this audience, in time and not revoked.",
                )?;
                parts(header, Some(claims))
            }
            Self::Signed { header, claims } => {
                say("Inside: a JWT. Its signature was NOT verified; --audience does that.")?;
                parts(header, claims)
            }
            Self::Unsigned(claims) => {
                say("Inside: claims that NOBODY signed. Whoever has the public key can have made them.")?;
                members(&Value::Object(claims))
            }
        }
    }
}

fn parts(header: Map<String, Value>, claims: Option<Map<String, Value>>) -> Result<(), Failure> {
    say("Header")?;
    members(&Value::Object(header))?;
    say("Claims")?;
    members(&claims.map_or(Value::Null, Value::Object))
}
