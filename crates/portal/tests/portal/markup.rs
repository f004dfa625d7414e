//! AU-03 and what accessibility can be read off the markup alone: every page, in every state, named, labelled and ready for password
//! managers. What a browser must render to know is judged by axe-core in the stories.

use std::collections::BTreeMap;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, Browser, signed_in, token_of};

/// Every page in states that differ in their fields.
async fn pages() -> Vec<(&'static str, Answer)> {
    let app = App::new();
    let mut stranger = Browser::of(&app);
    let mut pages = vec![
        ("login", stranger.get("/auth/login?return_to=/orders").await),
        ("login, refused", stranger.sign_in(ADA, "wrong").await),
        ("login, told", stranger.get("/auth/login?done=registered").await),
        ("register", stranger.get("/auth/register?return_to=/orders").await),
        ("signed out", stranger.get("/auth/logout").await),
        ("problem", stranger.get("/auth/nothing").await),
    ];
    let token = token_of(&mut stranger, "/auth/register").await;
    let fields =
        [("csrf_token", &*token), ("identifier", "n"), ("new_password", "x"), ("repeated_password", "x")];
    pages.push(("register, refused", stranger.post("/auth/register", &fields).await));
    signed_in(&app, ADA, PASSWORD).await;
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    for (name, path) in [
        ("account", "/auth/account"),
        ("account, told", "/auth/account?done=session-ended"),
        ("identifier", "/auth/account/identifier"),
        ("password", "/auth/account/password"),
        ("confirm", "/auth/confirm?return_to=/orders"),
        ("logout", "/auth/logout?return_to=/orders"),
        ("signed in", "/auth/login"),
    ] {
        pages.push((name, ada.get(path).await));
    }
    let token = token_of(&mut ada, "/auth/account/password").await;
    let fields = [
        ("csrf_token", &*token),
        ("current_password", "x"),
        ("new_password", "a quiet umbrella argues"),
        ("repeated_password", "a quiet umbrella argues"),
    ];
    pages.push(("password, refused", ada.post("/auth/account/password", &fields).await));
    let fields = [("csrf_token", &*token), ("current_password", "x"), ("new_identifier", "n")];
    pages.push(("identifier, refused", ada.post("/auth/account/identifier", &fields).await));
    pages.push((
        "confirm, refused",
        ada.post("/auth/confirm", &[("csrf_token", &token), ("password", "x")]).await,
    ));
    for (name, page) in &pages {
        assert!(page.header("content-type").starts_with("text/html"), "{name}: {}", page.status);
    }
    pages
}

/// The tags of a page: name and attributes. Strict: what our templates write is all that is understood.
fn tags(html: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut tags = Vec::new();
    for piece in
        html.split('<').skip(1).filter(|piece| piece.starts_with(|one: char| one.is_ascii_alphabetic()))
    {
        let inside = &piece[..piece.find('>').unwrap()];
        let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
        let mut attributes = BTreeMap::new();
        while !rest.trim_start().is_empty() {
            rest = rest.trim_start();
            let end = rest.find([' ', '=']).unwrap_or(rest.len());
            let (attribute, after) = rest.split_at(end);
            let value = match after.strip_prefix("=\"") {
                Some(value) => {
                    let (value, after) = value.split_once('"').unwrap();
                    rest = after;
                    value
                }
                None => {
                    rest = after;
                    ""
                }
            };
            let first = attributes.insert(attribute.to_owned(), value.to_owned());
            assert!(first.is_none(), "{attribute} twice in {inside}");
        }
        tags.push((name.to_owned(), attributes));
    }
    tags
}

#[tokio::test]
async fn every_page_has_a_language_a_title_of_its_own_one_heading_and_no_id_twice() {
    let mut titles = BTreeMap::new();
    for (name, page) in pages().await {
        let tags = tags(&page.body);
        let count = |tag: &str| tags.iter().filter(|(name, _)| name == tag).count();
        assert_eq!((count("html"), count("title"), count("main"), count("h1")), (1, 1, 1, 1), "{name}");
        assert_eq!(tags.iter().find(|(tag, _)| tag == "html").unwrap().1["lang"], "en", "{name}");
        let title = page.body.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        assert!(title.ends_with(" · Vestibule") && title.len() > 14, "{name}: {title}");
        assert_eq!(title.starts_with("Error: "), page.body.contains("role=\"alert\""), "{name}: {title}");
        titles.entry(title.to_owned()).or_insert_with(Vec::new).push(name.split(',').next().unwrap());
        let mut ids: Vec<&String> = tags.iter().filter_map(|(_, attributes)| attributes.get("id")).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id twice");
        for (tag, attributes) in &tags {
            for reference in ["for", "aria-controls", "aria-labelledby", "aria-describedby"] {
                for id in attributes.get(reference).into_iter().flat_map(|value| value.split(' ')) {
                    assert!(ids.iter().any(|known| *known == id), "{name}: {tag} {reference} {id}");
                }
            }
            assert!(attributes.keys().all(|it| !it.starts_with("on") && it != "style"), "{name}: {tag}");
            assert!(attributes.get("tabindex").is_none(), "{name}");
        }
    }
    for (title, pages) in titles {
        assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "{title}: {pages:?}");
    }
}

#[tokio::test]
async fn every_field_has_a_label_and_tells_password_managers_what_it_is() {
    let mut seen = BTreeMap::new();
    for (name, page) in pages().await {
        let tags = tags(&page.body);
        for (_, input) in tags.iter().filter(|(tag, _)| tag == "input") {
            let kind = &*input["type"];
            if kind == "hidden" {
                continue;
            }
            let id = &input["id"];
            let labels = tags.iter().filter(|(tag, it)| tag == "label" && it.get("for") == Some(id)).count();
            assert_eq!(labels, 1, "{name}: {id}");
            if kind == "checkbox" {
                continue;
            }
            let field = &*input["name"];
            let expected = match field {
                "identifier" => "username",
                // Nothing that a browser has kept is right for it: it is to be another one.
                "new_identifier" => "off",
                "password" | "current_password" => "current-password",
                "new_password" | "repeated_password" => "new-password",
                other => panic!("{name}: {other} is no field that is known"),
            };
            assert_eq!(input["autocomplete"], expected, "{name}: {field}");
            assert_eq!(kind == "password", field.ends_with("password"), "{name}: {field}");
            // Passwords are not kept from being pasted, shortened, or shown again.
            assert!(input.get("pattern").is_none() && input.keys().all(|it| it != "onpaste"), "{name}");
            if kind == "password" {
                assert!(input.get("value").is_none() && input.contains_key("required"), "{name}: {field}");
                let most = input.get("maxlength").map_or(usize::MAX, |most| most.parse().unwrap());
                assert!(most >= 512, "{name}: 256 code points are up to 512 code units");
            }
            *seen.entry(field.to_owned()).or_insert(0) += 1;
        }
        let has_password = page.body.contains("type=\"password\"");
        let names_account = page.body.contains("autocomplete=\"username\"");
        assert!(!has_password || names_account, "{name}: a manager must know whose password it is");
        for (_, form) in tags.iter().filter(|(tag, _)| tag == "form") {
            assert_eq!(form["method"], "post", "{name}");
            // Without an action a form goes to its own page, and the fragment of the way back with it.
            assert!(form.get("action").is_none_or(|action| action.starts_with("/auth/")), "{name}");
        }
        let forms = tags.iter().filter(|(tag, _)| tag == "form").count();
        assert_eq!(page.body.matches("name=\"csrf_token\"").count(), forms, "{name}: each form has a token");
        let focused = tags.iter().filter(|(_, attributes)| attributes.contains_key("autofocus")).count();
        assert_eq!(focused, usize::from(has_password), "{name}: one field has the focus");
    }
    assert!(seen.len() == 6 && seen.values().all(|count| *count >= 2), "{seen:?}");
}

/// What stands in a password field can be seen by who typed it, where scripts run; where none does, no button is there for it.
#[tokio::test]
async fn every_password_has_a_button_that_waits_for_a_script() {
    for (name, page) in pages().await {
        let tags = tags(&page.body);
        let with = |tag: &str, name: &str, value: &str| {
            let is_so = |it: &&(String, BTreeMap<String, String>)| {
                it.0 == tag && it.1.get(name).is_some_and(|it| it == value)
            };
            tags.iter().filter(is_so).map(|(_, attributes)| attributes).collect::<Vec<_>>()
        };
        let mut shown = Vec::new();
        for button in with("button", "aria-pressed", "false") {
            assert_eq!((&*button["type"], button.contains_key("hidden")), ("button", true), "{name}");
            let fields: Vec<&str> = button["aria-controls"].split(' ').collect();
            assert_eq!(button["aria-labelledby"], format!("{} label-{}", button["id"], fields[0]), "{name}");
            shown.extend(fields);
        }
        let passwords = with("input", "type", "password");
        assert_eq!(passwords.iter().map(|field| &*field["id"]).collect::<Vec<_>>(), shown, "{name}");
        // As text it would be checked for its spelling, by some browsers elsewhere, and capitalised by telephones.
        for field in passwords {
            assert_eq!((&*field["spellcheck"], &*field["autocapitalize"]), ("false", "none"), "{name}");
        }
    }
}

/// SS-06: signing out is one press away from every page of somebody who is signed in.
#[tokio::test]
async fn the_account_page_and_the_one_that_says_who_is_signed_in_have_a_way_out() {
    for (name, page) in pages().await {
        if matches!(name, "account" | "account, told" | "signed in" | "logout") {
            assert!(page.body.contains("action=\"/auth/logout\""), "{name}");
        }
    }
}
