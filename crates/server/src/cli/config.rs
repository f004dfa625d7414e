//! `vestibule config …`: is it right, what is in force, what can be written.

use clap::Subcommand;
use serde_json::{Value, json};
use vestibule_core::text::is_unseen;

use super::output::{self, counted, say};
use super::{Context, Failure};
use crate::config::raw::Raw;
use crate::config::warnings;
use crate::untrusted;

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Say whether the configuration is right
    Check,
    /// Print the settings in force; secrets are named by their files and never shown
    Show {
        /// Print JSON instead of TOML
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}

impl ConfigCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Check => {
                let settings = context.settings()?;
                say(&format!(
                    "{} is right: {}, {}",
                    context.source,
                    counted(settings.routes.len(), "route"),
                    counted(settings.audiences.len(), "audience")
                ))?;
                for danger in &settings.dangers {
                    say(&format!("danger: {}: {}", danger.key, danger.what))?;
                }
                for warning in warnings(&settings).into_iter().chain(untrusted::none_named(&settings)) {
                    say(&format!("warning: {warning}"))?;
                }
                if let Some(exposed) = context.source.exposed() {
                    say(&format!("warning: {exposed}"))?;
                }
                for note in &settings.notes {
                    say(note)?;
                }
                Ok(())
            }
            Self::Schema => output::json(&schemars::schema_for!(Raw)),
            Self::Show { json } => show(context, json),
        }
    }
}

/// What cannot be seen is escaped as TOML escapes it.
fn toml_spelled_out(line: &str) -> String {
    let mut readable = String::with_capacity(line.len());
    for character in line.chars() {
        if is_unseen(character) {
            readable.push_str(&format!("\\U{:08X}", u32::from(character)));
        } else {
            readable.push(character);
        }
    }
    readable
}

fn show(context: &Context, json: bool) -> Result<(), Failure> {
    let settings = context.settings()?;
    if json {
        let dangers: Vec<Value> =
            settings.dangers.iter().map(|it| json!({ "key": it.key, "what": it.what })).collect();
        return output::json(&json!({ "settings": settings.raw, "dangers": dangers }));
    }
    for danger in &settings.dangers {
        say(&format!("# danger: {}: {}", danger.key, danger.what))?;
    }
    let text = toml::to_string(&settings.raw)
        .map_err(|error| Failure::Unknown(format!("the settings cannot be told: {error}")))?;
    say(&text.trim_end().split('\n').map(toml_spelled_out).collect::<Vec<_>>().join("\n"))
}
