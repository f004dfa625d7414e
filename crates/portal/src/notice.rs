//! What was just done, told on the page that follows. In: a key of a fixed list, carried in a query by our own redirect. Out: a
//! sentence. No text of a request is ever shown, and no cookie remembers anything.

use http::request::Parts;

use crate::form::Form;

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Confirmed,
    NothingToEnd,
    OthersEnded,
    PasswordChanged,
    Registered,
    SessionEnded,
}

impl Notice {
    const ALL: [Self; 6] = [
        Self::Confirmed,
        Self::NothingToEnd,
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
            Self::NothingToEnd => "nothing-to-end",
            Self::OthersEnded => "others-ended",
            Self::PasswordChanged => "password-changed",
            Self::Registered => "registered",
            Self::SessionEnded => "session-ended",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Confirmed => "Thank you. For the next minutes you will not be asked again.",
            Self::NothingToEnd => "That device was signed out already.",
            Self::OthersEnded => "Every other device is signed out. This is the only one left.",
            Self::PasswordChanged => "Your password is changed. Every other device is signed out.",
            // True whether or not there was an account of that name before, and for both it is all there is to do.
            Self::Registered => {
                "You can sign in now. If you had an account under that name before, it is as it was, \
                 with the password it had."
            }
            Self::SessionEnded => "That device is signed out.",
        }
    }
}
