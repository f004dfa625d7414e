//! `application/x-www-form-urlencoded`, strictly (URL Standard section 5): every name once, every escape whole, UTF-8 and nothing
//! else. In: the bytes of a body or query. Out: fields by name.

use std::fmt::Write;

use crate::problem::Problem;

#[cfg(test)]
mod tests;

const MAX_FIELDS: usize = 32;

/// The fields of a form. No Debug: one of them is a password.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body or a query.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if fields.len() == MAX_FIELDS || fields.iter().any(|(other, _)| *other == name) {
                return Err(UNREADABLE);
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The value of a field; a missing one and an empty one are the same to a form.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

/// Escapes a text for use as a query value: all but unreserved characters and `/`, which needs no escape in a query
/// (RFC 3986 section 3.4).
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

const UNREADABLE: Problem = Problem::Malformed("The form is not what a page of this site sends.");

fn decode(bytes: &[u8]) -> Result<String, Problem> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(UNREADABLE),
            },
            other => *other,
        });
    }
    String::from_utf8(decoded).map_err(|_| UNREADABLE)
}

fn hex(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
