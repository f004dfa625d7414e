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
        if let Ok(table) = DeTable::parse(text) {
            read.add_table("", table.get_ref());
        }
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
