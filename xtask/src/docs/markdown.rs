//! A Markdown page as far as it can be checked. In: its text. Out: its headings' anchors as GitHub makes them, its links, its blocks of
//! code and its words in code, each with its line.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What there is to check on a page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) anchors: BTreeSet<String>,
    pub(super) links: Vec<Line>,
    pub(super) blocks: Vec<Block>,
    /// Code within a sentence.
    pub(super) words: Vec<Line>,
    /// Whether there is anything to read but headings.
    pub(super) has_text: bool,
}

/// A text and where it stands.
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) text: String,
}

/// A block of code.
pub(super) struct Block {
    /// Of its first line of code.
    pub(super) number: usize,
    /// What stands behind the opening fence; empty for an indented block.
    pub(super) language: String,
    pub(super) text: String,
}

impl Page {
    pub(super) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let line_of = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
        let mut heading: Option<String> = None;
        let mut block: Option<Block> = None;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let count = seen.entry(slug.clone()).or_default();
                    page.anchors.insert(if *count == 0 { slug.clone() } else { format!("{slug}-{count}") });
                    *count += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(Line { number: line_of(range.start), text: dest_url.to_string() });
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let (language, fence) = match kind {
                        CodeBlockKind::Fenced(language) => (language.to_string(), 1),
                        CodeBlockKind::Indented => (String::new(), 0),
                    };
                    block =
                        Some(Block { number: line_of(range.start) + fence, language, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Text(words) => match (&mut block, &mut heading) {
                    (Some(block), _) => block.text.push_str(&words),
                    (None, Some(heading)) => heading.push_str(&words),
                    (None, None) => page.has_text |= !words.trim().is_empty(),
                },
                Event::Code(words) => {
                    page.words.push(Line { number: line_of(range.start), text: words.to_string() });
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    page.anchors.extend(named_in(&html));
                }
                _ => {}
            }
        }
        page
    }
}

/// As GitHub makes an anchor of a heading: lower case, without punctuation, and a hyphen for each space.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Of `<a id="x">` and `<a name="x">`.
fn named_in(html: &str) -> impl Iterator<Item = String> {
    ["id=\"", "name=\""]
        .into_iter()
        .filter_map(move |mark| html.split_once(mark).and_then(|(_, rest)| rest.split_once('"')))
        .map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_as_github_makes_them() {
        for (heading, anchor) in [
            ("What a service is told", "what-a-service-is-told"),
            ("`[[route]]`", "route"),
            ("`[sessions.remember]`", "sessionsremember"),
            ("Signing in, for tokens: how?", "signing-in-for-tokens-how"),
            ("A -- B", "a----b"),
            ("key_id und Über", "key_id-und-über"),
        ] {
            assert!(Page::read(&format!("# {heading}\n")).anchors.contains(anchor), "{heading}");
        }
        let twice = Page::read("## Same\n\n## Same\n\n<a id=\"own\"></a>\n");
        assert_eq!(twice.anchors.into_iter().collect::<Vec<_>>(), ["own", "same", "same-1"]);
    }

    #[test]
    fn everything_is_found_with_its_line() {
        let page = Page::read(
            "# T\n\nSee [x](a.md#b) and `vestibule serve`.\n\n```toml\na = 1\n```\n\n| `c\\|d` |\n|---|\n",
        );
        let link = &page.links[0];
        assert_eq!((link.number, link.text.as_str()), (3, "a.md#b"));
        let block = &page.blocks[0];
        assert_eq!((block.number, block.language.as_str(), block.text.as_str()), (6, "toml", "a = 1\n"));
        let words: Vec<_> = page.words.iter().map(|it| (it.number, it.text.as_str())).collect();
        assert_eq!(words, [(3, "vestibule serve"), (9, "c|d")]);
        assert!(page.has_text && !Page::read("# T\n").has_text && !Page::read("\n").has_text);
    }
}
