//! What a laxer parser takes for a cookie of ours. In: a cookie as sent, and our name. Out: whether a parser in use reads the one as the
//! other. A name that no parser reads as ours is an ordinary cookie: a sibling host may set it for its own purposes, and it must not
//! prevent a sign-in.
//!
//! | parser | reading |
//! |---|---|
//! | PHP | `.`, space and `[` become `_`; `name[x]` is `name`; before 7.2.34 escapes are decoded, and NUL ends a name |
//! | Rack before 2.2.3, CGI.pm | escapes are decoded (CGI.pm: `%u005f`, too); `,` parts cookies, too |
//! | ASP.NET, nginx (`$cookie_x`) | letter case does not count |
//! | Django, ASP.NET, Java | Unicode white space around a name is dropped |
//! | WebOb, older http.cookies | what cannot be in a name is skipped before it; what cannot be in a value parts cookies, too |
//! | Python http.cookies | white space parts cookies, too |
//! | Tomcat and Jetty by RFC 2965 | after `$Version`, `,` parts cookies, too |
//! | Werkzeug before 2.2.3, older browsers | a cookie without a name is its value, behind any number of `=` |

use std::borrow::Cow;

/// Whether some parser finds `ours` in a cookie: as its name, as its value where it has no name, or behind what that parser takes for
/// the end of another cookie.
pub(super) fn is_taken_for(pair: &[u8], ours: &[u8]) -> bool {
    // Most cookies are told apart by their length: no reading makes a name longer.
    if pair.len() < ours.len() {
        return false;
    }
    let mut pieces = pair.split(|byte| *byte == b'=').peekable();
    let mut is_first = true;
    let mut at = 0;
    while let Some(piece) = pieces.next() {
        if is_first && is_read_as(piece, ours) {
            return true;
        }
        if pieces.peek().is_some()
            && let Some((separator, behind)) = behind_separator(piece)
            && is_read_as(behind, ours)
            && !opens_quotes(pair, at + separator)
        {
            return true;
        }
        is_first &= piece.trim_ascii().is_empty();
        at += piece.len() + 1;
    }
    false
}

/// Whether some parser reads the name `cookie` as `ours`.
fn is_read_as(cookie: &[u8], ours: &[u8]) -> bool {
    if cookie.len() < ours.len() {
        return false;
    }
    let cookie = unescaped(cookie);
    let skipped = cookie.iter().take_while(|byte| !is_name(**byte)).count();
    (0..=skipped).any(|start| cookie.get(start..).is_some_and(|cookie| begins(cookie, ours)))
}

/// The last separator before a name, and what stands behind it up to the name's end.
fn behind_separator(piece: &[u8]) -> Option<(usize, &[u8])> {
    let is_separator = |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b'"' | b'[' | b'\\' | b']' | 0x80..);
    let end = piece.iter().rposition(|byte| is_name(*byte))?;
    let last = piece.get(..end)?.iter().rposition(is_separator)?;
    Some((last, piece.get(last + 1..)?))
}

/// Whether the quotation mark at this place begins a cookie's value and is closed again: what stands between is a value to all parsers.
fn opens_quotes(pair: &[u8], at: usize) -> bool {
    let name_end = pair.iter().position(|byte| *byte == b'=').map_or(at, |equals| equals + 1);
    let is_begin = pair.get(name_end..at).is_some_and(|before| before.trim_ascii().is_empty());
    is_begin && pair.get(at) == Some(&b'"') && pair.iter().skip(at + 1).any(|byte| *byte == b'"')
}

/// A name with its escapes decoded, as far as they are any: laxer parsers leave a bad one as it is.
fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(name);
    }
    let mut unescaped = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [byte, after @ ..] = rest {
        let escape = match rest {
            [b'%', b'u', b'0', b'0', high, low, after @ ..] => hex(*high, *low).map(|byte| (byte, after)),
            [b'%', high, low, after @ ..] => hex(*high, *low).map(|byte| (byte, after)),
            [b'+', after @ ..] => Some((b' ', after)),
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((*byte, after));
        unescaped.push(byte);
        rest = after;
    }
    Cow::Owned(unescaped)
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Whether `cookie` begins with our name as PHP and those who fold case read it, and nothing that counts follows.
fn begins(cookie: &[u8], ours: &[u8]) -> bool {
    let Some((head, tail)) = cookie.split_at_checked(ours.len()) else { return false };
    let alike = |(sent, ours): (&u8, &u8)| {
        sent.eq_ignore_ascii_case(ours) || (*ours == b'_' && matches!(sent, b'.' | b' ' | b'['))
    };
    head.iter().zip(ours).all(alike)
        && (matches!(tail.first(), Some(b'[' | 0)) || !tail.iter().any(|byte| is_name(*byte)))
}

/// Whether a byte can be in a cookie's name (a token, RFC 9110 section 5.6.2).
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
