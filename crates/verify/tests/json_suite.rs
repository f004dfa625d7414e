//! JW-09: the parser of headers and claims against JSONTestSuite, 318 files that JSON parsers disagree on.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use common::vectors;
use vestibule_verify::strict_json::{JsonReject, Limits, parse};

/// Valid JSON by RFC 8259, and refused here on purpose.
const DEVIATIONS: [(&str, JsonReject); 2] = [
    // RFC 7515 §4 and RFC 7519 §4: duplicate names have no meaning two parsers agree on.
    ("y_object_duplicated_key.json", JsonReject::Duplicate),
    ("y_object_duplicated_key_and_value.json", JsonReject::Duplicate),
];

fn verdict(file: &str) -> Result<(), JsonReject> {
    let text = std::fs::read(vectors::folder("json/test_parsing").join(file)).unwrap();
    // The suite has two long files, both `n_`: their length must not be what refuses them.
    parse(&text, Limits { bytes: 1 << 20, ..Limits::JOSE }).map(drop)
}

#[test]
fn what_must_parse_parses_and_what_must_not_does_not() {
    let files = vectors::files("json/test_parsing");
    let count = |prefix: &str| files.iter().filter(|file| file.starts_with(prefix)).count();
    assert_eq!((count("y_"), count("n_"), count("i_")), (95, 188, 35), "another version of the suite");
    let mut deviations = Vec::new();
    for file in &files {
        match (file.split('_').next().unwrap(), verdict(file)) {
            ("y", Err(reject)) => deviations.push((file.as_str(), reject)),
            ("n", Ok(())) => panic!("{file} was taken"),
            _ => {}
        }
    }
    assert_eq!(deviations, DEVIATIONS);
}

/// Where RFC 8259 leaves the choice, ours is written down: of 35 files these are taken, the rest refused.
#[test]
fn where_the_rfc_leaves_the_choice_it_is_known() {
    let taken: Vec<String> = vectors::files("json/test_parsing")
        .into_iter()
        .filter(|file| file.starts_with("i_") && verdict(file).is_ok())
        .collect();
    // Numbers that a double rounds. As dates they are refused: not whole, or out of range.
    assert_eq!(taken, TAKEN_BY_CHOICE);
}

const TAKEN_BY_CHOICE: [&str; 5] = [
    "i_number_double_huge_neg_exp.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];
