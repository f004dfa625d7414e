//! Text as editors and shells save it. In: the bytes of a file or of stdin. Out: the text without a byte order mark, or one sentence about
//! what it is instead; what it says is in no message.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Why bytes are no text that is read here; continues a sentence about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8(&'static str);

impl std::fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NotUtf8 {}

/// Reads UTF-8 and passes over a byte order mark at its beginning (RFC 3629 section 6). UTF-16, which begins with a mark of its own,
/// is refused and named: it would otherwise be a riddle.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, NotUtf8> {
    std::str::from_utf8(unmarked(bytes)?).map_err(|_| NotUtf8("is not UTF-8"))
}

/// Reads a text file of at most so many bytes; what is wrong continues a sentence that begins with the file.
pub(crate) fn read(file: &Path, most_bytes: usize) -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let most = u64::try_from(most_bytes).unwrap_or(u64::MAX);
    File::open(file)
        .and_then(|it| it.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > most_bytes {
        return Err(format!("is larger than {most_bytes} bytes"));
    }
    utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|wrong| wrong.to_string())
}

/// The bytes after a UTF-8 byte order mark, or all of them where there is none, of a text that begins with them.
pub(crate) fn unmarked(bytes: &[u8]) -> Result<&[u8], NotUtf8> {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(NotUtf8("is UTF-16; save it as UTF-8"));
    }
    Ok(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_order_mark_is_passed_over_and_utf_16_is_named() {
        assert_eq!(utf8(b"\xef\xbb\xbfa = 1"), Ok("a = 1"));
        assert_eq!(utf8(b"a = 1"), Ok("a = 1"));
        assert_eq!(utf8(b"a\xef\xbb\xbf"), Ok("a\u{feff}"), "inside a text it is a character");
        assert_eq!(utf8(b"\xef\xbb\xbf\xef\xbb\xbfa"), Ok("\u{feff}a"), "and so is a second one");
        for marked in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a"] {
            assert!(utf8(marked).unwrap_err().to_string().contains("UTF-16"));
        }
        assert!(utf8(b"\xc3").unwrap_err().to_string().contains("not UTF-8"));
    }
}
