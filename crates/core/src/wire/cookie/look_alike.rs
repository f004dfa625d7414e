//! What a laxer parser takes for a cookie of ours. In: a cookie's name or value as sent, and our name. Out: whether a parser in use
//! reads the one as the other. A name that no parser reads as ours is an ordinary cookie: a sibling host may set it for its own
//! purposes, and it must not keep anybody from signing in.
//!
//! | parser | reading |
//! |---|---|
//! | PHP | `.`, space and `[` become `_`; `name[x]` is `name`; before 7.2.34 escapes are decoded |
//! | Rack before 2.2.3, CGI.pm | escapes are decoded; `,` parts cookies, too |
//! | ASP.NET, nginx (`$cookie_x`) | letter case does not count |
//! | Django, ASP.NET, Java | Unicode white space around a name is dropped |
//! | WebOb, older http.cookies | what cannot be in a name is skipped before it |
//! | Python http.cookies | white space parts cookies, too |
//! | Tomcat and Jetty by RFC 2965 | after `$Version`, `,` parts cookies, too |
//! | Werkzeug before 2.2.3, older browsers | a cookie without a name is its value |

use std::borrow::Cow;

use crate::wire::form;

/// Whether some parser reads the name `cookie` as `ours`.
pub(super) fn is_read_as(cookie: &[u8], ours: &[u8]) -> bool {
    // No reading makes a name longer, so most cookies are told apart by their length.
    if cookie.len() < ours.len() {
        return false;
    }
    let cookie = match cookie.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        true => form::decode(cookie).map_or(Cow::Borrowed(cookie), Cow::Owned),
        false => Cow::Borrowed(cookie),
    };
    let skipped = cookie.iter().take_while(|byte| !is_name(**byte)).count();
    (0..=skipped).any(|start| cookie.get(start..).is_some_and(|cookie| begins(cookie, ours)))
}

/// Whether some parser finds `ours` in a cookie's value: where it has no name, or behind what that parser takes for a separator.
pub(super) fn holds(cookie: &[u8], value: &[u8], ours: &[u8]) -> bool {
    let claimed = |piece: &[u8]| {
        let name = piece.split(|byte| *byte == b'=').next().unwrap_or_default();
        name == ours || is_read_as(name, ours)
    };
    // The white space that parts two pairs is no name either.
    if cookie.trim_ascii().is_empty() && claimed(value) {
        return true;
    }
    SEPARATORS.iter().any(|separator| value.contains(separator))
        && value
            .split(|byte| SEPARATORS.contains(byte))
            .skip(1)
            .any(|piece| piece.contains(&b'=') && claimed(piece))
}

const SEPARATORS: [u8; 3] = *b", \t";

/// Whether `cookie` begins with our name as PHP and those who fold case read it, and nothing that counts follows.
fn begins(cookie: &[u8], ours: &[u8]) -> bool {
    let Some((head, tail)) = cookie.split_at_checked(ours.len()) else { return false };
    let alike = |(sent, ours): (&u8, &u8)| {
        sent.eq_ignore_ascii_case(ours) || (*ours == b'_' && matches!(sent, b'.' | b' ' | b'['))
    };
    head.iter().zip(ours).all(alike)
        && (tail.first() == Some(&b'[') || !tail.iter().any(|byte| is_name(*byte)))
}

/// Whether a byte can be in a cookie's name (a token, RFC 9110 section 5.6.2).
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
