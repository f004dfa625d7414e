use serde_json::json;

use super::{JsonReject, Limits, parse, parse_object};

fn jose(text: &str) -> Result<serde_json::Value, JsonReject> {
    parse(text.as_bytes(), Limits::JOSE)
}

#[test]
fn a_plain_document_keeps_its_meaning() {
    let text = r#"{"a":[1,-2,3.5,true,false,null,"\u00e9\ud83d\ude00"],"b":{"a":{}}}"#;
    assert_eq!(jose(text), Ok(json!({"a":[1,-2,3.5,true,false,null,"é😀"],"b":{"a":{}}})));
}

#[test]
fn duplicate_names_are_refused_at_every_level_and_through_escapes() {
    for text in [
        r#"{"alg":1,"alg":1}"#,
        r#"{"alg":1,"a\u006cg":2}"#,
        r#"{"a":{"b":[{"c":1,"c":2}]}}"#,
        r#"{"/":1,"\/":1}"#,
        r#"{"":1,"":1}"#,
    ] {
        assert_eq!(jose(text), Err(JsonReject::Duplicate), "{text}");
    }
}

#[test]
fn the_same_name_in_two_objects_is_no_duplicate() {
    assert!(jose(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).is_ok());
}

#[test]
fn depth_counts_arrays_and_objects_alike() {
    assert!(jose("[[[[[[[[1]]]]]]]]").is_ok());
    assert_eq!(jose("[[[[[[[[[1]]]]]]]]]"), Err(JsonReject::Depth));
    assert!(jose(r#"{"a":[{"a":[{"a":[{"a":[1]}]}]}]}"#).is_ok());
    assert_eq!(jose(r#"{"a":[{"a":[{"a":[{"a":[[]]}]}]}]}"#), Err(JsonReject::Depth));
    assert_eq!(jose(&"[".repeat(8_000)), Err(JsonReject::Depth));
}

#[test]
fn sixty_four_members_pass_and_one_more_does_not() {
    let members = |count: usize| {
        let list: Vec<String> = (0..count).map(|i| format!("\"m{i}\":{i}")).collect();
        format!("{{{}}}", list.join(","))
    };
    assert!(jose(&members(64)).is_ok());
    assert_eq!(jose(&members(65)), Err(JsonReject::Members));
}

#[test]
fn the_length_is_judged_first() {
    let limits = Limits { bytes: 4, ..Limits::JOSE };
    assert_eq!(parse(b"1234", limits), Ok(json!(1234)));
    assert_eq!(parse(b"12345", limits), Err(JsonReject::TooLarge));
    assert_eq!(parse(b"!!!!!", limits), Err(JsonReject::TooLarge));
}

#[test]
fn other_encodings_and_broken_text_are_refused() {
    let utf16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [&[u8]; 12] = [
        b"",
        b"\xEF\xBB\xBF{}",
        b"\xFF\xFE{\0}\0",
        &utf16,
        b"\"\xC0\xAF\"",
        b"\"\xED\xA0\x80\"",
        b"\"\xFF\"",
        b"\"\\ud800\"",
        b"{} x",
        b"{}{}",
        b"1e400",
        b"{\"a\":NaN}",
    ];
    for text in cases {
        assert_eq!(parse(text, Limits::JOSE), Err(JsonReject::Syntax), "{text:?}");
    }
}

#[test]
fn an_object_is_asked_for_by_name() {
    assert!(parse_object(b" {\"a\":1} ", Limits::JOSE).is_ok());
    for text in ["[]", "\"{}\"", "1", "null"] {
        assert_eq!(parse_object(text.as_bytes(), Limits::JOSE), Err(JsonReject::Syntax));
    }
}
