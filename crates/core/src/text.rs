//! Text that people will read and compare by eye. In: a character. Out: whether it can be seen for what it is.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Blank characters that no general category and no property of Unicode sets apart from visible ones: the empty Braille pattern, the
/// object replacement character, two blanks of the Egyptian hieroglyphs, the Khitan filler and the musical null notehead.
const BLANKS: [char; 6] = ['\u{2800}', '\u{FFFC}', '\u{13441}', '\u{13442}', '\u{16FE4}', '\u{1D159}'];

/// Whether a character shows nothing of itself, changes only how others are shown, or has no meaning yet. A name with one in it could
/// pass for another name. By the Unicode Character Database: control, format, private-use and unassigned characters, separators other
/// than the space, Default_Ignorable_Code_Point, and a few more that are blank. Bidi_Control is part of the format characters.
pub fn is_unseen(character: char) -> bool {
    // What is typed most is answered without a look at the tables.
    if matches!(character, ' '..='~') {
        return false;
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::SpaceSeparator
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || BLANKS.contains(&character)
}

/// The characters that every version refused in names. What is already kept is judged by this alone, so that a later and stricter
/// rule makes no record unreadable.
pub(crate) fn was_always_refused(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Text as an operator can read it: what cannot be seen stands there as `\u{ad}`.
pub fn spelled_out(text: &str) -> String {
    let mut readable = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            readable.extend(character.escape_unicode());
        } else {
            readable.push(character);
        }
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        assert_eq!(spelled_out("a\u{AD}da \u{202E}é\u{2800}"), "a\\u{ad}da \\u{202e}é\\u{2800}");
        assert_eq!(spelled_out("ada@example.com"), "ada@example.com");
    }

    #[test]
    fn what_was_refused_once_is_refused_today() {
        for character in (char::MIN..=char::MAX).filter(|it| was_always_refused(*it)) {
            assert!(is_unseen(character), "{:?}", character);
        }
    }
}
