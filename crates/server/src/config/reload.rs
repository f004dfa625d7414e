//! What a reload may change. In: the settings in force and those that were read anew. Out: what is taken over, what waits for a
//! restart, and what makes the whole reload refused.

use serde_json::Value;

use super::settings::{Danger, Lasts, Settings};

/// The only keys that take effect while the server runs.
const TAKEN: [&str; 3] = ["audience", "route", "trusted_proxies.forward_auth"];

/// Keys on which what would be taken rests: routes for another origin, other listeners or another prefix are half a configuration.
const REFUSED: [&str; 3] = ["listen", "paths", "public_url"];

/// How two settings differ where a reload cannot follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Because of these, nothing is taken over.
    pub(crate) refused: Vec<String>,
    /// These stay as they are until a restart.
    pub(crate) waiting: Vec<String>,
}

impl Differences {
    /// Compares what is in force with what was read. Names keys alone, no values.
    pub(crate) fn between(older: &Settings, newer: &Settings) -> Self {
        let (Some(older), Some(newer)) = (written(older), written(newer)) else {
            return Self { refused: vec!["what cannot be compared".to_owned()], waiting: Vec::new() };
        };
        let mut differing = Vec::new();
        compare("", &older, &newer, &mut differing);
        differing.retain(|key| !is_among(key, &TAKEN));
        let (refused, waiting) = differing.into_iter().partition(|key| is_among(key, &REFUSED));
        Self { refused, waiting }
    }
}

/// The dangers in force after a reload: those of what was taken over, and the older ones of what was not.
pub(crate) fn dangers_after(older: &Settings, newer: &Settings) -> Vec<Danger> {
    let lasting = |danger: &&Danger| danger.lasts == Lasts::UntilRestart;
    let taken = newer.dangers.iter().filter(|danger| danger.lasts == Lasts::UntilReload);
    older.dangers.iter().filter(lasting).chain(taken).cloned().collect()
}

fn written(settings: &Settings) -> Option<Value> {
    serde_json::to_value(&settings.raw).ok()
}

fn is_among(key: &str, keys: &[&str]) -> bool {
    keys.iter()
        .any(|known| key == *known || key.strip_prefix(known).is_some_and(|rest| rest.starts_with('.')))
}

fn compare(at: &str, older: &Value, newer: &Value, differing: &mut Vec<String>) {
    match (older, newer) {
        (Value::Object(older), Value::Object(newer)) => {
            let mut names: Vec<&String> = older.keys().chain(newer.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                let of =
                    |table: &serde_json::Map<String, Value>| table.get(name).cloned().unwrap_or_default();
                compare(&key, &of(older), &of(newer), differing);
            }
        }
        _ if older == newer => {}
        _ => differing.push(at.to_owned()),
    }
}
