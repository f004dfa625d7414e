//! The texts of the pages, in every language that is there. In: our own catalogs (Fluent), an operator's files, and what a browser
//! says that its reader understands. Out: one language, and its texts with what belongs into them. Everything is parsed once, at start.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use http::HeaderMap;
use unic_langid::{CharacterDirection, LanguageIdentifier};

use crate::moment::{Unit, counted};

mod catalog;
mod negotiate;
#[cfg(test)]
mod tests;

use self::catalog::Catalog;

/// The language that every other one falls back to.
pub const ENGLISH: &str = "en";

/// What ships: language tag and catalog.
const OURS: [(&str, &str); 2] =
    [(ENGLISH, include_str!("../texts/en.ftl")), ("de", include_str!("../texts/de.ftl"))];

/// All languages of the pages.
pub struct Texts {
    languages: Vec<Arc<Language>>,
    default: Arc<Language>,
}

/// A file of an operator's: texts that replace ours, or a language that we do not have.
#[derive(Clone)]
pub struct TextFile {
    /// What errors call it, such as its path.
    pub name: String,
    /// The language tag (BCP 47), such as `fr` or `pt-BR`.
    pub language: String,
    /// What it says, as Fluent.
    pub text: String,
}

/// Why texts are not taken; says which file, line and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTexts(String);

impl fmt::Display for NotTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotTexts {}

impl Texts {
    /// Our own languages, with English as the default.
    pub fn ours() -> Result<Self, NotTexts> {
        Self::with(&[], ENGLISH)
    }

    /// Our own languages with an operator's files over them. `default` is for browsers that name no language that is there.
    /// A text that a language lacks is that of its base language (`de` for `de-AT`, `zh-Hant` and then `zh` for `zh-Hant-TW`), or else
    /// the English one.
    pub fn with(files: &[TextFile], default: &str) -> Result<Self, NotTexts> {
        let catalogs = Catalog::all(&OURS, files)?;
        let mut tags: Vec<&LanguageIdentifier> = catalogs.iter().map(|catalog| &catalog.language).collect();
        tags.sort();
        tags.dedup();
        let languages: Vec<Arc<Language>> =
            tags.into_iter().map(|tag| Arc::new(Language::of(tag, &catalogs))).collect();
        let tag: Option<LanguageIdentifier> = default.parse().ok();
        let wanted = languages.iter().find(|language| Some(&language.tag) == tag.as_ref());
        let Some(wanted) = wanted.map(Arc::clone) else {
            let known: Vec<&str> = languages.iter().map(|language| &*language.name).collect();
            let what = format!("there are no texts in {default:?}; there are {}", known.join(", "));
            return Err(NotTexts(what));
        };
        Ok(Self { default: wanted, languages })
    }

    /// The language for a request with these headers (RFC 9110 section 12.5.4).
    pub(crate) fn negotiate(&self, headers: &HeaderMap) -> Arc<Language> {
        let found = negotiate::accepted(headers).find_map(|range| {
            if range == "*" {
                return Some(&self.default);
            }
            negotiate::lookup(range, |tag| self.languages.iter().find(|it| it.name.eq_ignore_ascii_case(tag)))
        });
        Arc::clone(found.unwrap_or(&self.default))
    }
}

/// The texts of one language, with what falls back already filled in.
pub(crate) struct Language {
    tag: LanguageIdentifier,
    name: String,
    bundle: FluentBundle<Arc<FluentResource>>,
}

/// A text by its id, and what is filled into it: what is said before it is known in which language.
#[derive(Clone)]
pub(crate) struct Say {
    id: &'static str,
    values: Vec<(&'static str, Filling)>,
}

/// What is filled into a text.
#[derive(Clone)]
enum Filling {
    Count(usize),
    Span(Duration),
    Text(String),
}

impl Say {
    pub(crate) const fn plain(id: &'static str) -> Self {
        Self { id, values: Vec::new() }
    }

    pub(crate) fn count(self, name: &'static str, count: usize) -> Self {
        self.with(name, Filling::Count(count))
    }

    /// Rounded up, as `moment::span` does.
    pub(crate) fn span(self, name: &'static str, span: Duration) -> Self {
        self.with(name, Filling::Span(span))
    }

    pub(crate) fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Filling::Text(text.into()))
    }

    fn with(mut self, name: &'static str, value: Filling) -> Self {
        self.values.push((name, value));
        self
    }
}

/// Stands where something with markup of its own is filled in: the templates put it there, escaped.
const GAP: &str = "\u{fffc}";

impl Language {
    /// Later resources win: English, the base language, the same in this script, the language itself; ours before an operator's.
    fn of(tag: &LanguageIdentifier, catalogs: &[Catalog]) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![tag.clone()]);
        // Marks of direction around every value would end up in titles and in tests of text; the templates isolate what needs it.
        bundle.set_use_isolating(false);
        let english: LanguageIdentifier = ENGLISH.parse().unwrap_or_default();
        let base = LanguageIdentifier::from_parts(tag.language, None, None, &[]);
        let written = LanguageIdentifier::from_parts(tag.language, tag.script, None, &[]);
        let mut chain = vec![&english, &base, &written, tag];
        chain.dedup();
        for language in chain {
            for catalog in catalogs.iter().filter(|catalog| catalog.language == *language) {
                bundle.add_resource_overriding(Arc::clone(&catalog.resource));
            }
        }
        Self { name: tag.to_string(), tag: tag.clone(), bundle }
    }

    /// The language tag, for `lang` and Content-Language.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// For `dir`, where it is not the ordinary.
    pub(crate) fn is_right_to_left(&self) -> bool {
        self.tag.character_direction() == CharacterDirection::RTL
    }

    /// A text into which nothing is filled.
    pub(crate) fn say(&self, id: &str) -> Cow<'_, str> {
        self.format(id, None)
    }

    /// A text with one value.
    pub(crate) fn say_with<'a>(
        &'a self,
        id: &str,
        name: &'a str,
        value: impl Into<FluentValue<'a>>,
    ) -> String {
        let mut values = FluentArgs::with_capacity(1);
        values.set(name, value);
        self.format(id, Some(&values)).into_owned()
    }

    /// A text that was chosen before the language was.
    pub(crate) fn tell(&self, what: &Say) -> String {
        let mut values = FluentArgs::with_capacity(what.values.len());
        for (name, value) in &what.values {
            match value {
                Filling::Count(count) => values.set(*name, *count),
                Filling::Span(span) => values.set(*name, self.span(*span)),
                Filling::Text(text) => values.set(*name, text.as_str()),
            }
        }
        self.format(what.id, Some(&values)).into_owned()
    }

    /// What stands before and after a value that has markup of its own. Where an operator's text leaves the value out, it comes last.
    pub(crate) fn around(&self, id: &str, name: &str) -> (String, String) {
        let text = self.say_with(id, name, GAP);
        match text.split_once(GAP) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (text + " ", String::new()),
        }
    }

    /// A wait or a limit.
    pub(crate) fn span(&self, span: Duration) -> String {
        let (count, unit) = counted(span);
        let id = match unit {
            Unit::Seconds => "span-seconds",
            Unit::Minutes => "span-minutes",
            Unit::Hours => "span-hours",
            Unit::Days => "span-days",
        };
        self.say_with(id, "count", count)
    }

    /// A text with several values.
    pub(crate) fn format(&self, id: &str, values: Option<&FluentArgs<'_>>) -> Cow<'_, str> {
        let message = self.bundle.get_message(id).and_then(|message| message.value());
        // Every id that pages use is there in English: a test holds them to that.
        let Some(pattern) = message else { return Cow::Owned(id.to_owned()) };
        // What could go wrong here was refused when the file was read; a gap is left, and the page stands.
        let mut errors = Vec::new();
        match values {
            Some(values) => {
                Cow::Owned(self.bundle.format_pattern(pattern, Some(values), &mut errors).into_owned())
            }
            None => self.bundle.format_pattern(pattern, None, &mut errors),
        }
    }
}
