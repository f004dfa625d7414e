//! Where a browser goes after signing in or out: a path on this origin and nothing else (RFC 9700 section 4.11, open redirectors).
//! In: what a query or a form says. Out: a path that every browser reads as one of ours, or none.

use http::request::Parts;
use vestibule_core::route::canonical_path;
use vestibule_core::wire::way_back::{LONGEST, RETURN_TO};
use vestibule_core::wire::{form, way_back};

use crate::Portal;
use crate::form::Form;

#[cfg(test)]
mod tests;

/// A path on this origin, with or without a query and a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnTo(String);

impl ReturnTo {
    /// Takes a path that means one thing to everybody, alone or behind our own `origin`: begins with one `/`, canonical as the gateway
    /// demands it of requests, and short enough encoded. What browsers send as it is and other programs do not take (`` ` ``, `\`, `|`
    /// and the like) is escaped. A fragment that is no good is dropped by itself.
    pub(crate) fn parse(text: &str, origin: &str) -> Option<Self> {
        let (text, fragment) = match text.split_once('#') {
            Some((text, fragment)) => (text, escaped(fragment)),
            None => (text, None),
        };
        let local = local(text, origin);
        let (path, query) = match local.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (local, None),
        };
        // The origin alone is its first page.
        let path = if path.is_empty() && local.len() < text.len() { "/" } else { path };
        // Browsers take a backslash in a path for a slash: escaped, it would be another path.
        let mut way_back = if path.contains('\\') { None } else { escaped(path) }?;
        canonical_path(&way_back).ok()?;
        if let Some(query) = query {
            way_back.extend(["?", &escaped(query)?]);
        }
        way_back::encoded(&way_back)?;
        match fragment.map(|fragment| format!("{way_back}#{fragment}")) {
            Some(whole) if way_back::encoded(&whole).is_some() => Some(Self(whole)),
            _ => Some(Self(way_back)),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same wish, handed on to another page of ours.
    pub(crate) fn handed_to(wish: Option<&Self>, page: &str) -> String {
        match wish {
            Some(Self(path)) => format!("{page}?{RETURN_TO}={}", form::encode(path)),
            None => page.to_owned(),
        }
    }
}

impl Portal {
    /// The way back that a text names, if it names a good one.
    pub(crate) fn way_back(&self, text: &str) -> Option<ReturnTo> {
        ReturnTo::parse(text, self.minter.issuer())
    }

    /// The one in the query of a request.
    pub(crate) fn way_back_of_query(&self, parts: &Parts) -> Option<ReturnTo> {
        self.way_back_of_form(&Form::parse(parts.uri.query()?.as_bytes()).ok()?)
    }

    /// The one in a form.
    pub(crate) fn way_back_of_form(&self, form: &Form) -> Option<ReturnTo> {
        self.way_back(form.field(RETURN_TO))
    }
}

/// What follows our own origin, however it is spelled: case does not count, and a default port may be written out. Anything else is
/// left whole, and is no path unless it begins like one.
fn local<'a>(text: &'a str, origin: &str) -> &'a str {
    let Some((ours, local)) = text.split_at_checked(origin.len()) else { return text };
    if !ours.eq_ignore_ascii_case(origin) {
        return text;
    }
    let Some((_, host)) = origin.split_once("://") else { return text };
    let has_port = host.rsplit(']').next().is_some_and(|behind| behind.contains(':'));
    let default_port = if origin.starts_with("https:") { ":443" } else { ":80" };
    match local.strip_prefix(default_port) {
        Some(local) if !has_port && !local.starts_with(|it: char| it.is_ascii_digit()) => local,
        _ => local,
    }
}

/// A part of a URL as every program takes it (RFC 3986 appendix A); `None` for one with white space or control characters, which no
/// browser sends.
fn escaped(part: &str) -> Option<String> {
    let mut escaped = String::with_capacity(part.len());
    for character in part.chars() {
        match character {
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '#' => {
                escaped.push_str(&form::encode(character.encode_utf8(&mut [0; 4])));
            }
            '!'..='~' => escaped.push(character),
            _ => return None,
        }
    }
    (escaped.len() <= LONGEST).then_some(escaped)
}
