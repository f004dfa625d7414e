//! Where our own pages are. In: the prefix that an operator configured. Out: addresses as links carry them, and what is left of a
//! request's path below the prefix. Nothing else in the program spells the prefix out.

use std::fmt;

#[cfg(test)]
mod tests;

/// The login page, below the prefix: where every door sends visitors.
pub const LOGIN: &str = "/login";

/// The prefix of our own pages, and whether requests arrive with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    prefix: String,
    is_stripped: bool,
}

impl Paths {
    /// Where pages are unless an operator says otherwise.
    pub const DEFAULT: &str = "/auth";
    /// The most characters of a prefix: it is part of every address, and of every way back.
    pub const LONGEST: usize = 64;

    /// Pages below this prefix, such as `/auth` or `/apps/sso`: one or more segments of letters, digits, `-`, `.`, `_` and `~`, which
    /// every program reads in one way (RFC 3986 section 2.3).
    pub fn below(prefix: &str) -> Result<Self, NotAPrefix> {
        let segments = prefix.strip_prefix('/').ok_or(NotAPrefix::NoSlash)?;
        if segments.is_empty() {
            return Err(NotAPrefix::Everything);
        }
        if prefix.ends_with('/') {
            return Err(NotAPrefix::TrailingSlash);
        }
        if prefix.len() > Self::LONGEST {
            return Err(NotAPrefix::Long);
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // A trailing dot is dropped by some programs, and "." and ".." are read as steps.
        let is_segment =
            |segment: &str| !segment.is_empty() && !segment.ends_with('.') && segment.bytes().all(is_plain);
        if !segments.split('/').all(is_segment) {
            return Err(NotAPrefix::NotPlain);
        }
        if segments.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(".well-known")) {
            return Err(NotAPrefix::WellKnown);
        }
        Ok(Self { prefix: prefix.to_owned(), is_stripped: false })
    }

    /// The same behind a proxy that takes the prefix off before it passes a request on. Links still carry it.
    #[must_use]
    pub fn stripped(self) -> Self {
        Self { is_stripped: true, ..self }
    }

    /// Whether requests to the public listener arrive without the prefix.
    pub fn is_stripped(&self) -> bool {
        self.is_stripped
    }

    /// The prefix, as links carry it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The path by which browsers and clients reach `inner`, which begins with `/` and is below the prefix.
    pub fn to(&self, inner: &str) -> String {
        format!("{}{inner}", self.prefix)
    }

    /// The path by which requests for `inner` arrive.
    pub fn arriving(&self, inner: &str) -> String {
        if self.is_stripped { inner.to_owned() } else { self.to(inner) }
    }

    /// What an address names below the prefix: nothing or a path; `None` for an address that is not at or below it.
    pub fn named<'a>(&self, address: &'a str) -> Option<&'a str> {
        let inner = address.strip_prefix(self.prefix.as_str())?;
        (inner.is_empty() || inner.starts_with('/')).then_some(inner)
    }

    /// The same for the path of a request as it arrives. Where the prefix is taken off, every path is below it.
    pub fn inner<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.is_stripped { Some(path) } else { self.named(path) }
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self { prefix: Self::DEFAULT.to_owned(), is_stripped: false }
    }
}

/// Why a text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPrefix {
    /// `/` alone: the application would have no address left.
    Everything,
    /// More than [`Paths::LONGEST`] characters.
    Long,
    /// It does not begin with `/`.
    NoSlash,
    /// A character or a segment that programs read in different ways.
    NotPlain,
    /// It ends in `/`.
    TrailingSlash,
    /// It is at or below `/.well-known`, which is for documents of other kinds (RFC 8615).
    WellKnown,
}

impl fmt::Display for NotAPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("would leave no path for the application; write it like \"/auth\""),
            Self::Long => write!(f, "is longer than {} characters", Paths::LONGEST),
            Self::NoSlash => f.write_str("does not begin with /; write it like \"/auth\""),
            Self::NotPlain => f.write_str(
                "is not a plain path; use letters, digits, -, ., _ and ~, no empty segment, and none that ends in a dot",
            ),
            Self::TrailingSlash => f.write_str("ends in /; leave the last / out"),
            Self::WellKnown => f.write_str("is under /.well-known, where no pages belong (RFC 8615); choose another"),
        }
    }
}

impl std::error::Error for NotAPrefix {}
