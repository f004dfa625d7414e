//! What was just done, told on the page that follows. In: a key of a fixed list, carried in a query by our own redirect. Out: the id of
//! a text. No text of a request is ever shown, and no cookie remembers what was done.

use http::request::Parts;
use vestibule_core::wire::way_back;

use crate::form::Form;

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Confirmed,
    CookiesDeleted,
    IdentifierChanged,
    NothingToEnd,
    NotSent,
    OthersEnded,
    PasswordChanged,
    Registered,
    SessionEnded,
}

impl Notice {
    const ALL: [Self; 9] = [
        Self::Confirmed,
        Self::CookiesDeleted,
        Self::IdentifierChanged,
        Self::NothingToEnd,
        Self::NotSent,
        Self::OthersEnded,
        Self::PasswordChanged,
        Self::Registered,
        Self::SessionEnded,
    ];

    /// The one that a redirect of ours carries. What another site links to tells our visitors nothing.
    pub(crate) fn from_query(parts: &Parts) -> Option<Self> {
        if parts.headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return None;
        }
        let form = Form::parse(parts.uri.query()?.as_bytes()).ok()?;
        Self::ALL.into_iter().find(|notice| notice.key() == form.field("done"))
    }

    /// A page of ours that says it.
    pub(crate) fn told_on(self, page: &str) -> String {
        format!("{page}{}done={}", if page.contains('?') { '&' } else { '?' }, self.key())
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::CookiesDeleted => "cookies-deleted",
            Self::IdentifierChanged => "identifier-changed",
            Self::NothingToEnd => "nothing-to-end",
            Self::NotSent => way_back::NOT_SENT,
            Self::OthersEnded => "others-ended",
            Self::PasswordChanged => "password-changed",
            Self::Registered => "registered",
            Self::SessionEnded => "session-ended",
        }
    }

    /// The id of its text.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Confirmed => "notice-confirmed",
            Self::CookiesDeleted => "notice-cookies-deleted",
            Self::IdentifierChanged => "notice-identifier-changed",
            Self::NothingToEnd => "notice-nothing-to-end",
            Self::NotSent => "notice-not-sent",
            Self::OthersEnded => "notice-others-ended",
            Self::PasswordChanged => "notice-password-changed",
            Self::Registered => "notice-registered",
            Self::SessionEnded => "notice-session-ended",
        }
    }
}
