//! The section `[paths]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where Vestibule's own pages, API and OAuth endpoints are.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Paths {
    /// The path that they are below: letters, digits, `-`, `.`, `_`, `~` and `/`, 64 characters at most, without a `/` at the end. No route
    /// may be at or below it.
    pub(crate) prefix: String,
    /// Whether the proxy in front takes the prefix off before it passes a request on. Links keep it. `public` then has no other pages, and no
    /// route may have an `upstream`. `internal` always takes the whole address.
    pub(crate) stripped: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Self { prefix: vestibule_core::wire::Paths::DEFAULT.into(), stripped: false }
    }
}
