//! The way back from the login page, as a query's value. In: the path and query of a request that could not pass. Out: their encoded
//! form, if it fits into every proxy's header buffers.

use super::form;

/// The query field, and the form field, that a way back is in.
pub const RETURN_TO: &str = "return_to";

/// The value of the query field `done` on the login page that answers a form sent without a live session.
pub const NOT_SENT: &str = "not-sent";

/// The most bytes of a way back as it is sent: encoded, in a `Location` or `X-Auth-Login` header that a proxy keeps in a buffer of 4 KiB
/// with all other headers of the answer.
pub const LONGEST: usize = 2048;

/// A way back, encoded; `None` when that would be too long. What is dropped is the way back, never the answer.
pub fn encoded(way_back: &str) -> Option<String> {
    // No encoding is shorter than what it encodes.
    let encoded = (way_back.len() <= LONGEST).then(|| form::encode(way_back))?;
    (encoded.len() <= LONGEST).then_some(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bounded_is_the_encoded_form() {
        let of = |count: usize| format!("/{}", ",".repeat(count));
        assert_eq!(encoded(&of(682)).unwrap().len(), 2047);
        assert_eq!(encoded(&of(683)), None);
        assert_eq!(encoded(&format!("/{}", "a".repeat(2047))).unwrap().len(), 2048);
        assert_eq!(encoded(&format!("/{}", "a".repeat(2048))), None);
    }
}
