//! Identifiers: what people type to say who they are, in one normal form. In: what was typed, or what a store keeps. Out: an identifier
//! that looks like no other one in a way that this module can tell, or why a text cannot be one.

use icu_properties::props::{GeneralCategory, SoftDotted};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::text::{is_unseen, was_always_refused};

const LONGEST: usize = 254;
/// Longer texts are not normalised at all.
const LONGEST_TYPED: usize = 1024;
const DOT_ABOVE: char = '\u{307}';
/// Canonical_Combining_Class of marks that stand above a letter.
const ABOVE: u8 = 230;
/// i and j without their dot, and j with a stroke without its dot. The dot of i and j does not show below a mark, so with a mark above them
/// these letters are shown exactly as i and j are with it, and below a dot as i and j. Normalisation takes their mathematical forms to them.
const DOTLESS: [char; 4] = ['\u{131}', '\u{237}', '\u{25F}', '\u{284}'];

/// What a person types to say who they are, usually a mail address. Compared in NFKC and lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(String);

/// Why a text cannot be an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentifier {
    /// A dot above a letter that has one already: `i̇` looks like `i`.
    #[error("a dot above a letter that has a dot already (U+0307) does not show")]
    DotTwice,
    /// A mark above a letter that has no dot: `ı̇` looks like `i`, and `ı́` like `í`.
    #[error("a mark above a letter without a dot (U+{0:04X}) makes it look like i or j")]
    Dotless(u32),
    /// Empty, or longer than 254 bytes.
    #[error("an identifier is 1 to 254 bytes long")]
    Length,
    /// It begins with a mark that belongs to a letter before it.
    #[error("an identifier cannot begin with a mark (U+{0:04X}) that belongs to the letter before it")]
    Mark(u32),
    /// Several spaces, which pages show as one.
    #[error("an identifier has no two spaces in a row")]
    Spaces,
    /// A character that cannot be seen, or that changes how others are shown.
    #[error("an identifier has no characters that cannot be seen (U+{0:04X})")]
    Unseen(u32),
}

impl Identifier {
    /// Normalises and judges what a new account is to be called. Spaces around it are dropped (phones add them), inside it they stay.
    pub fn parse(typed: &str) -> Result<Self, NotAnIdentifier> {
        let normal = Self::known(typed)?;
        normal.refuse_what_does_not_show()?;
        Ok(normal)
    }

    /// Normalises what was typed to find an account by. Takes every identifier that an earlier version let an account have, so that
    /// its owner can still sign in.
    pub fn known(typed: &str) -> Result<Self, NotAnIdentifier> {
        if typed.len() > LONGEST_TYPED {
            return Err(NotAnIdentifier::Length);
        }
        // Composed again at the end: some letters have a composed form in lower case only (J̌ and ǰ).
        let normal: String = typed.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect();
        if let Some(unseen) = normal.chars().find(|it| was_always_refused(*it)) {
            return Err(NotAnIdentifier::Unseen(u32::from(unseen)));
        }
        if normal.is_empty() || normal.len() > LONGEST || normal.trim() != normal {
            return Err(NotAnIdentifier::Length);
        }
        Ok(Self(normal))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Two identifiers that differ only in what these checks refuse would be shown alike.
    fn refuse_what_does_not_show(&self) -> Result<(), NotAnIdentifier> {
        if let Some(unseen) = self.0.chars().find(|it| is_unseen(*it)) {
            return Err(NotAnIdentifier::Unseen(u32::from(unseen)));
        }
        if self.0.contains("  ") {
            return Err(NotAnIdentifier::Spaces);
        }
        let categories = CodePointMapData::<GeneralCategory>::new();
        let is_mark = |it: &char| {
            matches!(
                categories.get(*it),
                GeneralCategory::EnclosingMark
                    | GeneralCategory::NonspacingMark
                    | GeneralCategory::SpacingMark
            )
        };
        if let Some(mark) = self.0.chars().next().filter(is_mark) {
            return Err(NotAnIdentifier::Mark(u32::from(mark)));
        }
        let soft_dotted = CodePointSetData::new::<SoftDotted>();
        let mut shows_its_own_dot = false;
        let mut dotless = None;
        for character in self.0.chars() {
            if character == DOT_ABOVE && shows_its_own_dot {
                return Err(NotAnIdentifier::DotTwice);
            }
            match canonical_combining_class(character) {
                0 => {
                    shows_its_own_dot = soft_dotted.contains(character);
                    dotless = Some(character).filter(|it| DOTLESS.contains(it));
                }
                ABOVE => {
                    if let Some(letter) = dotless {
                        return Err(NotAnIdentifier::Dotless(u32::from(letter)));
                    }
                    shows_its_own_dot = false;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
