//! Spellings that some service reads as one path: other case, trailing dots and spaces, Unicode compatibility forms. In: a decoded
//! path. Out: its folded form; two paths that a lenient service takes for one have the same.

use std::borrow::Cow;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;

/// The folded form of a decoded path. Each segment is folded by itself: NFKC without ignorable code points, without regard to case,
/// without the spaces around it, without trailing dots and parameters (`;`). Empty segments go.
pub(super) fn path(decoded: &str) -> String {
    let normal = without_case(decoded);
    let mut folded = String::with_capacity(normal.len() + 1);
    let mut ends_in_slash = true;
    for segment in normal.split('/') {
        let name = segment.split(';').next().unwrap_or_default().trim_start();
        let name = name.trim_end_matches(|it: char| it == '.' || it.is_whitespace());
        ends_in_slash = name.is_empty();
        if !ends_in_slash {
            folded.push('/');
            folded.push_str(name);
        }
    }
    if ends_in_slash {
        folded.push('/');
    }
    folded
}

/// Whether a decoded path is its own folded form, as most are.
pub(super) fn is_folded(decoded: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b';';
    decoded.bytes().all(is_plain)
        && decoded.starts_with('/')
        && !decoded.contains("//")
        && !decoded.contains("./")
        && !decoded.ends_with('.')
}

/// A text in NFKC without the code points that some programs drop or cannot show (Default_Ignorable_Code_Point).
pub(super) fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    Cow::Owned(text.nfkc().filter(|it| !ignorable.contains(*it)).nfkc().collect())
}

/// Full case folding by way of capitals: `ß` is `ss`, `ſ` is `s`, the Kelvin sign is `k`. Wider than Unicode's own: the `i` without a
/// dot and the `I` with one are `i`, as they are to programs that compare capitals.
fn without_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = text.to_owned();
    // What one round composes, the next may fold further.
    for _ in 0..3 {
        let composed = normal(&folded);
        let lower = composed.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        let next = normal(&lower.collect::<String>()).replace("i\u{307}", "i");
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}
