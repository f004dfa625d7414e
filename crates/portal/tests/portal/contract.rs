//! The published OpenAPI document, held against every answer that any test here gets. In: a request and its answer. Out: nothing, or
//! what one of them says that the other does not.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, Method, StatusCode, header};
use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::personas::Answer;

/// As it is served.
static PUBLISHED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../src/openapi/document.json")).unwrap());
/// The same, but closed: the document lets answers grow, and what grew must be in it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = PUBLISHED.clone();
    close(&mut document);
    document
});
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<[Validator; 2]>>>> = LazyLock::new(Mutex::default);

/// A request as far as the document speaks of it.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// `None` where it did not come in one piece.
    pub(crate) body: Option<Vec<u8>>,
}

/// The addresses that are documented, with the methods of each as `Allow` says them.
pub(crate) fn addresses() -> Vec<(String, String)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.iter().map(|(path, item)| (path.clone(), allow(item.as_object().unwrap()))).collect()
}

/// Panics when request or answer is none that the document describes.
#[track_caller]
pub(crate) fn hold(asked: &Asked, answer: &Answer) {
    let Some((template, item)) = find(&asked.path) else {
        let is_for_programs = asked.path.starts_with("/auth/api/") || asked.path.starts_with("/auth/oauth/");
        assert!(
            !is_for_programs || answer.status == StatusCode::NOT_FOUND,
            "{} is not documented",
            asked.path
        );
        return;
    };
    let told = format!("{} {template} → {}", asked.method, answer.status.as_u16());
    let method = if asked.method == Method::HEAD { Method::GET } else { asked.method.clone() };
    let method = method.as_str().to_ascii_lowercase();
    let Some(operation) = item.get(&method) else {
        // There is nothing at the address of what an operator does not offer.
        let is_closed = operation_may_be_absent(item) && answer.status == StatusCode::NOT_FOUND;
        assert!(is_closed || answer.status == StatusCode::METHOD_NOT_ALLOWED, "{told} is not documented");
        assert!(is_closed || answer.header("allow") == allow(item), "{told}: {}", answer.header("allow"));
        return;
    };
    let at = format!("/paths/{}/{method}", escaped(template));
    let (at, response) = resolved(format!("{at}/responses/{}", answer.status.as_u16()));
    let response = response.unwrap_or_else(|| panic!("{told} is not documented: {}", answer.body));
    if asked.method != Method::HEAD {
        hold_content(&told, &format!("{at}/content"), response, answer);
    }
    for name in response.get("headers").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        hold_header(&told, name, &format!("{at}/headers/{name}"), answer);
    }
    if answer.status.is_success() {
        hold_request(
            &told,
            operation,
            &format!("/paths/{}/{method}/requestBody/content", escaped(template)),
            asked,
        );
    }
}

/// A body is of a documented media type and form, or there is none.
#[track_caller]
fn hold_content(told: &str, at: &str, response: &Value, answer: &Answer) {
    let Some(content) = response.get("content").and_then(Value::as_object) else {
        assert_eq!(answer.body, "", "{told} has a body that is not documented");
        return;
    };
    let sent = answer.header("content-type");
    assert!(content.contains_key(sent), "{told} has a body of {sent:?}, which is not documented");
    let body = if sent.ends_with("json") { answer.json() } else { Value::from(answer.body.as_str()) };
    hold_value(told, &format!("{at}/{}/schema", escaped(sent)), &body);
}

#[track_caller]
fn hold_header(told: &str, name: &str, at: &str, answer: &Answer) {
    let (at, documented) = resolved(at.to_owned());
    let is_required = documented.unwrap().get("required") == Some(&Value::Bool(true));
    let sent: Vec<&str> = answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
    assert!(!is_required || !sent.is_empty(), "{told} comes without {name}");
    for value in sent {
        let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
        hold_value(&format!("{told}, {name}"), &format!("{at}/schema"), &value);
    }
}

/// What was taken is what the document says can be taken.
#[track_caller]
fn hold_request(told: &str, operation: &Value, at: &str, asked: &Asked) {
    let (Some(_), Some(body)) = (operation.get("requestBody"), &asked.body) else { return };
    let sent = asked.headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
    let media_type = sent.split(';').next().unwrap().trim().to_ascii_lowercase();
    let body =
        if media_type == "application/json" { serde_json::from_slice(body).unwrap() } else { form(body) };
    hold_value(&format!("{told}, the request"), &format!("{at}/{}/schema", escaped(&media_type)), &body);
}

#[track_caller]
fn hold_value(told: &str, at: &str, value: &Value) {
    let mut known = VALIDATORS.lock();
    let both = known
        .entry(at.to_owned())
        .or_insert_with(|| Arc::new([validator(&PUBLISHED, at), validator(&DOCUMENT, at)]));
    let both = Arc::clone(both);
    drop(known);
    let faults: Vec<String> = both
        .iter()
        .flat_map(|validator| validator.iter_errors(value))
        .map(|fault| format!("{} at {:?}", fault, fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{told} is not as documented: {faults:#?}\n{value:#}");
}

/// A validator of the schema at this place, which may refer to others of the document.
fn validator(document: &Value, at: &str) -> Validator {
    // A reference is a URI, in which braces are escaped.
    let reference = format!("#{}", at.replace('{', "%7B").replace('}', "%7D"));
    let mut schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": reference });
    for part in ["paths", "components"] {
        schema[part] = document[part].clone();
    }
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap_or_else(|fault| panic!("{at}: {fault}"))
}

/// The address that a path is at.
fn find(path: &str) -> Option<(&'static str, &'static Map<String, Value>)> {
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        wanted
            .by_ref()
            .zip(given.by_ref())
            .all(|(one, other)| one == other || (one.starts_with('{') && !other.is_empty()))
            && template.split('/').count() == path.split('/').count()
    };
    let mut paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths
        .find(|(template, _)| fits(template))
        .map(|(template, item)| (template.as_str(), item.as_object().unwrap()))
}

fn allow(item: &Map<String, Value>) -> String {
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE"];
    let documented = |method: &&str| item.contains_key(&method.replace("HEAD", "GET").to_ascii_lowercase());
    methods.into_iter().filter(|method| documented(method)).collect::<Vec<_>>().join(",")
}

fn operation_may_be_absent(item: &Map<String, Value>) -> bool {
    let may_be_absent = ["changeIdentifier", "register"];
    item.values().any(|operation| may_be_absent.iter().any(|id| operation["operationId"] == *id))
}

/// Follows references to where something really stands.
fn resolved(at: String) -> (String, Option<&'static Value>) {
    let found = DOCUMENT.pointer(&at);
    match found.and_then(|it| it.get("$ref")).and_then(Value::as_str) {
        Some(reference) => resolved(reference.trim_start_matches('#').to_owned()),
        None => (at, found),
    }
}

/// As a JSON pointer names it (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Lets no object have members that it does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is_open = object.get("type") == Some(&json!("object")) && object.contains_key("properties");
            if is_open && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// A form that was taken has each name once.
fn form(body: &[u8]) -> Value {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(name, value)| (decoded(name), decoded(value).into())).collect())
}

fn decoded(text: &str) -> String {
    let bytes = vestibule_core::wire::form::decode(text.as_bytes()).unwrap();
    String::from_utf8(bytes).unwrap()
}
