//! Where registration is open, somebody makes an account, uses it, and learns of nobody else's on the way.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::personas::{ADA, Answer, ApiClient, Ask, Browser, PASSWORD, Vestibule};

const NEW: &str = "nine umbrellas argue quietly";
/// Answers leave at multiples of this.
const BEAT: Duration = Duration::from_millis(500);

fn open() -> Vestibule {
    let mut vestibule = Vestibule::installed();
    let origin = format!("http://{}", vestibule.public);
    vestibule.configure(&format!("public_url = \"{origin}\"\nregistration = \"open\""), "");
    vestibule.start();
    vestibule.operator.add_account(ADA);
    vestibule
}

fn register(vestibule: &Vestibule, identifier: &str) -> (Answer, Duration) {
    let began = Instant::now();
    let body = json!({ "identifier": identifier, "password": NEW });
    let answer = Ask::post("/auth/api/v1/register").json(&body).send(vestibule.public);
    (answer, began.elapsed())
}

fn bytes(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.raw).into_owned();
    text.split("\r\n").filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_account_is_made_signed_in_to_and_given_another_password() {
    let vestibule = open();
    let mut browser = Browser::at(&format!("http://{}", vestibule.public));
    let page = browser.open("/auth/register?return_to=/auth/account");
    let fields = [("identifier", "grace@example.com"), ("new_password", NEW), ("repeated_password", NEW)];
    let page = browser.submit(&page, "/auth/register", &fields);
    assert!(page.text().contains("You can sign in now."), "{}", page.text());
    let page =
        browser.submit(&page, "/auth/login", &[("identifier", "grace@example.com"), ("password", NEW)]);
    assert!(page.text().contains("grace@example.com"), "{}", page.text());
    let other = ApiClient::sign_in(vestibule.public, "grace@example.com", NEW);
    let page = browser.open("/auth/account/password");
    let another = "seven lanterns walk home";
    let fields = [("current_password", NEW), ("new_password", another), ("repeated_password", another)];
    let page = browser.submit(&page, "/auth/account/password", &fields);
    assert!(page.text().contains("Your password is changed."), "{}", page.text());
    assert_eq!(other.get("/auth/api/v1/session").status, 401, "the other session is gone");
    assert_eq!(ApiClient::attempt(vestibule.public, "grace@example.com", NEW).status, 401);
    assert_eq!(ApiClient::attempt(vestibule.public, "grace@example.com", another).status, 200);
    let said = vestibule.logged();
    for event in ["account.registered", "account.password-changed"] {
        assert!(said.contains(event), "{event}");
    }
    assert!(!said.contains(NEW) && !said.contains(another) && !said.contains("grace@example.com"), "{said}");
}

/// AU-04: bytes, work and time. What a disk needs to write an account down is lost in the wait.
#[test]
fn nobody_learns_who_has_an_account() {
    let vestibule = open();
    let hashings = || vestibule.metric("vestibule_password_hashings_total", "");
    let (mut taken, mut free) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    for at in 0..12 {
        for (identifier, times) in [(ADA.to_owned(), &mut taken), (format!("n{at}@example.com"), &mut free)] {
            let before = hashings();
            let (answer, took) = register(&vestibule, &identifier);
            // Five attempts at one name are free, the others wait.
            if answer.status == 429 && identifier == ADA {
                continue;
            }
            assert_eq!(answer.status, 202, "{answer:?}");
            assert!((hashings() - before - 1.0).abs() < f64::EPSILON, "one hashing for {identifier}");
            assert!(took >= BEAT, "{took:?}");
            times.push(took);
            seen.push(bytes(&answer));
        }
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:#?}");
    assert!(taken.len() >= 5 && free.len() == 12, "{} {}", taken.len(), free.len());
    let (taken, free) = (median(taken), median(free));
    assert!(taken.abs_diff(free) < Duration::from_millis(25), "{taken:?} {free:?}");
    assert_eq!(ApiClient::attempt(vestibule.public, ADA, NEW).status, 401, "and hers is as it was");
    assert_eq!(ApiClient::attempt(vestibule.public, ADA, PASSWORD).status, 200);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
