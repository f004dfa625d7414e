//! How names and values are written in forms and queries (URL Standard section 5). In: the bytes of one name or value. Out: what
//! they stand for; and back.

/// Undoes the encoding of one name or value; `None` for an escape that is none, which other programs read in other ways.
pub fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(*bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            plain => *plain,
        });
    }
    Some(decoded)
}

/// Writes a text as a query's value: all but unreserved characters is escaped, and `/`, which is plain there (RFC 3986
/// section 3.4).
pub fn encode(text: &str) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
    let mut encoded = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_plain_and_reads_back() {
        let text = "/path?q=a b&c=%2F#\u{e9}\"'<>+;~";
        let encoded = encode(text);
        assert_eq!(encoded, "/path%3Fq%3Da%20b%26c%3D%252F%23%C3%A9%22%27%3C%3E%2B%3B~");
        assert_eq!(decode(encoded.as_bytes()).unwrap(), text.as_bytes());
    }

    #[test]
    fn an_escape_is_two_digits_and_nothing_else() {
        assert_eq!(decode(b"a+b%2Bc%2b%FF").unwrap(), b"a b+c+\xff");
        for broken in [&b"%"[..], b"%4", b"%zz", b"%4g", b"%%41", b"% 1"] {
            assert_eq!(decode(broken), None, "{}", broken.escape_ascii());
        }
    }
}
