//! How long sessions live and how many there may be. In: `[sessions]`. Out: core's limits, each of them one that makes sense.

use std::num::NonZeroU32;
use std::time::Duration;

use vestibule_core::session::{Cap, SessionLimits};

use super::at_least;
use crate::config::Wrong;
use crate::config::raw;
use crate::config::span::Span;

/// Browsers forget a cookie after so long, whatever it says (RFC 6265bis section 5.5).
const LONGEST: Span = Span::days(400);

/// The longest that a proof may be called fresh.
const LONGEST_STEP_UP: Span = Span::hours(1);

pub(super) fn limits(raw: &raw::Sessions) -> Result<SessionLimits, Wrong> {
    judged("sessions", raw.idle, raw.absolute)
}

/// The limits are judged even where nobody is remembered: whoever turns it on later must not find that they never were.
pub(super) fn remember(raw: &raw::Remember) -> Result<Option<SessionLimits>, Wrong> {
    let limits = judged("sessions.remember", raw.idle, raw.absolute)?;
    Ok(raw.enabled.then_some(limits))
}

pub(super) fn cap(max_per_account: u32) -> Cap {
    Cap { most: NonZeroU32::new(max_per_account) }
}

pub(super) fn step_up(raw: &raw::Sessions) -> Result<Duration, Wrong> {
    let key = "sessions.step_up";
    if raw.step_up.duration() > LONGEST_STEP_UP.duration() {
        let what = format!("{} is too long; {LONGEST_STEP_UP} is the most", raw.step_up);
        return Err(Wrong::new(key, what));
    }
    at_least(key, raw.step_up, Span::minutes(1))
}

pub(super) fn judged(section: &str, idle: Span, absolute: Span) -> Result<SessionLimits, Wrong> {
    let (idle_key, absolute_key) = (format!("{section}.idle"), format!("{section}.absolute"));
    let limits = SessionLimits {
        idle: at_least(&idle_key, idle, Span::minutes(1))?,
        absolute: at_least(&absolute_key, absolute, Span::minutes(1))?,
    };
    if limits.absolute > LONGEST.duration() {
        return Err(Wrong::new(absolute_key, format!("{absolute} is too long; {LONGEST} is the most")));
    }
    if limits.idle > limits.absolute {
        let what = format!("{idle} is longer than `{absolute_key}` ({absolute}); make it shorter");
        return Err(Wrong::new(idle_key, what));
    }
    Ok(limits)
}
