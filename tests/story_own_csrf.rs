//! A real Flask-WTF behind the gateway: a service with CSRF tokens and header credentials of its own gets them, where its route leaves
//! both to it, and gets nothing that is ours.

use serde_json::json;

use crate::personas::{
    ADA, Answer, Ask, Browser, Door, Example, ExampleService, Nginx, PASSWORD, Vestibule, free_address,
};

#[test]
fn behind_the_built_in_door_flask_wtf_judges_its_own_tokens() {
    a_service_judges_its_own_tokens(Door::BuiltIn);
}

#[test]
fn behind_nginx_flask_wtf_judges_its_own_tokens() {
    a_service_judges_its_own_tokens(Door::Nginx);
}

fn a_service_judges_its_own_tokens(door: Door) {
    let mut vestibule = Vestibule::installed();
    let front = if door == Door::BuiltIn { vestibule.public } else { free_address() };
    let origin = format!("http://{front}");
    let service = ExampleService::start(Example::FlaskWtf, &origin);
    let routes = format!(
        "[[audience]]\nname = \"orders\"\n[[route]]\npath = \"/\"\naudience = \"orders\"\naccept = [\"session-cookie\"]\n\
         csrf = \"origin\"\nassertion_header = \"x-auth-jwt\"\nupstream = \"http://{}\"\n",
        service.address
    );
    vestibule.configure(&format!("public_url = \"{origin}\""), &routes);
    vestibule.start();
    vestibule.operator.add_account(ADA);
    // The header of the JWT needs its lines, as every header that a route gives its service.
    let lines = [
        (
            "auth_request_set $vestibule_department $upstream_http_x_auth_department;",
            "auth_request_set $vestibule_jwt $upstream_http_x_auth_jwt;\n\
             auth_request_set $vestibule_department $upstream_http_x_auth_department;",
        ),
        (
            "proxy_set_header X-Auth-Department $vestibule_department;",
            "proxy_set_header X-Auth-Jwt $vestibule_jwt;\nproxy_set_header X-Auth-Department $vestibule_department;",
        ),
    ];
    let _nginx = (door == Door::Nginx)
        .then(|| Nginx::start_extended(front, vestibule.public, vestibule.internal, service.address, &lines));
    let mut browser = Browser::at(&origin);
    let page = browser.sign_in("/notes/", ADA, PASSWORD);
    let token = page.answer.text();
    assert!(page.answer.status == 200 && token.len() > 50, "{:?}", page.answer);
    assert!(page.answer.header("x-csrf-token").is_some_and(|own| own.len() > 50), "{:?}", page.answer);

    let post = |browser: &mut Browser, with: &dyn Fn(Ask) -> Ask| -> Answer {
        browser.fetch(with(Ask::post("/notes/")))
    };
    let taken = post(&mut browser, &|ask| ask.json(&json!({})).header("X-CSRF-Token", &token));
    assert_eq!((taken.status, taken.text()), (200, "written".to_owned()), "{taken:?}");
    let taken = post(&mut browser, &|ask| ask.form(&[("csrf_token", &token)]));
    assert_eq!(taken.status, 200, "an empty header is not sent in place of none: {taken:?}");
    for refused in [
        post(&mut browser, &|ask| ask.json(&json!({})).header("X-CSRF-Token", "forged")),
        post(&mut browser, &|ask| ask.json(&json!({}))),
    ] {
        assert_eq!(refused.status, 400, "Flask-WTF refuses it: {refused:?}");
    }

    let mut who = |own: &str| browser.fetch(Ask::get("/whoami/").header("Authorization", own)).text();
    assert_eq!(who("Basic YTpi"), "Basic YTpi jwt=2");
    assert_eq!(who("Bearer of.their.own"), "Bearer of.their.own jwt=2");
    let login = json!({ "identifier": ADA, "password": PASSWORD, "deliver": "body" });
    let ours = Ask::post("/auth/api/v1/login").json(&login).send(vestibule.public).json();
    let ours = ours["session_token"].as_str().unwrap();
    assert_eq!(who(&format!("Bearer {ours}")), "None jwt=2", "a credential of ours stays here");
    assert_eq!(who(&format!("Basic YTpi, Bearer {ours}")), "None jwt=2");
    // By itself it opens nothing here.
    assert_eq!(Ask::get("/whoami/").bearer(ours).send(front).status, 401);
}
