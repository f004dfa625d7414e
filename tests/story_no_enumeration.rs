//! Somebody tries names: an account that is not there, one with another password, one that is disabled. Nothing they receive, and
//! nothing that was done for them, tells the three apart.

use std::time::{Duration, Instant};

use crate::personas::{ADA, Answer, ApiClient, Ask, Door, PASSWORD, Scene};

const WRONG: &str = "wrong horse battery staple";
const DISABLED: &str = "bob@example.com";
/// As long as the others, so that a form shown again with the name in it has the same length.
const UNKNOWN: &str = "eve@example.com";

/// Who is tried, with what.
const TRIED: [(&str, &str); 4] = [(ADA, WRONG), (UNKNOWN, PASSWORD), (DISABLED, PASSWORD), (DISABLED, WRONG)];

fn scene() -> Scene {
    let scene = Scene::behind(Door::BuiltIn);
    scene.vestibule.operator.add_account(DISABLED);
    scene.vestibule.operator.ok(&["account", "disable", DISABLED], "");
    scene
}

/// Every byte that could differ: all but the date, and the name that was typed.
fn bytes(answer: &Answer, identifier: &str) -> String {
    let text = String::from_utf8_lossy(&answer.raw).into_owned();
    let lines: Vec<&str> = text.split("\r\n").filter(|line| !line.starts_with("date: ")).collect();
    lines.join("\n").replace(identifier, "<name>")
}

/// AU-04: status, headers, body, length and work.
#[test]
fn by_json_unknown_wrong_and_disabled_get_the_same_bytes_for_the_same_work() {
    let scene = scene();
    let hashings = || scene.vestibule.metric("vestibule_password_hashings_total", "");
    let mut answers = Vec::new();
    for (identifier, password) in TRIED {
        let before = hashings();
        let answer = ApiClient::attempt(scene.front, identifier, password);
        assert!((hashings() - before - 1.0).abs() < f64::EPSILON, "one hashing for {identifier}");
        assert_eq!((answer.status, answer.code().as_str()), (401, "login-refused"), "{answer:?}");
        answers.push(bytes(&answer, identifier));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    // The right password is worth the same work, or time would tell.
    let before = hashings();
    ApiClient::sign_in(scene.front, ADA, PASSWORD);
    assert!((hashings() - before - 1.0).abs() < f64::EPSILON);
}

/// AU-04: the same page, to the byte.
#[test]
fn by_the_page_unknown_wrong_and_disabled_see_the_same_page() {
    let scene = scene();
    let mut answers = Vec::new();
    for (identifier, password) in TRIED {
        let mut browser = scene.browser();
        let page = browser.open("/auth/login");
        let page =
            browser.submit(&page, "/auth/login", &[("identifier", identifier), ("password", password)]);
        assert_eq!(page.answer.status, 401, "{:?}", page.answer);
        assert!(!page.text().contains(password), "a password is not shown again");
        // Each page has a CSRF token of its own, bound to a cookie of its own; both are as long as all the others.
        let drawn = [page.hidden("csrf_token"), browser.cookie("vestibule_pre").unwrap().value.clone()];
        let page = bytes(&page.answer, identifier);
        answers.push(drawn.iter().fold(page, |page, it| page.replace(it, &"-".repeat(it.len()))));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

/// AU-05: being slowed down after too many attempts tells nothing either: it happens to names that nobody has.
#[test]
fn too_many_attempts_are_slowed_down_the_same_for_names_that_exist_and_names_that_do_not() {
    let scene = scene();
    let mut courses = Vec::new();
    for identifier in [UNKNOWN, DISABLED, ADA] {
        for attempt in 0..5 {
            let answer = ApiClient::attempt(scene.front, identifier, WRONG);
            assert_eq!(answer.status, 401, "attempt {attempt} for {identifier} is free");
        }
        courses.push(bytes(&slowed_down(&scene, identifier), identifier));
    }
    assert!(courses.iter().all(|course| *course == courses[0]), "{courses:#?}");

    // The right password has to wait as well, and who waits costs nothing. (The first wait is a second: a busy machine may miss it.)
    let hashings = || scene.vestibule.metric("vestibule_password_hashings_total", "");
    for _ in 0..5 {
        slowed_down(&scene, ADA);
        let (before, began) = (hashings(), Instant::now());
        let answer = ApiClient::attempt(scene.front, ADA, PASSWORD);
        let (work, took) = (hashings() - before, began.elapsed());
        if took < Duration::from_millis(900) {
            assert_eq!((answer.status, work.round() as u64), (429, 0), "{answer:?}");
            return;
        }
    }
    panic!("this machine is too busy to see a wait of a second");
}

/// The first answer that asks for patience.
fn slowed_down(scene: &Scene, identifier: &str) -> Answer {
    let answers = (0..20).map(|_| ApiClient::attempt(scene.front, identifier, WRONG));
    let answer = answers.into_iter().find(|answer| answer.status != 401).unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (429, "throttled"), "{answer:?}");
    answer
}

/// What is sent beside the name must not be a way to ask either.
#[test]
fn a_name_in_another_spelling_is_the_same_name() {
    let scene = scene();
    for spelling in ["ADA@example.com", " ada@example.com ", "Ada@Example.COM"] {
        ApiClient::sign_in(scene.front, spelling, PASSWORD);
    }
    for spelling in ["ada@example.com\u{200b}", "аda@example.com", "ada@example.com.", "ada"] {
        let answer = ApiClient::attempt(scene.front, spelling, PASSWORD);
        assert!(matches!(answer.status, 400 | 401), "{spelling}: {answer:?}");
    }
    let body = serde_json::json!({"identifier": {"$ne": null}, "password": {"$ne": null}});
    assert_eq!(Ask::post("/auth/api/v1/login").json(&body).send(scene.front).status, 400);
}
