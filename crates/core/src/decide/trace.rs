//! What `explain` prints: the steps of one decision, noted while it is taken. Off on the hot path, where it costs a branch.

use crate::id::{SessionId, Subject};
use crate::reject::Reject;
use crate::route::Activity;
use crate::wire::{CredentialKind, Transport};

/// One step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A JWT was verified.
    Jwt {
        /// LoginTarget it speaks for.
        subject: Subject,
        /// Its `exp`, in Unix seconds.
        expires_at: u64,
    },
    /// No session belongs to the token.
    NoSession {
        /// Whether memory alone could tell.
        warm: bool,
    },
    /// The request may pass.
    Permitted {
        /// As whom; `None` is anonymous.
        subject: Option<Subject>,
    },
    /// A credential was found.
    Presented {
        /// Which kind.
        kind: CredentialKind,
        /// How it came.
        transport: Transport,
    },
    /// The answer is no.
    Refused {
        /// Why.
        reject: Reject,
    },
    /// A route covers the request.
    Route {
        /// Its path pattern.
        path: String,
        /// Its audience.
        audience: Option<String>,
        /// Whether its requests keep a session alive.
        activity: Activity,
        /// The path pattern of the route that covers the exact spelling of the path, where the route that decides was found by
        /// folding.
        exact: Option<String>,
    },
    /// A session belongs to the token.
    Session {
        /// Its public name.
        id: SessionId,
        /// Whose it is.
        subject: Subject,
        /// Its version.
        version: u32,
        /// The subject's epoch it was opened in.
        epoch: u64,
        /// Whether it was in memory.
        warm: bool,
    },
}

/// Collects steps, or nothing.
pub struct Trace(Option<Vec<Step>>);

impl Trace {
    /// Collects nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Collects every step.
    pub const fn on() -> Self {
        Self(Some(Vec::new()))
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(crate) fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }
}
