//! Token mode: a program signs in for an access token and a refresh token. At the doors its access token is swapped as a session is, and
//! it is worth what its session is: when that has ended, it is refused at once, however long it would still be good.

use std::time::Duration;

use crate::personas::{ADA, Answer, Ask, Door, PASSWORD, Scene, Vestibule};

#[test]
fn through_nginx_a_program_uses_refreshes_and_gives_up_its_tokens() {
    a_program_comes_and_goes(Door::Nginx);
}

#[test]
fn through_the_built_in_door_a_program_uses_refreshes_and_gives_up_its_tokens() {
    a_program_comes_and_goes(Door::BuiltIn);
}

fn a_program_comes_and_goes(door: Door) {
    let scene = Scene::behind(door);
    let front = scene.front;
    let held = Held::sign_in(&scene);

    // The service gets a JWT for itself alone, and never the one that was presented.
    let answer = Ask::get("/orders/7").bearer(&held.access).send(front);
    assert_eq!(answer.status, 200, "{answer:?}");
    let received = scene.service.one();
    let claims = received.claims.clone().unwrap();
    assert_eq!((&claims["aud"], &claims["sub"]), (&"orders".into(), &scene.subject.as_str().into()));
    assert!(!received.whole().contains(&held.access), "an access token is for us: {received:#?}");
    let foreign = Ask::get("/orders/7").bearer(received.jwt().unwrap()).send(front);
    assert_eq!(foreign.status, 401, "what is meant for a service is no credential here: {foreign:?}");

    // The second time nothing is signed and nothing is read.
    scene.vestibule.assert_unmoved(&["vestibule_store_reads_total", "vestibule_jwt_signed_total"], || {
        assert_eq!(Ask::get("/orders/7").bearer(&held.access).send(front).status, 200);
    });

    // No other site can send it: an explicit credential needs no CSRF token.
    let form = Ask::post("/orders/new").form(&[("item", "tea")]);
    assert_eq!(form.bearer(&held.access).send(front).status, 200);
    scene.service.take();

    let newer = Held::of(&held.refresh(&scene));
    assert_eq!(Ask::get("/orders/7").bearer(&newer.access).send(front).status, 200);
    assert_eq!(scene.vestibule.operator.only_session(), scene.service.one().claims.unwrap()["sid"]);

    // Giving one token up ends the session, and everything with it, at once.
    let gone =
        Ask::post("/auth/oauth/revoke").form(&[("token", &newer.refresh)]).send(scene.vestibule.public);
    assert_eq!(gone.status, 200, "{gone:?}");
    for access in [&held.access, &newer.access] {
        let refused = Ask::get("/orders/7").bearer(access).send(front);
        assert_eq!(refused.status, 401, "{refused:?}");
    }
    assert_eq!(newer.refresh(&scene).status, 400);
    assert!(scene.service.take().is_empty());
}

/// RT-01: of two who hold a refresh token one is a thief; nobody can tell which, so both are out.
#[test]
fn a_stolen_refresh_token_ends_the_session_when_either_side_uses_an_old_one() {
    let window = "[tokens]\nrefresh = { replay_window = \"0s\" }";
    let mut scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", window);
    let stolen = Held::sign_in(&scene);
    let owner = Held::of(&stolen.refresh(&scene));
    // What was used up stays used up over a crash.
    scene.vestibule.kill();
    scene.vestibule.start();
    assert_eq!(Ask::get("/orders/7").bearer(&owner.access).send(scene.vestibule.public).status, 200);
    let refused = stolen.refresh(&scene);
    assert_eq!((refused.status, &refused.json()["error"]), (400, &"invalid_grant".into()));
    assert_eq!(Ask::get("/orders/7").bearer(&owner.access).send(scene.vestibule.public).status, 401);
    assert_eq!(owner.refresh(&scene).status, 400);
    assert!(scene.vestibule.logged().contains("refresh.replayed"));
}

/// SS-06, SS-07, RT-03: whoever ends the session, its tokens end with it.
#[test]
fn ending_the_session_or_disabling_the_account_ends_the_tokens() {
    let scene = Scene::behind(Door::BuiltIn);
    let front = scene.vestibule.public;
    let works = |held: &Held| Ask::get("/orders/7").bearer(&held.access).send(front).status == 200;
    let held = Held::sign_in(&scene);
    assert!(works(&held));
    scene.vestibule.operator.ok(&["session", "end", &scene.vestibule.operator.only_session()], "");
    assert!(!works(&held) && held.refresh(&scene).status == 400);
    let held = Held::sign_in(&scene);
    assert!(works(&held));
    scene.vestibule.operator.ok(&["account", "disable", ADA], "");
    assert!(!works(&held) && held.refresh(&scene).status == 400);
}

/// RT-02: many that refresh at once with one token, from many connections: one new token, and everybody has it.
#[test]
fn refreshing_at_once_gives_everybody_the_same_token() {
    let scene = Scene::behind(Door::BuiltIn);
    let mut held = Held::sign_in(&scene);
    for _ in 0..10 {
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..16).map(|_| scope.spawn(|| held.refresh(&scene))).collect();
            asking.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let tokens: Vec<Held> = answers.iter().map(Held::of).collect();
        assert!(tokens.iter().all(|other| other.refresh == tokens[0].refresh));
        held = tokens.into_iter().next().unwrap();
    }
    std::thread::sleep(Duration::from_millis(10));
    assert_eq!(held.refresh(&scene).status, 200);
}

/// What a program keeps.
struct Held {
    access: String,
    refresh: String,
}

impl Held {
    #[track_caller]
    fn sign_in(scene: &Scene) -> Self {
        let body = serde_json::json!({"identifier": ADA, "password": PASSWORD, "mode": "token"});
        Self::of(&Ask::post("/auth/api/v1/login").json(&body).send(scene.vestibule.public))
    }

    #[track_caller]
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json();
        assert_eq!((&json["token_type"], &json["expires_in"]), (&"Bearer".into(), &600.into()));
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }

    fn refresh(&self, scene: &Scene) -> Answer {
        Ask::post("/auth/oauth/token")
            .form(&[("grant_type", "refresh_token"), ("refresh_token", &self.refresh)])
            .send(scene.vestibule.public)
    }
}
