//! A path has one meaning or it is refused: the gateway, every proxy before it and every service behind it must read the
//! same resource out of the same bytes (RFC 3986 section 6).

use std::borrow::Cow;

use crate::reject::Reject;

/// Accepts a path only if every program reads it alike; its bytes are then forwarded as they are.
///
/// Refused: empty segments, dot segments in any encoding, `\`, `;`, an encoded `/`, `\`, NUL or control, an encoded character
/// that needs no encoding (another spelling of the same path), a second layer of encoding, raw bytes outside visible ASCII,
/// and encodings that are not UTF-8.
pub fn canonical_path(path: &str) -> Result<(), Reject> {
    meaning(path).map(drop)
}

/// What an acceptable path means: percent-decoded, so that spellings of one path compare equal.
pub(super) fn meaning(path: &str) -> Result<Cow<'_, str>, Reject> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(Reject::AmbiguousPath);
    }
    // The common path has neither escapes nor dots and is done after one look.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~!$&'()*+,=:@".contains(&byte);
    let mut previous = 0;
    let mut needs_a_closer_look = false;
    for &byte in bytes {
        match byte {
            b'/' if previous == b'/' => return Err(Reject::AmbiguousPath),
            b'/' => {}
            b'%' | b'.' => needs_a_closer_look = true,
            _ if plain(byte) => {}
            _ => return Err(Reject::AmbiguousPath),
        }
        previous = byte;
    }
    if needs_a_closer_look { closer(path) } else { Ok(Cow::Borrowed(path)) }
}

fn closer(path: &str) -> Result<Cow<'_, str>, Reject> {
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(Reject::AmbiguousPath);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let escaped = match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
            (Some(high), Some(low)) => high << 4 | low,
            _ => return Err(Reject::AmbiguousPath),
        };
        let unreserved = escaped.is_ascii_alphanumeric() || b"-._~".contains(&escaped);
        if unreserved || escaped.is_ascii_control() || b"/\\;".contains(&escaped) {
            return Err(Reject::AmbiguousPath);
        }
        decoded.push(escaped);
    }
    // `%25` is a plain percent sign unless two hex digits follow it, which someone may decode once more.
    let twice =
        decoded.windows(3).any(|w| matches!(w, [b'%', a, b] if hex(*a).is_some() && hex(*b).is_some()));
    match String::from_utf8(decoded) {
        Ok(meaning) if !twice => Ok(Cow::Owned(meaning)),
        _ => Err(Reject::AmbiguousPath),
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
