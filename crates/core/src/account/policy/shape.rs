//! What is predictable in a text: case, spelling, runs along the alphabet or the keyboard, repetition. In: a text that somebody
//! chose. Out: the same, folded or taken apart, and wiped when dropped.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Neighbours that fingers and minds run along, either way. Keyboards: US rows and columns, then what German and French ones differ in.
const LINES: [&str; 21] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "`1234567890-=",
    "qwertyuiop[]\\",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
    "0p;/",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
];
/// Fewer neighbours than this stand side by side by chance.
const SHORTEST_RUN: usize = 3;

/// One form for all spellings that differ in case or compatibility: `ß` is `ss`, `ς` is `σ`, `ﬁ` is `fi`.
pub(super) fn fold(text: &str) -> Zeroizing<Vec<char>> {
    // Room for the longest form up front, so that no half-grown copy is left behind unwiped.
    let mut folded = Zeroizing::new(Vec::with_capacity(text.len() * 3));
    // By way of upper case: it alone brings `ß`, `ſ` and `ς` together with what they are forms of.
    folded.extend(text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc());
    folded
}

/// The text with signs and digits read as the letters that they stand in for; once for each letter that `1` may be. Of the same
/// length as the text; none where there is nothing to read so.
pub(super) fn respelled(folded: &[char]) -> Vec<Zeroizing<Vec<char>>> {
    let with = |one: char| {
        let letter = |it: &char| match it {
            '4' | '@' => 'a',
            '3' => 'e',
            '0' => 'o',
            '5' | '$' => 's',
            '7' | '+' => 't',
            '1' | '!' | '|' => one,
            other => *other,
        };
        Zeroizing::new(folded.iter().map(letter).collect::<Vec<_>>())
    };
    ['i', 'l'].map(with).into_iter().filter(|it| **it != *folded).collect()
}

/// The letters alone, in their order.
pub(super) fn letters_of(folded: &[char]) -> Zeroizing<Vec<char>> {
    let mut letters = Zeroizing::new(Vec::with_capacity(folded.len()));
    letters.extend(folded.iter().filter(|it| it.is_alphabetic()));
    letters
}

/// The unit that a text repeats, twice at least; the last time may be cut short.
pub(super) fn period_of(text: &[char]) -> Option<&[char]> {
    (1..=text.len() / 2).find_map(|length| {
        let (unit, behind) = text.split_at_checked(length)?;
        text.iter().zip(behind).all(|(one, next)| one == next).then_some(unit)
    })
}

/// Where a text runs along a line of neighbours or repeats one character.
pub(super) struct Runs {
    /// What each character belongs to, in order.
    pieces: Vec<Piece>,
}

struct Piece {
    length: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    /// Digit, sign, space: what people put at the ends of a word.
    Other,
    Run,
}

impl Runs {
    pub(super) fn of(text: &[char]) -> Self {
        let mut pieces = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.first() {
            let run = run_at_start(rest);
            let (length, kind) = match first.is_alphabetic() {
                _ if run >= SHORTEST_RUN => (run, Kind::Run),
                true => (1, Kind::Letter),
                false => (1, Kind::Other),
            };
            pieces.push(Piece { length, kind });
            rest = rest.get(length..).unwrap_or_default();
        }
        Self { pieces }
    }

    /// How many characters there are when a whole run counts as one.
    pub(super) fn left(&self) -> usize {
        self.pieces.len()
    }

    /// How many characters at the start, and how many at the end, are digits, signs or runs.
    pub(super) fn decoration(&self) -> (usize, usize) {
        let is_decoration = |piece: &&Piece| piece.kind != Kind::Letter;
        let head = self.pieces.iter().take_while(is_decoration).map(|it| it.length).sum();
        let tail = self.pieces.iter().rev().take_while(is_decoration).map(|it| it.length).sum();
        (head, tail)
    }
}

/// How many characters from the first one on are the same, or follow one line in one direction.
fn run_at_start(text: &[char]) -> usize {
    let along = |follows: &dyn Fn(char, char) -> bool| {
        1 + text.windows(2).take_while(|pair| matches!(pair, [one, next] if follows(*one, *next))).count()
    };
    let on_a_line = LINES.iter().flat_map(|line| {
        let has = |one, next| line.chars().zip(line.chars().skip(1)).any(|step| step == (one, next));
        [along(&has), along(&|one, next| has(next, one))]
    });
    on_a_line.chain([along(&|one, next| one == next)]).max().unwrap_or_default()
}
