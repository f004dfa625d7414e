//! A Rust file as the walls see it: which paths it names, and where. Comments and texts are not code and do not count;
//! macro bodies do.
//! In: the file's text. Out: every path (use trees spelled out), every `allow`, and which of it is test code.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

use super::Finding;

pub(super) struct Source {
    /// Relative to the repository's root.
    pub(super) file: String,
    pub(super) lines: usize,
    /// Whether the file as a whole ships; a file that does may still hold test code.
    pub(super) place: Place,
    pub(super) paths: Vec<PathUse>,
    /// Lines of `#[allow(..)]`, also inside `cfg_attr`.
    pub(super) allows: Vec<usize>,
    /// Modules declared as `#[cfg(test)] mod x;`: their files are test code too.
    test_modules: Vec<String>,
}

/// A path as it is written, one word or many: `crate::session::judge`, `unsafe`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PathUse {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    pub(super) place: Place,
    /// How many inline `mod x { .. }` it stands in: each one uses up a `super`.
    pub(super) inline: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Shipped,
    Test,
}

impl Source {
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, Finding> {
        let tokens = TokenStream::from_str(text).map_err(|error| Finding {
            file: file.to_owned(),
            line: error.span().start().line,
            wall: "source",
            what: "cannot be read as Rust".to_owned(),
        })?;
        let place = if is_test_file(file) { Place::Test } else { Place::Shipped };
        let mut source = Self {
            place,
            file: file.to_owned(),
            lines: text.lines().count(),
            paths: Vec::new(),
            allows: Vec::new(),
            test_modules: Vec::new(),
        };
        source.read(tokens, place, 0);
        Ok(source)
    }

    /// Makes test code of every file that another one declares under `#[cfg(test)]`.
    pub(super) fn mark_test_files(sources: &mut [Self]) {
        let declared: Vec<String> = sources.iter().flat_map(Self::test_files).collect();
        let is_declared = |file: &str| {
            declared.iter().any(|module| {
                file.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            })
        };
        for source in sources.iter_mut().filter(|source| is_declared(&source.file)) {
            source.place = Place::Test;
            source.paths.iter_mut().for_each(|path| path.place = Place::Test);
        }
    }

    /// Where the test modules of this file are, without `.rs`.
    fn test_files(&self) -> Vec<String> {
        let stem = self.file.trim_end_matches(".rs");
        let is_root = ["lib", "main", "mod"].iter().any(|root| stem.ends_with(&format!("/{root}")));
        let folder = if is_root { stem.rsplit_once('/').map_or("", |(folder, _)| folder) } else { stem };
        self.test_modules.iter().map(|module| format!("{folder}/{module}")).collect()
    }

    pub(super) fn shipped_paths(&self) -> impl Iterator<Item = &PathUse> {
        self.paths.iter().filter(|path| path.place == Place::Shipped)
    }

    /// One level of the token tree. `#[cfg(test)]` makes test code of all that follows up to the end of its item.
    fn read(&mut self, tokens: TokenStream, place: Place, inline: usize) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = trees.as_slice();
        let mut here = place;
        let mut opens_module = false;
        while let Some((tree, behind)) = rest.split_first() {
            rest = behind;
            match tree {
                TokenTree::Ident(ident) => {
                    if let [TokenTree::Ident(module), TokenTree::Punct(end), ..] = rest
                        && ident == "mod"
                        && end.as_char() == ';'
                        && here == Place::Test
                    {
                        self.test_modules.push(name(module));
                    }
                    opens_module = opens_module && !is(rest, ':') || ident == "mod";
                    rest = self.read_path(vec![name(ident)], ident.span().start().line, rest, here, inline);
                }
                TokenTree::Group(group) => {
                    if group.delimiter() == Delimiter::Bracket && is_cfg_test(group) {
                        here = Place::Test;
                    }
                    self.note_allow(group);
                    let is_body = group.delimiter() == Delimiter::Brace;
                    self.read(group.stream(), here, inline + usize::from(is_body && opens_module));
                    if is_body {
                        (here, opens_module) = (place, false);
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => (here, opens_module) = (place, false),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// Follows `::` from the words read so far, into the branches of a use tree, and gives back what comes behind.
    fn read_path<'a>(
        &mut self,
        mut segments: Vec<String>,
        line: usize,
        mut rest: &'a [TokenTree],
        place: Place,
        inline: usize,
    ) -> &'a [TokenTree] {
        while let [TokenTree::Punct(first), TokenTree::Punct(second), next, behind @ ..] = rest {
            if first.as_char() != ':' || first.spacing() != Spacing::Joint || second.as_char() != ':' {
                break;
            }
            match next {
                TokenTree::Ident(ident) => segments.push(name(ident)),
                TokenTree::Punct(star) if star.as_char() == '*' => segments.push("*".to_owned()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    self.read_branches(&segments, group, place, inline);
                    return behind;
                }
                _ => break,
            }
            rest = behind;
        }
        self.paths.push(PathUse { segments, line, place, inline });
        rest
    }

    fn read_branches(&mut self, stem: &[String], group: &Group, place: Place, inline: usize) {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        for branch in trees.split(|tree| matches!(tree, TokenTree::Punct(comma) if comma.as_char() == ',')) {
            let Some((first, rest)) = branch.split_first() else {
                continue;
            };
            let mut segments = stem.to_vec();
            match first {
                TokenTree::Ident(ident) if ident == "self" => {}
                TokenTree::Ident(ident) => segments.push(name(ident)),
                other => segments.push(other.to_string()),
            }
            self.read_path(segments, first.span().start().line, rest, place, inline);
        }
    }

    fn note_allow(&mut self, group: &Group) {
        if group.delimiter() != Delimiter::Bracket {
            return;
        }
        let words: Vec<TokenTree> = group.stream().into_iter().collect();
        match words.as_slice() {
            [TokenTree::Ident(lint), TokenTree::Group(_)] if lint == "allow" => {
                self.allows.push(lint.span().start().line);
            }
            [TokenTree::Ident(conditional), TokenTree::Group(inner)] if conditional == "cfg_attr" => {
                let inside: Vec<TokenTree> = inner.stream().into_iter().collect();
                self.allows.extend(inside.iter().filter_map(|tree| match tree {
                    TokenTree::Ident(lint) if lint == "allow" => Some(lint.span().start().line),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
}

/// `r#type` and `type` are one name.
fn name(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// Files that never ship: `tests.rs` beside a module, a crate's `tests` or `benches`, the story tests, fuzz targets, tooling.
fn is_test_file(file: &str) -> bool {
    let never_shipped = |folder: &str| matches!(folder, "tests" | "bench" | "benches" | "fuzz" | "xtask");
    file.split('/').any(never_shipped) || file.ends_with("/tests.rs")
}

/// `cfg(test)`, also inside `all(..)` and `any(..)`; `cfg(not(test))` ships.
fn is_cfg_test(group: &Group) -> bool {
    let text = group.stream().to_string().replace(' ', "");
    let has_test = text.split(['(', ')', ',']).any(|word| word == "test");
    text.starts_with("cfg(") && has_test && !text.contains("not(test)")
}

fn is(rest: &[TokenTree], wanted: char) -> bool {
    matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<(String, Place)> {
        let Ok(source) = Source::parse("crates/core/src/x.rs", text) else { panic!("not Rust: {text}") };
        source.paths.into_iter().map(|path| (path.segments.join("::"), path.place)).collect()
    }

    fn shipped(text: &str) -> Vec<String> {
        paths(text).into_iter().filter(|(_, place)| *place == Place::Shipped).map(|(path, _)| path).collect()
    }

    #[test]
    fn a_use_tree_is_spelled_out() {
        let found = shipped("use crate::{a::{self, B as C}, d::*, r#type};");
        for wanted in ["crate::a", "crate::a::B", "crate::d::*", "crate::type"] {
            assert!(found.iter().any(|path| path == wanted), "{wanted} in {found:?}");
        }
    }

    #[test]
    fn comments_and_texts_are_not_code_and_macro_bodies_are() {
        let found = shipped("/// [`crate::a`]\n// crate::b\nfn f() { g!(\"crate::c\", crate::d::E) }");
        assert!(found.contains(&"crate::d::E".to_owned()));
        assert!(
            !found.iter().any(|path| ["crate::a", "crate::b", "crate::c"].contains(&path.as_str())),
            "{found:?}"
        );
    }

    #[test]
    fn test_code_ends_with_its_item() {
        let found = paths(
            "#[cfg(test)] use t::U;\nfn f() { s::V }\n#[cfg(test)] mod tests { w::X }\nconst Y: z::Z = 1;",
        );
        for (path, place) in
            [("t::U", Place::Test), ("s::V", Place::Shipped), ("w::X", Place::Test), ("z::Z", Place::Shipped)]
        {
            assert!(found.contains(&(path.to_owned(), place)), "{path} in {found:?}");
        }
        assert!(shipped("#[cfg(not(test))] use s::V;").contains(&"s::V".to_owned()));
    }

    #[test]
    fn a_file_declared_for_tests_is_test_code() {
        let parse = |(file, text)| Source::parse(file, text).unwrap_or_else(|finding| panic!("{finding:?}"));
        let mut sources = [
            ("c/src/lib.rs", "#[cfg(test)] mod testing; mod x;"),
            ("c/src/testing.rs", "use a::B;"),
            ("c/src/testing/deep.rs", "use a::B;"),
            ("c/src/x.rs", "#[cfg(test)] mod cases; use a::B;"),
            ("c/src/x/cases.rs", "use a::B;"),
            ("c/src/x/testing.rs", "use a::B;"),
        ]
        .map(parse);
        Source::mark_test_files(&mut sources);
        let ships = |source: &&Source| source.shipped_paths().any(|path| path.segments == ["a", "B"]);
        let shipped: Vec<&str> = sources.iter().filter(ships).map(|it| it.file.as_str()).collect();
        assert_eq!(shipped, ["c/src/x.rs", "c/src/x/testing.rs"]);
    }

    #[test]
    fn inline_modules_are_counted() {
        let Ok(source) = Source::parse("x.rs", "mod a { mod b { use super::C; } } use super::D;") else {
            panic!()
        };
        let depth = |last: &str| source.paths.iter().find(|it| it.segments.last().is_some_and(|s| s == last));
        assert_eq!(depth("C").map(|it| it.inline), Some(2));
        assert_eq!(depth("D").map(|it| it.inline), Some(0));
    }

    #[test]
    fn allow_is_found_where_it_hides() {
        let Ok(source) =
            Source::parse("x.rs", "#![allow(a)]\n#[cfg_attr(test, allow(b))]\nfn allow(x: u8) {}")
        else {
            panic!()
        };
        assert_eq!(source.allows, [1, 2]);
    }
}
