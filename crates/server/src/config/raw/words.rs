//! The words that some keys take, for the schema alone: an editor offers them and marks others. What each means is judged by
//! [`super::super::settings`]; a test holds the two to each other.

#![expect(dead_code, reason = "the variants' names are what is used")]

use schemars::JsonSchema;

/// `tokens.algorithm`.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(super) enum Algorithm {
    #[schemars(rename = "ES256")]
    Es256,
    #[schemars(rename = "EdDSA")]
    EdDsa,
    #[schemars(rename = "RS256")]
    Rs256,
    #[schemars(rename = "PS256")]
    Ps256,
}

/// `route[].accept`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub(super) enum Accept {
    SessionCookie,
    SessionHeader,
    TokenCookie,
    TokenHeader,
}

/// `route[].csrf`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub(super) enum Csrf {
    Token,
    Origin,
    Off,
}

/// `audience[].encrypt_with`.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(super) enum Encryption {
    #[schemars(rename = "A256GCM")]
    A256Gcm,
    #[schemars(rename = "A128GCM")]
    A128Gcm,
    #[schemars(rename = "A256CBC-HS512")]
    A256CbcHs512,
}

/// `route[].require`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub(super) enum Require {
    SignedIn,
    Public,
}

/// `store.sessions`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub(super) enum Sessions {
    Same,
}

/// `route[].ambiguous_path`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub(super) enum AmbiguousPath {
    Refuse,
    Pass,
}

/// `route[].case`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub(super) enum Case {
    Fold,
    Sensitive,
}

/// `route[].headers_encoding`.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(super) enum HeadersEncoding {
    #[schemars(rename = "drop")]
    Drop,
    #[schemars(rename = "percent")]
    Percent,
    #[schemars(rename = "utf-8")]
    Utf8,
}
