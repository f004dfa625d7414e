use icu_properties::props::{
    BidiControl, DefaultIgnorableCodePoint, NoncharacterCodePoint, VariationSelector, WhiteSpace,
};
use proptest::prelude::*;

use super::*;

#[test]
fn identifiers_have_one_form() {
    let ada = Identifier::parse("ada@example.com").unwrap();
    assert_eq!(Identifier::parse("  ADA@Example.COM\n").unwrap(), ada);
    assert_eq!(Identifier::parse("\u{FF41}da@example.com").unwrap(), ada);
    let composed = Identifier::parse("\u{1F0}@example.com").unwrap();
    assert_eq!(Identifier::parse("J\u{30C}@example.com").unwrap(), composed);
    for bad in ["", "   ", "a\0b", "a\u{202E}b", "a\u{200B}b", "a\nb"] {
        assert!(Identifier::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Identifier::parse(&"x".repeat(254)).is_ok());
    assert!(Identifier::parse(&"x".repeat(255)).is_err());
}

/// Characters that once could be registered inside a name and looked like nothing.
#[test]
fn no_new_identifier_has_an_invisible_character() {
    let once_taken = [
        '\u{AD}',
        '\u{34F}',
        '\u{61C}',
        '\u{115F}',
        '\u{1160}',
        '\u{3164}',
        '\u{17B4}',
        '\u{17B5}',
        '\u{180B}',
        '\u{180E}',
        '\u{180F}',
        '\u{2065}',
        '\u{206A}',
        '\u{2800}',
        '\u{FE00}',
        '\u{FE0F}',
        '\u{FFA0}',
        '\u{FFF9}',
        '\u{FFFB}',
        '\u{FFFC}',
        '\u{13441}',
        '\u{16FE4}',
        '\u{1BCA0}',
        '\u{1D159}',
        '\u{1D173}',
        '\u{1D17A}',
        '\u{E0001}',
        '\u{E0041}',
        '\u{E007F}',
        '\u{E0100}',
        '\u{E01EF}',
        '\u{E000}',
        '\u{F0000}',
    ];
    for character in once_taken {
        for typed in
            [format!("ada{character}@example.com"), format!("{character}ada"), format!("ada{character}")]
        {
            assert!(Identifier::parse(&typed).is_err(), "U+{:04X} in {typed:?}", u32::from(character));
            // A form of it that normalisation takes to another character is no way around.
            let upper = typed.to_uppercase();
            assert!(Identifier::parse(&upper).is_err(), "U+{:04X} in {upper:?}", u32::from(character));
        }
    }
    let refused = Identifier::parse("ad\u{AD}a").unwrap_err().to_string();
    assert!(refused.contains("U+00AD"), "{refused}");
}

/// Whole classes of Unicode, character by character: none of them is left inside an identifier.
#[test]
fn no_class_of_invisible_characters_gets_in() {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let sets = [
        ignorable,
        CodePointSetData::new::<BidiControl>(),
        CodePointSetData::new::<NoncharacterCodePoint>(),
        CodePointSetData::new::<VariationSelector>(),
        CodePointSetData::new::<WhiteSpace>(),
    ];
    let (mut seen, mut judged) = (0, 0);
    for character in char::MIN..=char::MAX {
        let class = categories.get(character);
        let is_listed = matches!(
            class,
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
        );
        if !is_listed && !sets.iter().any(|set| set.contains(character)) {
            seen += usize::from(Identifier::parse(&format!("a{character}b")).is_ok());
            continue;
        }
        judged += 1;
        // Normalisation makes a space of some, and a space shows.
        let normal: String = character.nfkc().collect();
        if let Ok(taken) = Identifier::parse(&format!("a{character}b")) {
            assert_eq!((normal.as_str(), taken.as_str()), (" ", "a b"), "U+{:04X}", u32::from(character));
        }
    }
    assert!(judged > 900_000, "{judged}");
    assert!(seen > 140_000, "letters, digits and signs of all scripts stay: {seen}");
}

/// What is promised of names that look alike, and what is not; the threat model says the same.
#[test]
fn confusable_names_are_one_refused_or_known_to_differ() {
    #[derive(Debug, PartialEq)]
    enum Told {
        /// Promised: it is the other one.
        Same,
        /// Promised: no account can be called so.
        Refused,
        /// Not promised: a second account can be called so.
        Different,
    }
    let table = [
        ("paul", "PAUL", Told::Same),
        ("paul", "\u{FF50}\u{FF41}\u{FF55}\u{FF4C}", Told::Same),
        ("paul", "\u{1D429}aul", Told::Same),
        ("paul", "\u{24DF}aul", Told::Same),
        ("file", "\u{FB01}le", Told::Same),
        ("caf\u{E9}", "cafe\u{301}", Told::Same),
        ("kelvin", "\u{212A}elvin", Told::Same),
        ("sam", "\u{17F}am", Told::Same),
        ("a b", "a\u{A0}b", Told::Same),
        ("a b", "a\u{3000}b", Told::Same),
        ("a b", "a  b", Told::Refused),
        ("a b", "a \u{A0}b", Told::Refused),
        ("ada", "ad\u{200D}a", Told::Refused),
        ("ada", "\u{202E}ada", Told::Refused),
        ("ada", "ada\u{FE0F}", Told::Refused),
        ("ida", "i\u{307}da", Told::Refused),
        ("ida", "\u{130}da", Told::Refused),
        ("ida", "i\u{323}\u{307}da", Told::Refused),
        ("jan", "j\u{307}an", Told::Refused),
        // A dotless i or j with a mark above it is shown as i or j with that mark.
        ("ida", "\u{131}\u{307}da", Told::Refused),
        ("ida", "\u{131}\u{323}\u{307}da", Told::Refused),
        ("ida", "\u{1D6A4}\u{307}da", Told::Refused),
        ("\u{ED}da", "\u{131}\u{301}da", Told::Refused),
        ("\u{EF}da", "\u{131}\u{308}da", Told::Refused),
        ("jan", "\u{237}\u{307}an", Told::Refused),
        ("jan", "\u{1D6A5}\u{307}an", Told::Refused),
        ("\u{1F0}an", "\u{237}\u{30C}an", Told::Refused),
        ("\u{249}an", "\u{25F}\u{307}an", Told::Refused),
        ("\u{284}an", "\u{284}\u{307}an", Told::Refused),
        ("ada", "\u{301}ada", Told::Refused),
        // Other letters of the same look: Cyrillic a, Greek omicron, dotless i, digit one, capital i, rn.
        ("paul", "p\u{430}ul", Told::Different),
        ("bob", "b\u{3BF}b", Told::Different),
        ("ida", "\u{131}da", Told::Different),
        ("ida", "\u{131}\u{323}da", Told::Different),
        ("jan", "\u{237}an", Told::Different),
        // A dot above an iota, and a mark above the letter after a dotless i.
        ("ida", "\u{3B9}\u{307}da", Told::Different),
        ("ida", "\u{131}d\u{301}a", Told::Different),
        ("lisa", "1isa", Told::Different),
        ("lisa", "Iisa", Told::Different),
        ("modem", "modern", Told::Different),
        ("strasse", "stra\u{DF}e", Told::Different),
    ];
    for (name, typed, expected) in table {
        let told = match Identifier::parse(typed) {
            Err(_) => Told::Refused,
            Ok(identifier) if identifier.as_str() == name => Told::Same,
            Ok(_) => Told::Different,
        };
        assert_eq!(told, expected, "{typed:?} beside {name:?}");
    }
}

/// A rule that became stricter locks no owner out: what an account is called already can still be typed.
#[test]
fn a_known_identifier_is_still_found_by_its_name() {
    for old in [
        "ad\u{AD}a",
        "ada\u{FE0F}@example.com",
        "a  b",
        "i\u{307}da",
        "\u{131}\u{307}da",
        "\u{3164}",
        "a\u{E000}",
    ] {
        let known = Identifier::known(old).unwrap();
        assert_eq!(Identifier::known(known.as_str()).unwrap(), known, "{old:?}");
        assert!(Identifier::parse(old).is_err(), "{old:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_taken_is_its_own_normal_form(typed in "\\PC{0,40}") {
        if let Ok(identifier) = Identifier::parse(&typed) {
            prop_assert_eq!(&Identifier::parse(identifier.as_str()).unwrap(), &identifier);
            prop_assert_eq!(&Identifier::known(&typed).unwrap(), &identifier);
            prop_assert!(!identifier.as_str().chars().any(is_unseen));
        }
    }
}
