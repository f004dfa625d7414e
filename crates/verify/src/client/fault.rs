//! Why an issuer's keys could not be had. Nothing here says that a JWT is bad: it could not be told.

use crate::key_reject::KeyReject;

/// Why keys could not be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryFault {
    /// The answer is not of the media type asked for, or is compressed.
    #[error("{url} answers with something other than {wanted}")]
    ContentType {
        /// Who answered.
        url: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The metadata names another issuer (RFC 8414 section 3.3): whose it is cannot be told.
    #[error("the metadata at {url} is that of another issuer")]
    IssuerMismatch {
        /// Who answered.
        url: String,
    },
    /// The key set is refused.
    #[error("the key set at {url} is refused: {reject}")]
    Keys {
        /// Who answered.
        url: String,
        /// Why.
        reject: KeyReject,
    },
    /// The metadata is not strict JSON, or lacks what is needed.
    #[error("the metadata at {url} is refused: {what}")]
    Metadata {
        /// Who answered.
        url: String,
        /// What is wrong.
        what: &'static str,
    },
    /// There is no tokio runtime to keep the keys fresh on.
    #[error("there is no tokio runtime here")]
    NoRuntime,
    /// Neither success nor "not modified". Redirects are not followed.
    #[error("{url} answers {status}")]
    Status {
        /// Who answered.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer took too long.
    #[error("{url} does not answer in time")]
    Timeout {
        /// Who was asked.
        url: String,
    },
    /// TLS cannot be spoken on this machine.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The answer is larger than allowed.
    #[error("the answer of {url} is too large")]
    TooLarge {
        /// Who answered.
        url: String,
    },
    /// No connection, no TLS, or no HTTP.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// Who was asked.
        url: String,
        /// The innermost cause.
        why: String,
    },
    /// Not a URL that keys may come from.
    #[error("{url:?} is no https URL for this: {what}")]
    Url {
        /// The text.
        url: String,
        /// What is wrong.
        what: &'static str,
    },
}
