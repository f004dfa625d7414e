//! How the pages look. In: what the file says. Out: a parsed colour and a logo that was read, so that a wrong one is found by
//! `config check` and not by the first visitor.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use http::Uri;
use vestibule_portal::theme::{Colour, Links, Logo, NotALogo};

use crate::config::Wrong;
use crate::config::raw;

/// Longer names do not fit beside a logo.
const LONGEST_NAME: usize = 60;
const LONGEST_LINK: usize = 2048;

/// What the pages look like, and what they call this place.
#[derive(Clone)]
pub(crate) struct Look {
    pub(crate) name: String,
    pub(crate) accent: Option<Colour>,
    pub(crate) logo: Option<Logo>,
    pub(crate) logo_alone: bool,
    pub(crate) home: String,
    pub(crate) links: Links,
}

/// Judges the section; a relative logo starts at `base`.
pub(super) fn look(raw: &raw::Theme, base: &Path) -> Result<Look, Wrong> {
    let colour = |text: &str| Colour::parse(text).map_err(|cause| format!("{text:?} is {cause}"));
    let accent = raw.accent.as_deref().map(colour).transpose();
    if raw.logo_alone && raw.logo_file.is_none() {
        return Err(Wrong::new("theme.logo_alone", "needs a logo: set theme.logo_file, or leave it out"));
    }
    let logo = raw.logo_file.as_deref().map(|file| read_logo(&base.join(file))).transpose();
    Ok(Look {
        name: name(&raw.name)?,
        accent: accent.map_err(|cause| Wrong::new("theme.accent", cause))?,
        logo: logo.map_err(|cause| Wrong::new("theme.logo_file", cause))?,
        logo_alone: raw.logo_alone,
        home: link("theme.home_url", &raw.home_url)?,
        links: Links {
            help: below("theme.links.help", raw.links.help.as_deref())?,
            imprint: below("theme.links.imprint", raw.links.imprint.as_deref())?,
            privacy: below("theme.links.privacy", raw.links.privacy.as_deref())?,
        },
    })
}

fn name(text: &str) -> Result<String, Wrong> {
    let is_seen = |character: char| !character.is_control();
    let length = text.chars().count();
    if text.trim() != text || !(1..=LONGEST_NAME).contains(&length) || !text.chars().all(is_seen) {
        let what = format!("must be 1 to {LONGEST_NAME} characters of one line, without spaces around them");
        return Err(Wrong::new("theme.name", what));
    }
    Ok(text.to_owned())
}

fn below(key: &str, text: Option<&str>) -> Result<Option<String>, Wrong> {
    text.map(|text| link(key, text)).transpose()
}

/// A path of this origin, or an http URL: a link must run nothing, and mean the same to every browser.
fn link(key: &str, text: &str) -> Result<String, Wrong> {
    let is_plain = text.len() <= LONGEST_LINK
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let is_url = || {
        text.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|it| !it.host().is_empty() && !it.as_str().contains('@'))
        })
    };
    if is_plain && (is_path || is_url()) {
        return Ok(text.to_owned());
    }
    let what = format!("{text:?} is no link; write it like \"/help\" or \"https://www.example.com/help\"");
    Err(Wrong::new(key, what))
}

fn read_logo(file: &Path) -> Result<Logo, String> {
    let mut bytes = Vec::new();
    // One byte more than is taken, and not a whole disk that somebody pointed to.
    let most = u64::try_from(Logo::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let is_file = std::fs::metadata(file).map(|it| it.is_file());
    if matches!(is_file, Ok(false)) {
        return Err(format!("{} is not a file", file.display()));
    }
    File::open(file)
        .and_then(|opened| opened.take(most).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Logo::read(bytes).map_err(|cause: NotALogo| format!("{} is {cause}", file.display()))
}
