//! What the operator asks of accounts. In: the section as written, and the file that it names. Out: a schema that was understood, so that a
//! wrong one is found by `config check` and not by the first account.

use std::path::Path;
use std::sync::Arc;

use crate::config::{Wrong, raw};
use crate::host::text_file;
use crate::traits_schema::{MOST_BYTES, TraitsSchema};

const KEY: &str = "accounts.traits_schema_file";

/// The schema for traits, if there is one; a relative file starts at `base`.
pub(super) fn traits_schema(raw: &raw::Accounts, base: &Path) -> Result<Option<Arc<TraitsSchema>>, Wrong> {
    let Some(file) = &raw.traits_schema_file else { return Ok(None) };
    let file = base.join(file);
    let said = |what: String| Wrong::new(KEY, format!("{} {what}", file.display()));
    if std::fs::metadata(&file).is_ok_and(|it| !it.is_file()) {
        return Err(said("is not a file".to_owned()));
    }
    let text = text_file::read(&file, MOST_BYTES).map_err(said)?;
    TraitsSchema::parse(&text).map(|schema| Some(Arc::new(schema))).map_err(said)
}

/// Whether owners may change their identifiers. Where operators gave those, services may take them for checked addresses, so
/// owners keep theirs unless the operator says otherwise.
pub(super) fn identifier_change(raw: &raw::Accounts, registration: raw::Registration) -> bool {
    raw.identifier_change.unwrap_or(registration == raw::Registration::Open)
}
