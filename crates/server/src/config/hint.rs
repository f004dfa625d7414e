//! What would be right, for a value of the wrong type. In: the key that it was given to. Out: what that key takes, as the schema says.

use serde_json::Value;

use super::raw::Raw;

/// `; use "closed" or "open"`, or nothing where the schema has no more to say than the parser.
pub(super) fn for_key(key: &str) -> String {
    let schema = Value::from(schemars::schema_for!(Raw));
    let steps = key.split('.').flat_map(|part| part.split_inclusive(']'));
    let mut at = resolve(&schema, &schema);
    for step in steps {
        let (name, is_item) = step.split_once('[').map_or((step, false), |(name, _)| (name, true));
        let next =
            if name.is_empty() { at } else { at.and_then(|it| it.pointer(&format!("/properties/{name}"))) };
        at = next.and_then(|it| resolve(&schema, it));
        if is_item {
            at = at.and_then(|it| it.get("items")).and_then(|it| resolve(&schema, it));
        }
    }
    at.and_then(said).map_or_else(String::new, |what| format!("; {what}"))
}

fn resolve<'a>(schema: &'a Value, at: &'a Value) -> Option<&'a Value> {
    let given = at.get("anyOf").and_then(Value::as_array);
    let at =
        given.and_then(|some| some.iter().find(|it| it.get("type") != Some(&"null".into()))).unwrap_or(at);
    match at.get("$ref").and_then(Value::as_str) {
        Some(place) => schema.pointer(place.trim_start_matches('#')),
        None => Some(at),
    }
}

fn said(at: &Value) -> Option<String> {
    let quoted = |values: &Value| {
        let words: Vec<String> =
            values.as_array()?.iter().filter(|it| !it.is_null()).map(ToString::to_string).collect();
        match words.split_last()? {
            (last, []) => Some(last.clone()),
            (last, others) => Some(format!("{} or {last}", others.join(", "))),
        }
    };
    if let Some(words) = at.get("enum").and_then(quoted) {
        return Some(format!("use {words}"));
    }
    at.get("examples").and_then(quoted).map(|examples| format!("write it with its unit, like {examples}"))
}
