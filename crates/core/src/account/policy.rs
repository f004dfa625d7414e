//! What a new password must be: long enough, and not among the first that a guesser would try (SP 800-63B section 3.1.1.2; ASVS
//! 6.2). In: what somebody chose, and words that belong to them and to this place. Out: nothing, or which rule it breaks. There are
//! no rules of composition: a capital letter and a digit make nobody's password better.

use zeroize::Zeroizing;

use self::common::CommonPasswords;
use self::shape::{Runs, fold, letters_of, period_of, respelled};
use crate::fault::Fault;
use crate::secret::Password;

mod common;
mod shape;
#[cfg(test)]
mod tests;

/// The fewest code points that must be left of a password once everything predictable in it counts as little as it tells.
const LEAST_LEFT: usize = 8;
/// A shorter word stands in passwords by chance.
const SHORTEST_WORD: usize = 4;
/// No listed word is longer; looking for longer ones among decoration would be work for nothing.
const LONGEST_WORD: usize = 40;
/// Letters with this much between them are not read as one word when there are fewer.
const SHORTEST_SPREAD_WORD: usize = 6;
/// The shortest context word that is looked for: `ada` of `ada.lovelace@example.com`.
const SHORTEST_CONTEXT: usize = 3;
/// The program's own name is nobody's secret.
const OUR_NAME: &str = "vestibule";

/// The rules for new passwords. Made once: it holds the list of common passwords.
pub struct Policy {
    min: usize,
    common: CommonPasswords,
    site: Vec<String>,
}

/// Why a new password is refused; its text is one sentence for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordReject {
    /// It is a common password, or one with something added at its ends, repeated, or run along the keyboard.
    #[error(
        "This is one of the passwords that others would try first, perhaps with something added or repeated. Choose one that is not built on a common password."
    )]
    Common,
    /// It is made of the account's identifier, the site's name, or ours.
    #[error(
        "This password is made of your own name or address, or of the name of this site. Choose one that has nothing to do with them."
    )]
    Contextual,
    /// More than [`Password::MAX_CODE_POINTS`].
    #[error("Use 256 characters at most.")]
    TooLong,
    /// Fewer characters than are asked for.
    #[error(
        "Use {min} characters or more. A few words that have nothing to do with each other are a good password."
    )]
    TooShort {
        /// The least, in code points after NFKC.
        min: usize,
    },
}

impl PasswordReject {
    /// The stable code: problem `code`, log field.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Common => "password-common",
            Self::Contextual => "password-contextual",
            Self::TooLong => "password-too-long",
            Self::TooShort { .. } => "password-too-short",
        }
    }
}

impl Policy {
    /// Rules with a least length in code points, for a site with these names (its host is one). Unpacks the list of common
    /// passwords: some milliseconds.
    pub fn new(min: usize, site: &[&str]) -> Result<Self, Fault> {
        let site = site.iter().copied().chain([OUR_NAME]).map(str::to_owned).collect();
        Ok(Self { min, common: CommonPasswords::bundled()?, site })
    }

    /// The least length, in code points, for pages that say so beforehand.
    pub const fn min_length(&self) -> usize {
        self.min
    }

    /// Takes a new password as typed, if it may be one. Passwords that are set already are not judged again. `context` are the texts that belong to its account: the identifier.
    pub fn read(&self, typed: &str, context: &[&str]) -> Result<Password, PasswordReject> {
        if typed.is_empty() {
            return Err(PasswordReject::TooShort { min: self.min });
        }
        let password = Password::parse(typed).ok_or(PasswordReject::TooLong)?;
        self.judge(&password, context)?;
        Ok(password)
    }

    fn judge(&self, new: &Password, context: &[&str]) -> Result<(), PasswordReject> {
        if new.code_points() < self.min {
            return Err(PasswordReject::TooShort { min: self.min });
        }
        let folded = fold(&String::from_utf8_lossy(new.reveal()));
        let words = context_words(self.site.iter().map(String::as_str).chain(context.iter().copied()));
        if self.is_of_context(&folded, &words) {
            return Err(PasswordReject::Contextual);
        }
        if self.is_common(&folded) { Err(PasswordReject::Common) } else { Ok(()) }
    }

    /// Common as it is, or with digits, signs, repetitions and sequences around it, between its letters, or all over it.
    fn is_common(&self, folded: &[char]) -> bool {
        let is_listed = |word: &[char]| self.common.contains(word);
        let unit_is_weak = |unit: &[char]| is_listed(unit) || is_word_in_decoration(unit, &is_listed);
        if Runs::of(folded).left() < LEAST_LEFT || unit_is_weak(folded) {
            return true;
        }
        if period_of(folded).is_some_and(|unit| unit.len() < LEAST_LEFT || unit_is_weak(unit)) {
            return true;
        }
        let letters = letters_of(folded);
        let word = period_of(&letters).unwrap_or(&letters);
        word.len() >= SHORTEST_SPREAD_WORD && is_listed(word)
    }

    /// Context words count as nothing: something good must be left beside them.
    fn is_of_context(&self, folded: &[char], words: &[Vec<char>]) -> bool {
        let is_ours = |word: &[char]| words.iter().any(|ours| ours == word);
        if is_word_in_decoration(folded, &is_ours) {
            return true;
        }
        [Zeroizing::new(folded.to_vec())].into_iter().chain(respelled(folded)).any(|spelling| {
            let left = without_words(&spelling, words);
            left.len() < spelling.len() && (Runs::of(&left).left() < LEAST_LEFT || self.is_common(&left))
        })
    }
}

/// Whether some word with nothing but decoration before and behind it is `known`, however it is spelled.
fn is_word_in_decoration(folded: &[char], known: &impl Fn(&[char]) -> bool) -> bool {
    let (head, tail) = Runs::of(folded).decoration();
    // What is between them begins with a letter; where there is nothing, letters can only be in runs.
    let has_letter = |from, to| {
        let is_letter = |it: &[char]| it.iter().any(|one| one.is_alphabetic());
        head + tail < folded.len() || folded.get(from..to).is_some_and(is_letter)
    };
    let is_word = |spelling: &[char], from: usize| {
        let least = (folded.len() - tail).max(from + SHORTEST_WORD);
        let most = folded.len().min(from + LONGEST_WORD);
        (least..=most).any(|to| has_letter(from, to) && spelling.get(from..to).is_some_and(known))
    };
    [Zeroizing::new(folded.to_vec())]
        .into_iter()
        .chain(respelled(folded))
        .any(|spelling| (0..=head).any(|from| is_word(&spelling, from)))
}

/// The texts themselves and their parts, folded, the longest first.
fn context_words<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Vec<char>> {
    let mut words: Vec<Vec<char>> = texts
        .flat_map(|text| {
            let folded = fold(text);
            let parts: Vec<_> = folded.split(|one| !one.is_alphanumeric()).map(<[char]>::to_vec).collect();
            parts.into_iter().chain([folded.to_vec()])
        })
        .filter(|word| word.len() >= SHORTEST_CONTEXT)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

/// What is left without the words, of which the longest come first.
fn without_words(spelling: &[char], words: &[Vec<char>]) -> Zeroizing<Vec<char>> {
    let mut left = Zeroizing::new(Vec::with_capacity(spelling.len()));
    let mut rest = spelling;
    while let Some((first, behind)) = rest.split_first() {
        match words.iter().find_map(|word| rest.strip_prefix(word.as_slice())) {
            Some(behind) => rest = behind,
            None => {
                left.push(*first);
                rest = behind;
            }
        }
    }
    left
}
