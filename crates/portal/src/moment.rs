//! Time for people and programs to read. In: moments of the server's clock. Out: RFC 3339 for programs, words for people in their
//! language; and spans in English, for the API.

use std::time::Duration;

use fluent_bundle::FluentArgs;
use jiff::tz::TimeZone;
use vestibule_core::Timestamp;

use crate::texts::Language;

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
    pub(crate) fn seen_from(language: &Language, now: Timestamp, at: Timestamp) -> Self {
        Self { machine: rfc_3339(at), exact: in_words(language, at), ago: ago(language, now.since(at)) }
    }
}

/// As programs read it, in whole seconds.
pub(crate) fn rfc_3339(at: Timestamp) -> String {
    moment(at).to_string()
}

fn in_words(language: &Language, at: Timestamp) -> String {
    let at = moment(at).to_zoned(TimeZone::UTC);
    let mut values = FluentArgs::with_capacity(4);
    values.set("day", at.day());
    values.set("month", at.month());
    // As text: no language groups the digits of a year.
    values.set("year", at.year().to_string());
    values.set("time", format!("{:02}:{:02}", at.hour(), at.minute()));
    language.format("moment", Some(&values)).into_owned()
}

fn moment(at: Timestamp) -> jiff::Timestamp {
    let seconds = i64::try_from(at.unix_seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX)
}

fn ago(language: &Language, span: Duration) -> String {
    match span.as_secs() {
        0..60 => language.say("ago-now").into_owned(),
        seconds @ 60..3600 => language.say_with("ago-minutes", "count", seconds / 60),
        seconds @ 3600..86_400 => language.say_with("ago-hours", "count", seconds / 3600),
        seconds => language.say_with("ago-days", "count", seconds / 86_400),
    }
}

/// What a span is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
}

/// A wait or a limit, rounded up, so that who waits that long has waited long enough.
pub(crate) fn counted(wait: Duration) -> (u64, Unit) {
    let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
    match seconds {
        1..=90 => (seconds, Unit::Seconds),
        91..=5400 => (seconds.div_ceil(60), Unit::Minutes),
        5401..172_800 => (seconds.div_ceil(3600), Unit::Hours),
        _ => (seconds.div_ceil(86_400), Unit::Days),
    }
}

/// The same in English, for the API.
pub(crate) fn span(wait: Duration) -> String {
    let (count, unit) = counted(wait);
    let unit = match unit {
        Unit::Days => "day",
        Unit::Hours => "hour",
        Unit::Minutes => "minute",
        Unit::Seconds => "second",
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> std::sync::Arc<Language> {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::ACCEPT_LANGUAGE, tag.parse().unwrap());
        crate::texts::Texts::ours().unwrap().negotiate(&headers)
    }

    #[test]
    fn a_moment_reads_well_to_people_and_programs() {
        let at = Timestamp::from_unix_seconds(1_800_000_000);
        let english = language("en");
        let seen = |seconds| Moment::seen_from(&english, at.after(Duration::from_secs(seconds)), at);
        assert_eq!(seen(0).machine, "2027-01-15T08:00:00Z");
        assert_eq!(seen(0).exact, "15 Jan 2027, 08:00 UTC");
        let words = [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (7199, "1 hour ago")];
        for (seconds, expected) in words.into_iter().chain([(7200, "2 hours ago"), (172_800, "2 days ago")]) {
            assert_eq!(seen(seconds).ago, expected);
        }
        // A clock that stepped back is no reason for "in -3 minutes".
        assert_eq!(Moment::seen_from(&english, Timestamp::EPOCH, at).ago, "just now");
    }

    #[test]
    fn a_moment_reads_well_in_german() {
        let at = Timestamp::from_unix_seconds(1_800_000_000);
        let german = language("de");
        let seen = |seconds| Moment::seen_from(&german, at.after(Duration::from_secs(seconds)), at);
        assert_eq!(seen(0).exact, "15. Januar 2027, 08:00 UTC");
        for (seconds, expected) in [
            (0, "gerade eben"),
            (60, "vor 1 Minute"),
            (7199, "vor 1 Stunde"),
            (7200, "vor 2 Stunden"),
            (172_800, "vor 2 Tagen"),
        ] {
            assert_eq!(seen(seconds).ago, expected);
        }
    }

    /// Every month has a name of its own: a selector that misses one would say December.
    #[test]
    fn every_month_has_its_name() {
        for tag in ["en", "de"] {
            let language = language(tag);
            let mut names: Vec<String> = (0..12)
                .map(|month| {
                    let at = Timestamp::from_unix_seconds(1_800_000_000 + month * 2_629_800);
                    let exact = Moment::seen_from(&language, at, at).exact;
                    exact.split(' ').nth(1).unwrap().to_owned()
                })
                .collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), 12, "{tag}: {names:?}");
        }
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
