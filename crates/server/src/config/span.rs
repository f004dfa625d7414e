//! A length of time as people write it: "30m", "12h", "1h30m". In: text. Out: a duration, and back to the shortest text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time, to the second.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^([0-9]+[dhms])+$", "examples" = ["30m", "12h", "1h30m"]))]
pub(crate) struct Span(Duration);

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotASpan(String);

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// A hundred years: beyond it somebody's finger slipped.
const LONGEST: u64 = 100 * 365 * 86_400;

impl Span {
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub(crate) const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    pub(crate) const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    pub(crate) const fn days(days: u64) -> Self {
        Self::hours(days * 24)
    }

    pub(crate) const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let wrong = || NotASpan(text.to_owned());
        let mut total: u64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let (number, behind) = rest.split_at(digits);
            let unit = behind.chars().next().ok_or_else(wrong)?;
            let (_, seconds) = UNITS.iter().find(|(letter, _)| *letter == unit).ok_or_else(wrong)?;
            let number: u64 = number.parse().map_err(|_| wrong())?;
            total = number.checked_mul(*seconds).and_then(|it| total.checked_add(it)).ok_or_else(wrong)?;
            rest = behind.get(unit.len_utf8()..).unwrap_or_default();
        }
        if text.is_empty() || total > LONGEST { Err(wrong()) } else { Ok(Self::seconds(total)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_secs();
        if left == 0 {
            return f.write_str("0s");
        }
        for (letter, seconds) in UNITS {
            if left >= seconds {
                write!(f, "{}{letter}", left / seconds)?;
                left %= seconds;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NotASpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a length of time; write it like \"90s\", \"30m\", \"12h\" or \"7d\"", self.0)
    }
}

impl TryFrom<String> for Span {
    type Error = NotASpan;

    fn try_from(text: String) -> Result<Self, NotASpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("1h30m", 5400), ("0s", 0)]
        {
            assert_eq!(text.parse(), Ok(Span::seconds(seconds)), "{text}");
        }
        assert_eq!(Span::seconds(5400).to_string(), "1h30m");
        assert_eq!(Span::seconds(90).to_string(), "1m30s");
        assert_eq!(Span::days(30).to_string(), "30d");
        assert_eq!(Span::seconds(0).to_string(), "0s");
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused() {
        for text in
            ["", "5", "m", "5 m", "-5m", "1.5h", "5M", "5ms", "5min", "99999999999999999999s", "36501d"]
        {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }
}
