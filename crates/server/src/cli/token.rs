//! `vestibule token …`: read any JWT, or verify one. The JWT comes on stdin: an argument would be in the process list.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vestibule_core::port::Clock;
use vestibule_verify::{KeySet, MAX_JWKS_BYTES, Verifier};
use zeroize::Zeroizing;

mod decrypt;

use decrypt::Decrypt;

use super::output::{self, say};
use super::{Context, Failure, ask_one, input};
use crate::control::view::VerifiedView;
use crate::control::{Answer, Ask};
use crate::host::clock::SystemClock;
use crate::host::text_file;

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Show what a JWT on stdin says; nothing is verified
    Inspect {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Verify a JWT on stdin, against this installation or a key set
    Verify(Verify),
    /// Decrypt a JWT on stdin with its service's private key and show what it says; with --audience what is inside is verified as well
    Decrypt(Decrypt),
}

#[derive(Args)]
pub(super) struct Verify {
    /// LoginTarget it must be for
    #[arg(long)]
    audience: String,
    #[command(flatten)]
    by: By,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// By which keys; none said is by this installation's.
#[derive(Args)]
pub(super) struct By {
    /// A JWK set to verify against, in place of this installation's keys
    #[arg(long, value_name = "FILE", requires = "issuer")]
    jwks_file: Option<PathBuf>,
    /// Who must have issued it. Its keys are not fetched over HTTP yet: bring them with --jwks-file
    #[arg(long, value_name = "URL", requires = "jwks_file")]
    issuer: Option<String>,
}

impl TokenCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Inspect { json } => inspect(json),
            Self::Verify(verify) => verify.run(context),
            Self::Decrypt(decrypt) => decrypt.run(context),
        }
    }
}

fn jwt() -> Result<Zeroizing<String>, Failure> {
    let text = input::secret("a JWT")?;
    let text = text.trim();
    // As it is often copied.
    Ok(Zeroizing::new(text.strip_prefix("Bearer ").unwrap_or(text).to_owned()))
}

fn inspect(json: bool) -> Result<(), Failure> {
    let now = SystemClock.now().unix_seconds();
    let read = vestibule_verify::inspect(&jwt()?, now).map_err(|reject| {
        let way_on = match reject {
            vestibule_verify::Reject::Encrypted => {
                "; whoever has its key can see what is inside: vestibule token decrypt"
            }
            _ => "",
        };
        Failure::Refused(format!("this is not a JWT ({}): {reject}{way_on}", reject.code()))
    })?;
    if json {
        let findings: Vec<Value> =
            read.findings.iter().map(|it| json!({ "code": it.code, "text": it.text })).collect();
        return output::json(&json!({ "header": read.header, "claims": read.claims, "findings": findings }));
    }
    say("Header (not verified)")?;
    members(&Value::Object(read.header))?;
    say("Claims (not verified)")?;
    members(&read.claims.map_or(Value::Null, Value::Object))?;
    for finding in &read.findings {
        say(&format!("! {} ({})", finding.text, finding.code))?;
    }
    Ok(())
}

impl Verify {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let verified = self.by.verify(context, &jwt()?, &self.audience)?;
        if self.json {
            return output::json(&verified);
        }
        say("The signature is good, and it is for this audience, in time and not revoked.")?;
        say("Header")?;
        members(&Value::Object(verified.header))?;
        say("Claims")?;
        members(&Value::Object(verified.claims))
    }
}

impl By {
    fn verify(&self, context: &Context, jwt: &str, audience: &str) -> Result<VerifiedView, Failure> {
        if let (Some(file), Some(issuer)) = (&self.jwks_file, &self.issuer) {
            return by(&Verifier::new(issuer.clone(), audience, key_set(file)?), jwt);
        }
        let ask = Ask::TokenVerify { jwt: jwt.to_owned(), audience: audience.to_owned() };
        match context.ask(async |desk| ask_one(desk, ask).await)? {
            Answer::Verified { verified } => Ok(verified),
            _ => Err(Failure::mismatch()),
        }
    }
}

fn key_set(file: &Path) -> Result<KeySet, Failure> {
    let set = KeySet::from_jwks(&keys(file)?)
        .map_err(|cause| Failure::Usage(format!("{}: {cause}", file.display())))?;
    for odd in set.left_out() {
        let name = odd.key_id.as_deref().map_or_else(String::new, |name| format!(" ({name})"));
        let place = odd.place + 1;
        output::error_line(&format!("{}: key {place}{name} is left out: {}", file.display(), odd.reject));
    }
    Ok(set)
}

/// The text of a file of keys.
fn keys(file: &Path) -> Result<Zeroizing<String>, Failure> {
    text_file::read(file, MAX_JWKS_BYTES).map_err(|what| Failure::Usage(format!("{} {what}", file.display())))
}

fn by(verifier: &Verifier, jwt: &str) -> Result<VerifiedView, Failure> {
    let now = SystemClock.now().unix_seconds();
    let refused =
        |reject: vestibule_verify::Reject| Failure::Refused(format!("refused ({}): {reject}", reject.code()));
    let claims = verifier.verify_at(jwt, now).map_err(refused)?.members().clone();
    let header = vestibule_verify::inspect(jwt, now).map_err(refused)?.header;
    Ok(VerifiedView { header, claims })
}

/// The members of an object, one per line; times also as people read them.
fn members(object: &Value) -> Result<(), Failure> {
    let Value::Object(members) = object else {
        return say("  none that can be read");
    };
    for (name, value) in members {
        let seconds = value.as_u64().or_else(|| value.as_f64().map(|seconds| seconds.max(0.0) as u64));
        let spoken = match (name.as_str(), seconds) {
            ("auth_time" | "exp" | "iat" | "nbf", Some(seconds)) => {
                let at = vestibule_core::Timestamp::from_unix_seconds(seconds);
                format!("  ({})", crate::control::view::moment(at))
            }
            _ => String::new(),
        };
        say(&format!("  {name:10} {value}{spoken}"))?;
    }
    Ok(())
}
