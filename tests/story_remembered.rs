//! A browser that is remembered for a month, lived through in a minute: the server's clock is set ahead under it. Its cookie outlives
//! the browser, its session token is replaced every day without anybody noticing, and a copy of an old one is worth nothing.

use crate::personas::{ADA, Ask, Browser, PASSWORD, Place, Service, Vestibule, routes};
use crate::story_clock::{rule, set};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

struct World {
    vestibule: Vestibule,
    clock: Place,
    /// It believes nobody, for its own clock is right; what counts is what reaches it.
    service: Service,
    browser: Browser,
}

impl World {
    fn new() -> Self {
        let (mut vestibule, clock, service) = (Vestibule::installed(), Place::new(), Service::start());
        let origin = format!("http://{}", vestibule.public);
        let sections = format!("[sessions]\nremember = {{ enabled = true }}\n{}", routes(service.address));
        vestibule.configure(&format!("public_url = \"{origin}\""), &sections);
        set(&clock, 0);
        vestibule.start_with(|command| rule(command, &clock));
        vestibule.operator.add_account(ADA);
        Self { browser: Browser::at(&origin), vestibule, clock, service }
    }

    fn token(&self) -> String {
        self.browser.cookie("vestibule").unwrap().value.clone()
    }

    fn session(&self) -> String {
        let listed = self.vestibule.operator.json(&["session", "list", "--subject", ADA]);
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(listed[0]["kind"], "remembered");
        listed[0]["session"].as_str().unwrap().to_owned()
    }

    /// What a page fetches with this session token: whether it reached the service.
    fn fetches(&self, token: &str) -> bool {
        let ask = Ask::get("/orders/news").header("Host", self.vestibule.public.to_string());
        let ask = ask.header("Sec-Fetch-Mode", "cors").header("Cookie", format!("vestibule={token}"));
        ask.send(self.vestibule.public);
        !self.service.take().is_empty()
    }

    /// The person goes to a page; whether they got there without signing in.
    fn gets_to(&mut self, path: &str) -> bool {
        let page = self.browser.open(path);
        let arrived = self.service.take();
        assert_eq!(arrived.len(), usize::from(page.path == path), "at {} {arrived:#?}", page.path);
        page.path == path
    }

    /// The seconds that the newest session cookie is kept for.
    fn max_age(&self) -> i64 {
        let received = String::from_utf8_lossy(&self.browser.received).into_owned();
        let line = received.lines().rfind(|line| line.to_lowercase().starts_with("set-cookie: vestibule="));
        let (_, rest) = line.unwrap().split_once("Max-Age=").unwrap();
        rest.split(';').next().unwrap().trim().parse().unwrap()
    }
}

/// CK-07, SS-10.
#[test]
fn who_is_remembered_stays_for_a_month_and_every_day_the_token_is_another() {
    let mut world = World::new();
    let form = world.browser.open("/auth/login");
    let typed = [("identifier", ADA), ("password", PASSWORD), ("remember", "yes")];
    world.browser.submit(&form, "/auth/login", &typed);
    let (session, first) = (world.session(), world.token());
    let kept_for = |world: &World, left: i64| (left - 20..=left).contains(&world.max_age());
    assert!(kept_for(&world, 30 * DAY));

    set(&world.clock, 23 * HOUR);
    assert!(world.gets_to("/orders/7?x=1") && world.fetches(&first));
    assert_eq!(world.token(), first, "not a day old yet");

    set(&world.clock, DAY + 60);
    assert!(world.fetches(&first), "what a page fetches goes on");
    assert!(world.gets_to("/orders/7?x=1"), "the person sees nothing of it");
    let second = world.token();
    assert_ne!(second, first);
    assert!(!world.fetches(&first) && world.fetches(&second), "the old one is dead, the new one is good");
    assert_eq!(world.session(), session, "it is the same session");
    assert!(kept_for(&world, 29 * DAY - 60), "kept for what is left: {}", world.max_age());

    set(&world.clock, 4 * DAY);
    assert!(!world.fetches(&second), "two days and more under one token");
    assert!(world.gets_to("/orders/8"));
    assert!(!world.fetches(&second) && world.fetches(&world.token()));

    // Used every six days it lives on; after thirty it ends all the same.
    for day in [10, 16, 22, 28] {
        set(&world.clock, day * DAY);
        assert!(world.gets_to("/orders/9"), "on day {day}");
        assert_eq!(world.session(), session);
    }
    set(&world.clock, 30 * DAY - 60);
    assert!(world.gets_to("/orders/9"));
    set(&world.clock, 30 * DAY + 1);
    assert!(!world.gets_to("/orders/9"));
}

#[test]
fn a_week_without_use_is_too_long() {
    let mut world = World::new();
    let form = world.browser.open("/auth/login");
    let typed = [("identifier", ADA), ("password", PASSWORD), ("remember", "yes")];
    world.browser.submit(&form, "/auth/login", &typed);
    set(&world.clock, 7 * DAY - 60);
    assert!(world.gets_to("/orders/"));
    set(&world.clock, 14 * DAY);
    assert!(!world.gets_to("/orders/"));
}
