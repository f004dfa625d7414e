//! Over https browsers are told to stay there: for how long, and whom it binds, is the operator's choice.

use crate::personas::{Answer, Ask, Vestibule};

const HSTS: &str = "strict-transport-security";

/// Answers of every kind: a page, a redirect, a document, an answer of the API, a page that is not there, and a refusal of the door.
fn answers(origin: &str, sections: &str) -> Vec<(&'static str, Answer)> {
    let mut vestibule = Vestibule::installed();
    let route = "[[audience]]\nname = \"orders\"\n[[route]]\npath = \"/\"\naudience = \"orders\"\nupstream = \"http://127.0.0.1:9\"";
    vestibule.configure(&format!("public_url = \"{origin}\""), &format!("{sections}\n{route}"));
    vestibule.start();
    let host = origin.split_once("://").unwrap().1;
    let paths = [
        "/auth/login",
        "/.well-known/change-password",
        "/.well-known/jwks.json",
        "/auth/api/v1/session",
        "/auth/nothing",
        "/orders/",
    ];
    let ask = |path| (path, Ask::get(path).header("Host", host).send(vestibule.public));
    let mut all: Vec<_> = paths.into_iter().map(ask).collect();
    let page = Ask::get("/orders/").header("Host", host).header("Accept", "text/html");
    all.push(("/orders/ in a browser", page.send(vestibule.public)));
    all
}

/// HD-02. A host answers for itself: whether all hosts below it have certificates is for their owners to know.
#[test]
fn https_is_kept_to_for_a_year_by_this_host_alone_or_as_configured() {
    let origin = "https://app.test";
    for (sections, said) in [
        ("", Some("max-age=31536000")),
        ("[hsts]\nmax_age = \"30d\"", Some("max-age=2592000")),
        ("[hsts]\ninclude_subdomains = true", Some("max-age=31536000; includeSubDomains")),
        (
            "[hsts]\nmax_age = \"730d\"\ninclude_subdomains = true",
            Some("max-age=63072000; includeSubDomains"),
        ),
        ("[hsts]\nmax_age = \"0s\"", None),
        ("[hsts]\nmax_age = \"0s\"\ninclude_subdomains = true", None),
    ] {
        for (path, answer) in answers(origin, sections) {
            assert_eq!(answer.header(HSTS), said, "{path} with {sections:?}: {answer:?}");
        }
    }
}

/// RFC 6797 section 7.2: over plain http it must not be said.
#[test]
fn over_plain_http_it_is_never_said() {
    let vestibule = Vestibule::installed();
    let origin = format!("http://{}", vestibule.public);
    drop(vestibule);
    for sections in ["", "[hsts]\nmax_age = \"30d\"\ninclude_subdomains = true"] {
        for (path, answer) in answers(&origin, sections) {
            assert_eq!(answer.header(HSTS), None, "{path} with {sections:?}");
        }
    }
}
