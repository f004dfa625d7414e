//! Text that people will read and compare by eye. In: a character. Out: whether it can be seen for what it is.

/// Whether a character shows nothing of itself or turns around what stands beside it: control characters, those of no width,
/// and those for writing direction. A name with one in it could pass for another name.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}
