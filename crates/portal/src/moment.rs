//! Time for people and programs to read. In: moments of the server's clock. Out: RFC 3339 for programs, words for people.

use std::time::Duration;

use jiff::tz::TimeZone;
use vestibule_core::Timestamp;

/// A moment, for a page.
pub(crate) struct Moment {
    /// RFC 3339, for `<time datetime>`.
    pub(crate) machine: String,
    /// Date and time of day, UTC: a page without scripts cannot know the reader's zone, so it says which one it is.
    pub(crate) exact: String,
    /// How long ago.
    pub(crate) ago: String,
}

impl Moment {
    pub(crate) fn seen_from(now: Timestamp, at: Timestamp) -> Self {
        Self { machine: rfc_3339(at), exact: in_words(at), ago: ago(now.since(at)) }
    }
}

/// As programs read it, in whole seconds.
pub(crate) fn rfc_3339(at: Timestamp) -> String {
    moment(at).to_string()
}

fn in_words(at: Timestamp) -> String {
    moment(at).to_zoned(TimeZone::UTC).strftime("%-d %b %Y, %H:%M UTC").to_string()
}

fn moment(at: Timestamp) -> jiff::Timestamp {
    let seconds = i64::try_from(at.unix_seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX)
}

fn ago(span: Duration) -> String {
    match span.as_secs() {
        0..60 => "just now".to_owned(),
        60..3600 => counted(span.as_secs() / 60, "minute") + " ago",
        3600..86_400 => counted(span.as_secs() / 3600, "hour") + " ago",
        seconds => counted(seconds / 86_400, "day") + " ago",
    }
}

/// A wait or a limit, rounded up, so that who waits that long has waited long enough.
pub(crate) fn span(wait: Duration) -> String {
    let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    match seconds {
        1..=90 => counted(seconds, "second"),
        91..=5400 => counted(seconds.div_ceil(60), "minute"),
        5401..172_800 => counted(seconds.div_ceil(3600), "hour"),
        _ => counted(seconds.div_ceil(86_400), "day"),
    }
}

fn counted(count: u64, unit: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_well_to_people_and_programs() {
        let at = Timestamp::from_unix_seconds(1_800_000_000);
        let seen = |seconds| Moment::seen_from(at.after(Duration::from_secs(seconds)), at);
        assert_eq!(seen(0).machine, "2027-01-15T08:00:00Z");
        assert_eq!(seen(0).exact, "15 Jan 2027, 08:00 UTC");
        let words = [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (7199, "1 hour ago")];
        for (seconds, expected) in words.into_iter().chain([(7200, "2 hours ago"), (172_800, "2 days ago")]) {
            assert_eq!(seen(seconds).ago, expected);
        }
        // A clock that stepped back is no reason for "in -3 minutes".
        assert_eq!(Moment::seen_from(Timestamp::EPOCH, at).ago, "just now");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let waits = [(1, "1 second"), (1001, "2 seconds"), (90_000, "90 seconds"), (90_001, "2 minutes")];
        for (millis, expected) in waits.into_iter().chain([
            (900_000, "15 minutes"),
            (86_400_000, "24 hours"),
            (604_800_000, "7 days"),
        ]) {
            assert_eq!(span(Duration::from_millis(millis)), expected);
        }
        assert_eq!(span(Duration::ZERO), "1 second");
    }
}
