//! Where a browser goes after signing in or out: a path on this origin and nothing else (RFC 9700 section 4.11, open redirectors).
//! In: what a query or a form says. Out: a path that every browser reads as one of ours, or none.

use vestibule_core::route::canonical_path;
use vestibule_core::wire::form;

use crate::form::Form;

#[cfg(test)]
mod tests;

const MAX_BYTES: usize = 2048;

/// A path, with or without a query, on this origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnTo(String);

impl ReturnTo {
    /// Takes a path that means one thing to everybody: begins with one `/`, canonical as the gateway demands it of requests, a
    /// query of visible ASCII without `\` or `#`, 2 KiB at most.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\#\"<>`".contains(&byte);
        let is_good = text.len() <= MAX_BYTES && canonical_path(path).is_ok() && query.bytes().all(plain);
        is_good.then(|| Self(text.to_owned()))
    }

    /// The one that a query names, if it names a good one.
    pub(crate) fn from_query(query: Option<&str>) -> Option<Self> {
        Self::from_form(&Form::parse(query?.as_bytes()).ok()?)
    }

    /// The one that a form names, if it names a good one.
    pub(crate) fn from_form(form: &Form) -> Option<Self> {
        Self::parse(form.field("return_to"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same wish, handed on to another page of ours.
    pub(crate) fn handed_to(wish: Option<&Self>, page: &str) -> String {
        match wish {
            Some(Self(path)) => format!("{page}?return_to={}", form::encode(path)),
            None => page.to_owned(),
        }
    }
}
