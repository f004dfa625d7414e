//! One file of texts, read and judged. In: Fluent source. Out: a parsed resource, or the file, line and message that are no good: an
//! operator learns of a typo at start, and no visitor ever does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};
use unic_langid::LanguageIdentifier;

use super::{ENGLISH, NotTexts, TextFile};

/// A parsed file.
pub(super) struct Catalog {
    pub(super) language: LanguageIdentifier,
    pub(super) resource: Arc<FluentResource>,
}

/// What a text names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) values: BTreeSet<String>,
    /// Other messages, terms and functions: what a text of a page has no need of.
    others: BTreeSet<String>,
}

/// The English messages and what is filled into each.
pub(super) type Known = BTreeMap<String, BTreeSet<String>>;

impl Catalog {
    /// Ours first, then an operator's, each judged by what the English one has.
    pub(super) fn all(ours: &[(&str, &str)], files: &[TextFile]) -> Result<Vec<Self>, NotTexts> {
        let mut catalogs = Vec::new();
        for (language, text) in ours {
            catalogs.push(Self::read(&format!("{language}.ftl"), language, text)?);
        }
        let english: LanguageIdentifier = ENGLISH.parse().unwrap_or_default();
        let known = catalogs.iter().find(|catalog| catalog.language == english).map(Self::known);
        let known = known.unwrap_or_default();
        for file in files {
            let catalog = Self::read(&file.name, &file.language, &file.text)?;
            catalog.judge(&file.name, &known)?;
            catalogs.push(catalog);
        }
        Ok(catalogs)
    }

    /// Parses a file. Every entry is a message of its own id; comments are welcome.
    pub(super) fn read(name: &str, language: &str, text: &str) -> Result<Self, NotTexts> {
        let Ok(tag) = language.parse::<LanguageIdentifier>() else {
            return Err(NotTexts(format!(
                "{name}: {language:?} is no language tag; write it like \"fr\" or \"pt-BR\""
            )));
        };
        if tag.language.is_empty() {
            return Err(NotTexts(format!("{name}: {language:?} names no language")));
        }
        // A byte-order mark and Windows line ends are no part of a text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let resource = FluentResource::try_new(text).map_err(|(resource, errors)| {
            let error = errors.first();
            let at = error.map_or(0, |error| error.pos.start);
            let line = line_at(resource.source(), at);
            let what =
                error.map_or_else(|| "it is no Fluent file".to_owned(), |error| error.kind.to_string());
            NotTexts(format!("{name}:{line}: {what}"))
        })?;
        let mut seen = BTreeSet::new();
        for entry in resource.entries() {
            if let Some(id) = id_of(entry)
                && !seen.insert(id)
            {
                return Err(NotTexts(format!("{name}:{}: {id} is there twice", line_of(&resource, id, 1))));
            }
        }
        Ok(Self { language: tag, resource: Arc::new(resource) })
    }

    /// Messages and the values that each names.
    pub(super) fn known(&self) -> Known {
        self.resource
            .entries()
            .filter_map(|entry| match entry {
                Entry::Message(message) => {
                    let mut names = Names::default();
                    message.value.iter().for_each(|pattern| names.of_pattern(pattern));
                    Some((message.id.name.to_owned(), names.values))
                }
                _ => None,
            })
            .collect()
    }

    /// Refuses what pages would not show, or not as its author means it.
    fn judge(&self, name: &str, known: &Known) -> Result<(), NotTexts> {
        for entry in self.resource.entries() {
            let Some(id) = id_of(entry) else { continue };
            let refuse =
                |what: String| Err(NotTexts(format!("{name}:{}: {what}", line_of(&self.resource, id, 0))));
            let Entry::Message(message) = entry else {
                return refuse(format!("-{id} is a term; write the text into each message"));
            };
            let Some(values) = known.get(id) else {
                return refuse(format!(
                    "there is no text named {id}; the names are those of the English texts"
                ));
            };
            let Some(pattern) = &message.value else { return refuse(format!("{id} has no text")) };
            if let Some(attribute) = message.attributes.first() {
                return refuse(format!("{id} has an attribute, .{}, that no page shows", attribute.id.name));
            }
            let mut names = Names::default();
            names.of_pattern(pattern);
            if let Some(other) = names.others.first() {
                return refuse(format!(
                    "{id} names {other}; a text can name values such as {{ $count }} alone"
                ));
            }
            if let Some(unknown) = names.values.difference(values).next() {
                let known: Vec<String> = values.iter().map(|value| format!("${value}")).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return refuse(format!("{id} names ${unknown}; the values that it can have are: {known}"));
            }
        }
        Ok(())
    }
}

impl Names {
    fn of_pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.of_expression(expression);
            }
        }
    }

    fn of_expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.of_inline(inline),
            Expression::Select { selector, variants } => {
                self.of_inline(selector);
                variants.iter().for_each(|variant| self.of_pattern(&variant.value));
            }
        }
    }

    fn of_inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                self.values.insert(id.name.to_owned());
            }
            InlineExpression::Placeable { expression } => self.of_expression(expression),
            InlineExpression::FunctionReference { id, arguments } => {
                self.others.insert(format!("{}()", id.name));
                self.of_arguments(arguments);
            }
            InlineExpression::MessageReference { id, .. } => {
                self.others.insert(id.name.to_owned());
            }
            InlineExpression::TermReference { id, .. } => {
                self.others.insert(format!("-{}", id.name));
            }
            InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        }
    }

    fn of_arguments(&mut self, arguments: &CallArguments<&str>) {
        arguments.positional.iter().for_each(|inline| self.of_inline(inline));
        arguments.named.iter().for_each(|argument| self.of_inline(&argument.value));
    }
}

fn id_of<'a>(entry: &Entry<&'a str>) -> Option<&'a str> {
    match entry {
        Entry::Message(message) => Some(message.id.name),
        Entry::Term(term) => Some(term.id.name),
        _ => None,
    }
}

fn line_at(source: &str, at: usize) -> usize {
    source.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The line where an entry of this id begins; `skip` of them are passed over. Entries begin at the first column, and nothing else that
/// is followed by a `=` does.
fn line_of(resource: &FluentResource, id: &str, skip: usize) -> usize {
    let begins = |line: &str| {
        let line = line.strip_prefix('-').unwrap_or(line);
        line.strip_prefix(id).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let found = resource.source().lines().enumerate().filter(|(_, line)| begins(line)).nth(skip);
    found.map_or(1, |(line, _)| line + 1)
}
