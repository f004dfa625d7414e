//! The defaults of keys of audiences and routes, which serde asks for one by one.

use crate::config::span::Span;

pub(super) fn default_lifetime() -> Span {
    Span::seconds(120)
}

pub(super) fn default_require() -> String {
    "signed-in".into()
}

pub(super) fn default_accept() -> Vec<String> {
    ["session-cookie", "session-header", "token-header"].map(str::to_owned).to_vec()
}

pub(super) fn default_case() -> String {
    "fold".into()
}

pub(super) fn default_ambiguous_path() -> String {
    "refuse".into()
}

pub(super) fn default_headers_encoding() -> String {
    "drop".into()
}

pub(super) fn default_csrf() -> String {
    "token".into()
}

pub(super) fn default_assertion_header() -> String {
    "authorization".into()
}
