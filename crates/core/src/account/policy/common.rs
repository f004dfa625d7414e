//! The bundled list of common passwords. In: a folded word. Out: whether it is listed. The list is unpacked once and searched as it
//! is, sorted lines in one text, so that it takes no memory beside its own length.

use std::cmp::Ordering;

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::fault::Fault;

/// Sorted folded ASCII lines, zlib. Where they come from, and under which licence: `docs/decisions/0012-common-passwords.md`;
/// `cargo xtask blocklist` makes the file.
const PACKED: &[u8] = include_bytes!("common-passwords.zz");
/// Far above what is in the file: a broken one must not take all memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The list, ready to be searched.
pub(super) struct CommonPasswords {
    lines: Vec<u8>,
}

impl CommonPasswords {
    /// Unpacks the list that the program carries.
    pub(super) fn bundled() -> Result<Self, Fault> {
        let lines = decompress_to_vec_zlib_with_limit(PACKED, MOST_BYTES)
            .map_err(|cause| Fault::corrupt("the list of common passwords", cause.to_string()))?;
        Ok(Self { lines })
    }

    /// Whether a folded word is on the list.
    pub(super) fn contains(&self, word: &[char]) -> bool {
        // Bisection over bytes: the line around the middle decides on which side of it to go on.
        let mut rest = self.lines.as_slice();
        while !rest.is_empty() {
            let (before, behind) = rest.split_at(rest.len() / 2);
            let from = before.iter().rposition(|it| *it == b'\n').map_or(0, |end| end + 1);
            let to = behind.iter().position(|it| *it == b'\n').map_or(rest.len(), |end| before.len() + end);
            let line = rest.get(from..to).unwrap_or_default();
            rest = match line.iter().map(|it| char::from(*it)).cmp(word.iter().copied()) {
                Ordering::Equal => return true,
                Ordering::Greater => rest.get(..from.saturating_sub(1)).unwrap_or_default(),
                Ordering::Less => rest.get(to + 1..).unwrap_or_default(),
            };
        }
        false
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.split(|it| *it == b'\n').map(|line| std::str::from_utf8(line).unwrap())
    }
}
