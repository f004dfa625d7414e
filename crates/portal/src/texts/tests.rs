//! Every language says everything, every text that is used is there, and an operator's files are judged before a visitor sees them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use http::HeaderValue;
use http::header::ACCEPT_LANGUAGE;

use super::*;

fn catalog(language: &str) -> Catalog {
    let (_, text) = OURS.iter().find(|(tag, _)| *tag == language).unwrap();
    Catalog::read(language, language, text).unwrap()
}

fn file(language: &str, text: &str) -> TextFile {
    TextFile { name: format!("texts/{language}.ftl"), language: language.to_owned(), text: text.to_owned() }
}

fn texts(files: &[(&str, &str)]) -> Result<Texts, NotTexts> {
    let files: Vec<TextFile> = files.iter().map(|(language, text)| file(language, text)).collect();
    Texts::with(&files, ENGLISH)
}

fn refusal(language: &str, text: &str) -> String {
    texts(&[(language, text)]).err().map(|cause| cause.to_string()).unwrap_or_default()
}

fn asked(texts: &Texts, accept: &str) -> Arc<Language> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accept).unwrap());
    texts.negotiate(&headers)
}

/// A language that lacks a text, or fills something else into it, is not finished.
#[test]
fn every_language_has_every_text_with_the_same_values() {
    let english = catalog(ENGLISH).known();
    assert!(english.len() > 100, "{}", english.len());
    for (language, _) in OURS {
        let known = catalog(language).known();
        let ids = |known: &catalog::Known| known.keys().cloned().collect::<BTreeSet<String>>();
        let missing: Vec<String> = ids(&english).difference(&ids(&known)).cloned().collect();
        assert!(missing.is_empty(), "{language} lacks {missing:?}");
        let surplus: Vec<String> = ids(&known).difference(&ids(&english)).cloned().collect();
        assert!(surplus.is_empty(), "{language} has {surplus:?}");
        for (id, values) in &english {
            assert_eq!(&known[id], values, "{language}: {id}");
        }
    }
}

/// What looks like the id of a text, between quotation marks, in the templates and in the code of this crate; tests aside.
fn named() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pieces = Vec::new();
    let mut folders = vec![root.join("templates"), root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            if path.file_name().is_some_and(|name| name != "tests.rs") {
                pieces.extend(code.split('"').map(str::to_owned));
            }
        }
    }
    pieces.into_iter().collect()
}

/// An id that the templates name is there; and none is there that nothing names.
#[test]
fn every_text_is_there_that_is_used_and_no_other() {
    let named = named();
    let known = catalog(ENGLISH).known();
    let unused: Vec<&String> = known.keys().filter(|id| !named.contains(*id)).collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
    for (source, text) in templates() {
        for call in ["frame.say(\"", "frame.title(\"", "frame.count(\"", "frame.say_with(\"", ".around(\""] {
            for piece in text.split(call).skip(1) {
                let id = piece.split('"').next().unwrap();
                assert!(known.contains_key(id), "{source} says {id}");
            }
        }
    }
    // In code the ids of texts begin with these, and little else does.
    let prefixes = [
        "ago-", "alert-", "account-", "confirm-", "device-", "field-", "login-", "notice-", "problem-",
        "span-",
    ];
    // The code of a problem and the class of an element have the same look.
    let others = ["login-refused", "alert-title"];
    for id in named.iter().filter(|id| prefixes.iter().any(|prefix| id.starts_with(prefix))) {
        let is_id = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !id.ends_with('-');
        assert!(!is_id || known.contains_key(id) || others.contains(&&**id), "nobody wrote {id}");
    }
}

fn templates() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

/// No template has a text of its own: between its tags there are values, and signs that no language writes otherwise.
#[test]
fn no_template_has_words_of_its_own() {
    for (source, text) in templates() {
        if !source.ends_with(".html") {
            continue;
        }
        // The name of a class, which a block fills into an attribute.
        let text = text.replace("{% block width %}wide{% endblock %}", "");
        let mut rest = text.as_str();
        let mut words = String::new();
        while let Some(at) = rest.find(['<', '{']) {
            words.push_str(&rest[..at]);
            words.push(' ');
            let end = match &rest[at..] {
                tag if tag.starts_with("{{") => "}}",
                tag if tag.starts_with("{%") => "%}",
                tag if tag.starts_with("{#") => "#}",
                _ => ">",
            };
            let after = rest[at..].find(end).unwrap() + at + end.len();
            rest = &rest[after..];
        }
        words.push_str(rest);
        // A tag may hold `{% if a > b %}`: what is left of it is no word either, or is seen here.
        assert!(!words.contains(|one: char| one.is_alphabetic()), "{source}: {words}");
        for attribute in ["alt=\"", "title=\"", "placeholder=\"", "aria-label=\""] {
            for piece in text.split(attribute).skip(1) {
                let value = piece.split('"').next().unwrap();
                assert!(value.is_empty() || value.starts_with('{'), "{source}: {attribute}{value}");
            }
        }
    }
}

#[test]
fn a_browser_gets_the_language_that_its_reader_wants_most() {
    let texts = texts(&[("fr", "sign-in = Se connecter"), ("pt-BR", "sign-in = Entrar")]).unwrap();
    for (accept, expected) in [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en-US,de;q=0.9", "en"),
        ("da, de;q=0.3, en;q=0.2", "de"),
        ("FR-ca", "fr"),
        ("pt-br", "pt-BR"),
        ("pt", "en"),
        ("da", "en"),
        ("*", "en"),
        ("de;q=0, *", "en"),
        ("", "en"),
        ("\"; DROP", "en"),
    ] {
        assert_eq!(asked(&texts, accept).name(), expected, "{accept}");
    }
    assert_eq!(texts.negotiate(&HeaderMap::new()).name(), "en");
    let german = Texts::with(&[], "de").unwrap();
    assert_eq!(asked(&german, "da").name(), "de");
    assert_eq!(asked(&german, "en").name(), "en");
}

#[test]
fn an_operator_replaces_single_texts_and_the_others_stay() {
    let texts = texts(&[
        ("en", "sign-in = Come in"),
        ("de", "sign-in = Hereinspaziert"),
        ("de-AT", "sign-out = Servus"),
        ("fr", "ago-days = il y a { $count } j"),
    ])
    .unwrap();
    assert_eq!(asked(&texts, "en").say("sign-in"), "Come in");
    assert_eq!(asked(&texts, "en").say("sign-out"), "Sign out");
    let austrian = asked(&texts, "de-AT");
    assert_eq!((&*austrian.say("sign-in"), &*austrian.say("sign-out")), ("Hereinspaziert", "Servus"));
    assert_eq!(austrian.say("login-remember"), "Auf diesem Gerät angemeldet bleiben");
    let serbian = [("sr", "back = \u{41d}"), ("sr-Latn", "back = N"), ("sr-Latn-ME", "reload = O")];
    let serbian = self::texts(&serbian).unwrap();
    assert_eq!(asked(&serbian, "sr-Latn-ME").say("back"), "N", "in its own script");
    let french = asked(&texts, "fr");
    assert_eq!(french.say("sign-in"), "Come in", "English, as this operator has it");
    assert_eq!(french.say_with("ago-days", "count", 3), "il y a 3 j");
    assert!(!french.is_right_to_left());
    let arabic = Texts::with(&[file("ar", "sign-in = دخول")], ENGLISH).unwrap();
    assert!(asked(&arabic, "ar-EG").is_right_to_left());
}

#[test]
fn what_pages_would_not_show_is_refused_with_file_and_line() {
    for (text, expected) in [
        ("sign-in = Hi\nsign-inn = Hi", "texts/fr.ftl:2: there is no text named sign-inn"),
        (
            "\n\nlogin-remember-hint = { $weeks }",
            "texts/fr.ftl:3: login-remember-hint names $weeks; the values that it can have are: $absolute, $idle",
        ),
        (
            "sign-in = { $count }",
            "texts/fr.ftl:1: sign-in names $count; the values that it can have are: none",
        ),
        (
            "ago-days = { $count ->\n    [one] un\n   *[other] { $days }\n  }",
            "texts/fr.ftl:1: ago-days names $days",
        ),
        ("# fine\nsign-in = Hi\nsign-in = Ho", "texts/fr.ftl:3: sign-in is there twice"),
        ("sign-in = Hi\nsign out = Ho", "texts/fr.ftl:2: "),
        ("sign-in = { $count", "texts/fr.ftl:1: "),
        ("sign-in = { sign-out }", "texts/fr.ftl:1: sign-in names sign-out"),
        ("sign-in = { NUMBER($count) }", "texts/fr.ftl:1: sign-in names NUMBER()"),
        ("-brand = X", "texts/fr.ftl:1: -brand is a term"),
        ("sign-in = Hi\n    .title = Ho", "texts/fr.ftl:1: sign-in has an attribute, .title"),
        ("sign-in =\n    .title = Ho", "texts/fr.ftl:1: sign-in has no text"),
    ] {
        let refusal = refusal("fr", text);
        assert!(refusal.starts_with(expected), "{text:?}: {refusal}");
    }
    assert!(refusal("french!", "").contains("is no language tag"), "{}", refusal("french!", ""));
    let unknown = Texts::with(&[], "fr").err().unwrap().to_string();
    assert_eq!(unknown, "there are no texts in \"fr\"; there are de, en");
    assert_eq!(refusal("fr", "\u{feff}# ours\r\nsign-in = Se connecter\r\n"), "");
}

/// A value is never read as Fluent, and a text that leaves one out does not lose it.
#[test]
fn what_is_filled_in_is_filled_in_once() {
    let texts = texts(&[("en", "signed-in-who = Hello!")]).unwrap();
    let english = asked(&texts, "en");
    let said = english.tell(&Say::plain("alert-unavailable-text").text("incident", "{ $wait } { sign-in }"));
    assert!(said.ends_with("report incident { $wait } { sign-in }."), "{said}");
    assert_eq!(english.around("signed-in-who", "identifier"), ("Hello! ".to_owned(), String::new()));
    let (before, after) = english.around("logout-who", "identifier");
    assert!(before.ends_with("as ") && after.starts_with(". Signing"), "{before}|{after}");
}
