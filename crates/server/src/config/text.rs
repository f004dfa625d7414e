//! Where in the file a setting stands. In: the file's text. Out: line and column for a key, and the key for a place in the text.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The keys of a TOML file with their places.
#[derive(Default)]
pub(super) struct Text {
    /// Byte offsets at which lines begin.
    lines: Vec<usize>,
    keys: Vec<Key>,
}

struct Key {
    /// `route[0].path`.
    path: String,
    /// Where its name stands.
    at: usize,
    /// Name and value together.
    span: Range<usize>,
}

impl Text {
    /// Reads the places of all keys; of a text that is no TOML, the lines alone.
    pub(super) fn read(text: &str) -> Self {
        let lines =
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        let mut read = Self { lines, keys: Vec::new() };
        // Of a text with a slip in it, what can be read.
        let (table, _) = DeTable::parse_recoverable(text);
        read.add_table("", table.get_ref());
        read
    }

    /// `line:column` of a key, or of the nearest thing around it that is written down.
    pub(super) fn place_of(&self, path: &str) -> Option<String> {
        let mut path = path;
        loop {
            if let Some(key) = self.keys.iter().find(|key| key.path == path) {
                return Some(self.place_at(key.at));
            }
            path = path.rsplit_once(['.', '[']).map(|(parent, _)| parent)?;
        }
    }

    /// `line:column` of a byte offset, both counted from 1.
    pub(super) fn place_at(&self, offset: usize) -> String {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default();
        format!("{line}:{}", offset.saturating_sub(start) + 1)
    }

    /// The key that is written a second time at a byte offset, and `line:column` of the first time.
    pub(super) fn first_of(&self, text: &str, second: usize) -> Option<(String, String)> {
        let before = text.get(..second)?;
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.\"'".contains(c);
        let name: String = text.get(second..)?.chars().take_while(|c| is_word(*c)).collect();
        let name = name.replace(['"', '\''], "");
        // Within which table: that of the last heading, of which the last of many counts.
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let own_line = text.get(line_start..)?.lines().next()?.trim();
        if own_line.starts_with('[') {
            let path = own_line.split('#').next()?.trim().trim_matches(['[', ']']).trim();
            let same = |line: &str| line.trim_start().starts_with(&format!("[{path}]"));
            let at = before.lines().position(same)?;
            let column = before.lines().nth(at)?.find('[')? + 2;
            return Some((path.to_owned(), format!("{}:{column}", at + 1)));
        }
        let path = {
            let heading = before.lines().rev().map(str::trim).find(|line| line.starts_with('['));
            let table =
                heading.map(|it| it.split('#').next().unwrap_or(it).trim().trim_matches(['[', ']']).trim());
            let many = heading.is_some_and(|it| it.starts_with("[["));
            match table {
                None => name.clone(),
                Some(table) if many => {
                    let count = before
                        .lines()
                        .filter(|line| line.trim().starts_with(&format!("[[{table}]]")))
                        .count();
                    format!("{table}[{}].{name}", count.saturating_sub(1))
                }
                Some(table) => format!("{table}.{name}"),
            }
        };
        // Within a table on one line, the name alone is known.
        let first = self.keys.iter().find(|key| key.path == path && key.at < second).or_else(|| {
            let suffix = format!(".{name}");
            self.keys.iter().rev().find(|key| key.at < second && key.path.ends_with(&suffix))
        })?;
        Some((first.path.clone(), self.place_at(first.at)))
    }

    /// The innermost key around a byte offset.
    pub(super) fn key_at(&self, offset: usize) -> Option<&str> {
        let around = self.keys.iter().filter(|key| key.span.contains(&offset));
        around.max_by_key(|key| key.path.len()).map(|key| key.path.as_str())
    }

    fn add_table(&mut self, parent: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = if parent.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{parent}.{}", name.get_ref())
            };
            let span = name.span().start..value.span().end.max(name.span().end);
            self.keys.push(Key { path: path.clone(), at: name.span().start, span });
            self.add_value(&path, value.get_ref());
        }
    }

    fn add_value(&mut self, path: &str, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.add_table(path, table),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.keys.push(Key { path: path.clone(), at: item.span().start, span: item.span() });
                    self.add_value(&path, item.get_ref());
                }
            }
            _ => {}
        }
    }
}
