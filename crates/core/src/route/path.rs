//! What a path means. In: its bytes as the client sent them. Out: one meaning to compare with routes, or a note that programs read it
//! in different ways, or a refusal (RFC 3986 section 6).

use std::borrow::Cow;

use super::fold;
use crate::reject::Reject;

/// How often a path may be encoded over itself. Deeper ones are refused.
const MOST_LAYERS: usize = 4;

/// A path that was read.
pub(super) struct Reading<'a> {
    /// Percent-decoded, so that spellings of one path compare equal (RFC 3986 section 6.2.2.2).
    pub(super) meaning: Cow<'a, str>,
    /// How far all programs agree about it.
    pub(super) agreement: Agreement<'a>,
}

/// How far programs agree about a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Agreement<'a> {
    /// It is spelled as a folded path is: it has no other spelling that [`fold::path`] would find.
    Folded,
    /// They agree about this part, decoded, which ends in `/`. About the rest they do not; it stays below this part in every reading.
    Head(Cow<'a, str>),
    /// They agree, but some of them ignore case or trailing dots, or normalise Unicode.
    Spelled,
}

/// Accepts a path only if every program reads it as the same path; its bytes are then forwarded as they are.
///
/// Refused: empty segments, `;` and an encoded `/` or `;`, a second layer of encoding, and what `read` refuses.
pub fn canonical_path(path: &str) -> Result<(), Reject> {
    meaning(path).map(drop)
}

/// What a path means about which programs agree.
pub(super) fn meaning(path: &str) -> Result<Cow<'_, str>, Reject> {
    let reading = read(path)?;
    match reading.agreement {
        Agreement::Head(_) => Err(Reject::AmbiguousPath),
        Agreement::Folded | Agreement::Spelled => Ok(reading.meaning),
    }
}

/// Reads a path.
///
/// Refused in every encoding: dot segments, `\`, NUL and control characters. Refused, too: raw bytes that browsers encode (the path
/// percent-encode set of the URL Standard) but for `^`, `` ` ``, `{` and `}`, which other programs send raw; and encodings that are
/// not UTF-8.
pub(super) fn read(path: &str) -> Result<Reading<'_>, Reject> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(Reject::AmbiguousPath);
    }
    // The common path has neither escapes, nor dots, nor capitals, and is done after one look.
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_~!$&'()*+,=:@".contains(&byte);
    let is_seldom = |byte: u8| byte.is_ascii_uppercase() || b"[]|^`{}.%;".contains(&byte);
    let mut previous = 0;
    let mut needs_a_closer_look = false;
    for &byte in bytes {
        match byte {
            b'/' => needs_a_closer_look |= previous == b'/',
            _ if is_plain(byte) => {}
            _ if is_seldom(byte) => needs_a_closer_look = true,
            _ => return Err(Reject::AmbiguousPath),
        }
        previous = byte;
    }
    if needs_a_closer_look {
        closer(path)
    } else {
        Ok(Reading { meaning: Cow::Borrowed(path), agreement: Agreement::Folded })
    }
}

fn closer(path: &str) -> Result<Reading<'_>, Reject> {
    let mut decoded = Vec::with_capacity(path.len());
    let (mut slashes, mut previous) = (0_usize, 0);
    // The slash behind which programs begin to disagree.
    let mut disagreement = None;
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let (meant, is_odd) = match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => {
                    let escaped = high << 4 | low;
                    (escaped, matches!(escaped, b'/' | b';'))
                }
                _ => return Err(Reject::AmbiguousPath),
            },
            b'/' => (byte, previous == b'/'),
            _ => (byte, byte == b';'),
        };
        if is_odd {
            disagreement = disagreement.or(Some(slashes));
        }
        slashes += usize::from(byte == b'/');
        previous = byte;
        decoded.push(meant);
    }
    // `%25` is a plain percent sign unless two hex digits follow it, which some program may decode once more.
    let twice =
        decoded.windows(3).position(|w| matches!(w, [b'%', a, b] if hex(*a).is_some() && hex(*b).is_some()));
    if let Some(at) = twice {
        let slashes = decoded.iter().take(at).filter(|byte| **byte == b'/').count();
        disagreement = Some(disagreement.map_or(slashes, |other| slashes.min(other)));
    }
    let decoded = String::from_utf8(decoded).map_err(|_| Reject::AmbiguousPath)?;
    refuse_escapes(&decoded)?;
    let agreement = match disagreement {
        Some(slashes) => Agreement::Head(head(path, slashes)?),
        None if fold::is_folded(&decoded) => Agreement::Folded,
        None => Agreement::Spelled,
    };
    let meaning = if decoded == path { Cow::Borrowed(path) } else { Cow::Owned(decoded) };
    Ok(Reading { meaning, agreement })
}

/// The part of a path up to its n-th slash, decoded. Nothing in it is odd.
fn head(path: &str, slashes: usize) -> Result<Cow<'_, str>, Reject> {
    let last = slashes.checked_sub(1).and_then(|last| path.match_indices('/').nth(last));
    let part = last.and_then(|(at, _)| path.get(..=at)).ok_or(Reject::AmbiguousPath)?;
    meaning(part)
}

/// Refuses a decoded path that would leave where it is in some reading: decoded again, its parameters (`;`) left out, or its Unicode
/// normalised.
fn refuse_escapes(decoded: &str) -> Result<(), Reject> {
    let mut layer = Cow::Borrowed(decoded);
    for _ in 0..MOST_LAYERS {
        refuse_escapes_of(&layer)?;
        match decode_again(&layer)? {
            Some(next) => layer = Cow::Owned(next),
            None => return Ok(()),
        }
    }
    Err(Reject::AmbiguousPath)
}

fn refuse_escapes_of(layer: &str) -> Result<(), Reject> {
    let normal = fold::normal(layer);
    let leaves = |segment: &str| {
        let name = segment.split(';').next().unwrap_or_default();
        // Programs that trim names read `.. ` as `..`.
        let is_dots = name.contains('.') && name.chars().all(|it| it == '.' || it.is_whitespace());
        is_dots && (name.len() <= 2 || name.contains(char::is_whitespace))
    };
    let is_odd = |it: char| it == '\\' || it.is_ascii_control();
    let refused = layer.contains(is_odd) || normal.contains(is_odd) || normal.split('/').any(leaves);
    if refused { Err(Reject::AmbiguousPath) } else { Ok(()) }
}

/// The same path decoded once more, as a program would that decodes what is decoded; `None` where there is nothing to decode.
fn decode_again(text: &str) -> Result<Option<String>, Reject> {
    if !text.contains('%') {
        return Ok(None);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { rest.get(3..).unwrap_or_default() } else { after };
    }
    if decoded.len() == bytes.len() {
        return Ok(None);
    }
    String::from_utf8(decoded).map(Some).map_err(|_| Reject::AmbiguousPath)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
