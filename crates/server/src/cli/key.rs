//! `vestibule key …`: the signing key ring.

use clap::Subcommand;

use super::output::{self, say};
use super::{Context, Failure, ask_one};
use crate::control::view::KeyView;
use crate::control::{Answer, Ask, Beginning, Purpose};

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List signing keys
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a key that takes over after `keys.publish_ahead`: of those that services verify by, unless said otherwise
    Rotate {
        /// Of those that sign access tokens, which this gateway alone verifies
        #[arg(long)]
        edge: bool,
        /// Let it sign at once; verifiers that keep key sets must fetch anew
        #[arg(long)]
        now: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Withdraw a key at once: nothing it signed is accepted any more
    Retire {
        /// As `key list` names it; one in 64 begins with a hyphen
        #[arg(value_name = "KID", allow_hyphen_values = true)]
        key_id: String,
    },
}

impl KeyCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List { json } => list(context, json),
            Self::Retire { key_id } => {
                let ask = Ask::KeyRetire { key_id: key_id.clone() };
                match context.ask(async |desk| ask_one(desk, ask).await)? {
                    Answer::Done { .. } => say(&format!("{key_id} is retired")),
                    _ => return Err(Failure::mismatch()),
                }
                Ok(())
            }
            Self::Rotate { edge, now, json } => {
                let begin = if now { Beginning::Now } else { Beginning::Ahead };
                let of = if edge { Purpose::Edge } else { Purpose::Services };
                let answer = context.ask(async |desk| ask_one(desk, Ask::KeyRotate { begin, of }).await)?;
                let Answer::Key { key } = answer else { return Err(Failure::mismatch()) };
                if json {
                    return output::json(&key);
                }
                say(&format!("{} ({}) signs from {} on", key.key_id, key.algorithm, key.active_from));
                Ok(())
            }
        }
    }
}

fn list(context: &Context, json: bool) -> Result<(), Failure> {
    let answer = context.ask(async |desk| ask_one(desk, Ask::KeyList).await)?;
    let Answer::Keys { keys } = answer else { return Err(Failure::mismatch()) };
    if json {
        return output::json(&keys);
    }
    if keys.is_empty() {
        say("No keys yet: the first start makes one, and so does vestibule key rotate --now");
        return Ok(());
    }
    let row = |it: &KeyView| {
        let gone = it.gone_at.clone().unwrap_or_default();
        let begins = it.active_from.clone();
        vec![it.key_id.clone(), it.purpose.clone(), it.algorithm.clone(), it.state.0.clone(), begins, gone]
    };
    output::table(&["KID", "FOR", "ALGORITHM", "STATE", "SIGNS FROM", "GONE AT"], keys.iter().map(row));
    Ok(())
}
