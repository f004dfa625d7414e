//! `vestibule key …`: the signing key ring.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use vestibule_core::key::RecipientPair;
use vestibule_verify::jwe::{Curve, KeyManagement};

use super::output::{self, Column, say, say_done, say_once};
use super::{Context, Failure, ask_one};
use crate::control::view::KeyView;
use crate::control::{Answer, Ask, Beginning, Purpose};
use crate::host::secret_file;

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List signing keys
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a key for services' JWTs, or with --edge for access tokens; it takes over after `keys.publish_ahead`
    Rotate {
        /// Rotate the keys of access tokens, which these doors alone verify, in place of those that services verify by
        #[arg(long)]
        edge: bool,
        /// Let it sign at once; verifiers that keep key sets must fetch anew
        #[arg(long)]
        now: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a key pair for a service whose JWTs are to be encrypted: the private half goes into a new file, for the service alone, and the
    /// public half, for `encrypt_to_file`, to stdout
    Encryption {
        /// Where the private half goes; nothing is overwritten
        #[arg(value_name = "FILE")]
        private: PathBuf,
        /// How content keys reach it
        #[arg(long, value_name = "ALG", default_value = "ECDH-ES", value_parser = ["ECDH-ES", "ECDH-ES+A256KW"])]
        alg: String,
        /// On which curve
        #[arg(long, value_name = "CURVE", default_value = "P-256", value_parser = ["P-256", "P-384", "P-521", "X25519"])]
        curve: String,
    },
    /// Withdraw a key at once: nothing it signed is accepted any more
    Retire {
        /// As `key list` names it; one in 64 begins with a hyphen
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        key_id: String,
        /// Withdraw it although it signs: the key that waits, or else a new one, signs at once
        #[arg(long)]
        now: bool,
    },
}

impl KeyCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List { json } => list(context, json),
            Self::Encryption { private, alg, curve } => encryption(&private, &alg, &curve),
            Self::Retire { key_id, now } => {
                let begin = if now { Beginning::Now } else { Beginning::Ahead };
                let ask = Ask::KeyRetire { key_id: key_id.clone(), begin };
                let answer = context.ask(async |desk| ask_one(desk, ask).await)?;
                let Answer::KeyRetired { successor } = answer else { return Err(Failure::mismatch()) };
                let mut done = format!("{key_id} is retired");
                if let Some(key) = successor {
                    done.push_str(&format!("\n{} ({}) signs from now on", key.key_id, key.algorithm));
                }
                say_done(&done)
            }
            Self::Rotate { edge, now, json } => {
                let begin = if now { Beginning::Now } else { Beginning::Ahead };
                let of = if edge { Purpose::Edge } else { Purpose::Services };
                let answer = context.ask(async |desk| ask_one(desk, Ask::KeyRotate { begin, of }).await)?;
                let Answer::Key { key } = answer else { return Err(Failure::mismatch()) };
                if json {
                    return output::json_done(&key);
                }
                say_done(&format!("{} ({}) signs from {} on", key.key_id, key.algorithm, key.active_from))
            }
        }
    }
}

/// Needs no installation: it is the service's key, and not kept here.
fn encryption(private: &Path, alg: &str, curve: &str) -> Result<(), Failure> {
    output::refuse_lost_output("the public half")?;
    let wrong = |what: &str| Failure::Usage(format!("{what} is not known"));
    let management = KeyManagement::parse(alg).ok_or_else(|| wrong(alg))?;
    let curve = Curve::named(curve).ok_or_else(|| wrong(curve))?;
    let pair =
        RecipientPair::generate(management, curve).map_err(|fault| Failure::Unknown(fault.report()))?;
    secret_file::write_new(private, pair.private_jwk.as_bytes())
        .map_err(|error| Failure::Usage(format!("{error:#}")))?;
    say_once(&pair.public_jwk).map_err(|unshown| match fs::remove_file(private) {
        Ok(()) => {
            unshown.and(&format!("the public half was not shown, and {} is removed again", private.display()))
        }
        Err(error) => unshown.and(&format!(
            "the public half was not shown, and {} could not be removed ({error})",
            private.display()
        )),
    })
}

fn list(context: &Context, json: bool) -> Result<(), Failure> {
    let answer = context.ask(async |desk| ask_one(desk, Ask::KeyList).await)?;
    let Answer::Keys { keys } = answer else { return Err(Failure::mismatch()) };
    if json {
        return output::json(&keys);
    }
    if keys.is_empty() {
        return say("No keys yet: the first start makes them");
    }
    let row = |it: &KeyView| {
        let gone = it.gone_at.clone().unwrap_or_default();
        let begins = it.active_from.clone();
        vec![it.key_id.clone(), it.purpose.clone(), it.algorithm.clone(), it.state.0.clone(), begins, gone]
    };
    let columns = [
        Column::Id("KID"),
        Column::Text("FOR"),
        Column::Text("ALGORITHM"),
        Column::Text("STATE"),
        Column::Text("SIGNS FROM"),
        Column::Text("GONE AT"),
    ];
    output::table(&columns, keys.iter().map(row))
}
