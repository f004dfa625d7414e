//! Overrides from the environment: `VESTIBULE__SECTION__KEY`. In: the process's variables. Out: a table like the file's, each value
//! taken as the kind that its key wants.

use toml::{Table, Value};

use super::raw::Raw;
use super::{ConfigError, clean};

pub(super) const PREFIX: &str = "VESTIBULE__";

/// One override.
pub(crate) struct Override {
    name: String,
    /// `section.key`.
    pub(super) path: String,
    value: Value,
}

/// All variables of the process that set something, by name.
pub(crate) fn variables() -> Vec<(String, String)> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads overrides")]
    let all = std::env::vars_os();
    let mut ours: Vec<(String, String)> = all
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    ours.sort();
    ours
}

/// Reads overrides; refuses those that set nothing we know.
pub(super) fn read(variables: &[(String, String)]) -> Result<Vec<Override>, ConfigError> {
    variables.iter().map(|(name, value)| Override::read(name, value)).collect()
}

/// Puts overrides over what the file says.
pub(super) fn apply(overrides: &[Override], table: &mut Table) {
    for one in overrides {
        insert(table, &one.path, one.value.clone());
    }
}

impl Override {
    fn read(name: &str, text: &str) -> Result<Self, ConfigError> {
        let path = name.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".");
        // Every key stands alone in an otherwise empty file, so whether a value fits can be tried out. As text first:
        // `30m` needs no quotes, and a folder called `123` is no number.
        let as_toml = parse_value(text);
        let as_text = match &as_toml {
            Some(Value::String(quoted)) => quoted.clone(),
            _ => text.to_owned(),
        };
        let mut reason = None;
        for value in [Some(Value::String(as_text)), as_toml].into_iter().flatten() {
            let mut alone = Table::new();
            insert(&mut alone, &path, value.clone());
            match alone.try_into::<Raw>() {
                Ok(_) => return Ok(Self { name: name.to_owned(), path, value }),
                Err(error) => reason = Some(clean(error.message())),
            }
        }
        let what = reason.unwrap_or_else(|| "cannot be read".into());
        Err(ConfigError { place: format!("environment variable {name}"), key: path, what })
    }

    pub(super) fn sets(&self, key: &str) -> bool {
        key == self.path || key.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with(['.', '[']))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn parse_value(text: &str) -> Option<Value> {
    let table: Table = format!("value = {text}").parse().ok()?;
    if table.len() == 1 { table.get("value").cloned() } else { None }
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if !section.is_table() {
                *section = Value::Table(Table::new());
            }
            if let Value::Table(section) = section {
                insert(section, rest, value);
            }
        }
    }
}
