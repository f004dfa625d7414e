//! How long tokens live. In: `[tokens]`. Out: spans, each of them one that makes sense.

use std::time::Duration;

use vestibule_core::mint::LONGEST_ACCESS;
use vestibule_core::session::SessionLimits;
use vestibule_verify::MAX_JWT_BYTES;

use super::{at_least, sessions};
use crate::config::Wrong;
use crate::config::raw;
use crate::config::span::Span;

/// Of a retry that comes later than this nobody can tell whether it is one (RFC 9700 section 4.14.2).
const WIDEST_WINDOW: Span = Span::minutes(1);

/// Token mode, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenSettings {
    /// How long an access token lives.
    pub(crate) access: Duration,
    /// How long the sessions live whose holders have refresh tokens.
    pub(crate) refresh: SessionLimits,
    /// The most bytes of a service's JWT.
    pub(crate) largest_jwt: usize,
    /// For how long a used refresh token is forgiven; zero is the strict profile.
    pub(crate) replay_window: Duration,
}

/// What a JWT without claims of its own takes fits into this.
pub(super) const LEAST_JWT: usize = 2048;
/// Verifiers take no more than the most.
const JWT_BYTES: std::ops::RangeInclusive<usize> = LEAST_JWT..=MAX_JWT_BYTES;

pub(super) fn settings(raw: &raw::Tokens) -> Result<TokenSettings, Wrong> {
    let access = at_least("tokens.access", raw.access, Span::minutes(1))?;
    if access > LONGEST_ACCESS {
        let what = format!("{} is too long; 1h is the most: refreshing takes over from there", raw.access);
        return Err(Wrong::new("tokens.access", what));
    }
    let window = raw.refresh.replay_window;
    if window.duration() > WIDEST_WINDOW.duration() {
        let what = format!("{window} is too long; {WIDEST_WINDOW} is the most");
        return Err(Wrong::new("tokens.refresh.replay_window", what));
    }
    if raw.cookies && window.duration().is_zero() {
        let what = "0s forgives nothing, and two tabs that refresh at the same moment would end their session; \
                    with tokens.cookies = true, say 1s or more";
        return Err(Wrong::new("tokens.refresh.replay_window", what));
    }
    Ok(TokenSettings {
        access,
        largest_jwt: largest_jwt(raw.largest_jwt)?,
        refresh: sessions::judged("tokens.refresh", raw.refresh.idle, raw.refresh.absolute)?,
        replay_window: window.duration(),
    })
}

fn largest_jwt(bytes: u32) -> Result<usize, Wrong> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if !JWT_BYTES.contains(&bytes) {
        let what = format!("{bytes} is out of range; {} to {} bytes", JWT_BYTES.start(), JWT_BYTES.end());
        return Err(Wrong::new("tokens.largest_jwt", what));
    }
    Ok(bytes)
}
