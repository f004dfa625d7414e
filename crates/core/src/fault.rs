//! *Could not tell*: the third answer beside yes and no. Whoever meets a fault answers 503 and changes nothing: never a
//! yes, never a logout. Backends map their own errors into this one type, so that core never names a database.

use std::error::Error;
use std::time::Duration;

/// Why no answer could be given.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A defect of ours: a state that the code holds to be impossible.
    #[error("internal defect: {0}")]
    Bug(&'static str),
    /// Something stored cannot be what we wrote.
    #[error("{what} is corrupt")]
    Corrupt {
        /// What was read, in the operator's words.
        what: &'static str,
        /// The backend's or parser's own error.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Too much work is waiting already; nothing was done.
    #[error("overloaded: {what}")]
    Overloaded {
        /// Which queue was full.
        what: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// A store or the operating system did not do its part.
    #[error("{what} is unavailable")]
    Unavailable {
        /// What did not answer, in the operator's words.
        what: &'static str,
        /// The backend's own error.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl Fault {
    /// Something that should have answered did not.
    pub fn unavailable(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { what, source: Some(source.into()) }
    }

    /// Something stored cannot be read as what we wrote.
    pub fn corrupt(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Corrupt { what, source: Some(source.into()) }
    }

    /// A stable word for metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bug(_) => "bug",
            Self::Corrupt { .. } => "corrupt",
            Self::Overloaded { .. } => "overloaded",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The fault with all that caused it, for one log line.
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}
