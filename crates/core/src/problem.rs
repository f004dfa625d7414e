//! How a no, or that we could not tell, is told to programs: one document for the doors, the pages and the listeners (RFC 9457).
//! In: status, stable code and words chosen at the edge. Out: JSON, and the incident that the log line names as well.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE32_DNSSEC;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::fault::Fault;
use crate::port::Entropy;

/// The media type of a problem document.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What stands before the code in `type`.
const TYPE: &str = "urn:vestibule:problem:";

/// A problem in words for the outside.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// The status of the answer.
    pub status: StatusCode,
    /// Stable, for programs; `type` is made of it.
    pub code: &'a str,
    /// A few words that are the same for every problem of this code.
    pub title: &'a str,
    /// One sentence that helps who may pass and tells nothing to who may not.
    pub detail: &'a str,
    /// What the log calls this one, where there is a log line.
    pub incident: Option<&'a str>,
}

/// The name of one refusal or fault: 16 letters and digits by which an operator finds the log line, and which tell nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident(String);

impl Problem<'_> {
    /// The document.
    pub fn json(&self) -> String {
        // Texts alone: there is nothing that could not be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Problem<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut document = to.serialize_struct("Problem", 6)?;
        document.serialize_field("type", &format_args!("{TYPE}{}", self.code))?;
        document.serialize_field("title", self.title)?;
        document.serialize_field("status", &self.status.as_u16())?;
        document.serialize_field("code", self.code)?;
        document.serialize_field("detail", self.detail)?;
        match self.incident {
            Some(name) => document.serialize_field("incident", name)?,
            None => document.skip_field("incident")?,
        }
        document.end()
    }
}

impl Incident {
    /// A new name. Without randomness there is still a log line to write: sixteen times "0" then says what else is wrong.
    pub fn draw(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 10];
        if entropy.fill(&mut bytes).is_err() {
            bytes = [0; 10];
        }
        Self(BASE32_DNSSEC.encode(&bytes))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fault {
    /// The code of the problem that tells of it: what failed is for the log alone, that there was too much to do may be known.
    pub const fn problem_code(&self) -> &'static str {
        match self {
            Self::Overloaded { .. } => "overloaded",
            Self::Bug(_) | Self::Corrupt { .. } | Self::Unavailable { .. } => "unavailable",
        }
    }

    /// How long a client should wait before it asks again; where the fault does not say, as long as a store or a disk may take to
    /// come back.
    pub fn retry_after(&self) -> HeaderValue {
        seconds(match self {
            Self::Overloaded { retry_after, .. } => *retry_after,
            _ => Duration::from_secs(5),
        })
    }
}

/// A wait as Retry-After says it: whole seconds, rounded up, never none (RFC 9110 section 10.2.3).
pub fn seconds(wait: Duration) -> HeaderValue {
    let whole = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    HeaderValue::from(whole.clamp(1, 1 << 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
            buffer.fill(7);
            Ok(())
        }
    }

    struct Broken;

    impl Entropy for Broken {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
            buffer.fill(1);
            Err(Fault::unavailable("entropy", "none"))
        }
    }

    #[test]
    fn a_document_has_its_members_in_order_and_its_texts_escaped() {
        let incident = Incident::draw(&Sevens);
        let problem = Problem {
            status: StatusCode::FORBIDDEN,
            code: "no-route",
            title: "Forbidden",
            detail: "\"quoted\"",
            incident: Some(incident.as_str()),
        };
        let expected = format!(
            r#"{{"type":"urn:vestibule:problem:no-route","title":"Forbidden","status":403,"code":"no-route","detail":"\"quoted\"","incident":"{incident}"}}"#
        );
        assert_eq!(problem.json(), expected);
        assert!(!Problem { incident: None, ..problem }.json().contains("incident"));
    }

    #[test]
    fn an_incident_is_sixteen_letters_and_digits_with_or_without_randomness() {
        let good = Incident::draw(&Sevens);
        assert!(good.as_str().len() == 16 && good.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(Incident::draw(&Broken).as_str(), "0000000000000000");
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_none() {
        for (millis, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (90_000, "90")] {
            assert_eq!(seconds(Duration::from_millis(millis)), expected);
        }
        assert_eq!(seconds(Duration::MAX), "4294967296");
        assert_eq!(Fault::Bug("x").retry_after(), "5");
        let retry_after = Duration::from_millis(2500);
        assert_eq!(Fault::Overloaded { what: "x", retry_after }.retry_after(), "3");
    }
}
