//! `application/x-www-form-urlencoded`, strictly (URL Standard section 5): every name once, every escape whole, UTF-8 and nothing
//! else. In: the bytes of a body or query. Out: fields by name.

use vestibule_core::wire::form;

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

const UNREADABLE: Problem = Problem::Malformed("The form is not what a page of this site sends.");

fn decode(bytes: &[u8]) -> Result<String, Problem> {
    form::decode(bytes).and_then(|decoded| String::from_utf8(decoded).ok()).ok_or(UNREADABLE)
}
