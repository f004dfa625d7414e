//! How large things may get: the largest answer that a service is told with comes through every proxy, and what is too large is refused with
//! words that help.

use serde_json::json;

use crate::personas::{ADA, Ask, Door, Scene, Vestibule};

/// What other programs on the host set: so many kilobytes of cookies, and Ada's session among them.
fn cookies(kilobytes: usize, session: &str) -> String {
    let many: String = (0..kilobytes).map(|at| format!("other{at:03}={}; ", "c".repeat(1012))).collect();
    format!("{many}vestibule={session}")
}

/// Other programs' cookies shut nobody out; where they are too many, the answer says so, and says what to do.
#[test]
fn many_cookies_pass_every_proxy_and_too_many_are_named() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let session = scene.signed_in().cookie("vestibule").unwrap().value.clone();
        for (path, accept) in
            [("/orders/7", "text/html"), ("/orders/7", "*/*"), ("/auth/account", "text/html")]
        {
            for (kilobytes, status) in [(1, 200), (14, 200), (26, 200), (33, 431), (40, 431)] {
                let ask =
                    Ask::get(path).header("Accept", accept).header("Cookie", cookies(kilobytes, &session));
                let answer = ask.send(scene.front);
                let arrived = scene.service.take();
                assert_eq!(answer.status, status, "{door:?} {path} {kilobytes}: {answer:?}");
                let is_served = status == 200 && path == "/orders/7";
                assert_eq!(arrived.len(), usize::from(is_served), "{door:?} {path} {kilobytes}");
                // Caddy refuses 36 KiB by itself, in words that cannot be changed; HAProxy's page is for page loads alone.
                let has_words = match door {
                    Door::Caddy => kilobytes < 36,
                    Door::HaProxy => accept == "text/html",
                    Door::BuiltIn | Door::Nginx => true,
                };
                if status == 431 && has_words {
                    let says = answer.text();
                    assert!(
                        says.to_lowercase().contains("cookies") && says.len() > 80,
                        "{door:?} {path} {kilobytes}: {answer:?}"
                    );
                }
            }
        }
    }
}

/// Everything for those signed in, with plain copies of two claims.
fn retell(scene: &mut Scene, largest_jwt: u32) {
    let upstream = scene.service.address;
    scene.vestibule.configure(
        &format!("public_url = \"{}\"", scene.origin),
        &format!(
            "[tokens]\nlargest_jwt = {largest_jwt}\n\
             [[audience]]\nname = \"orders\"\nclaims = {{ department = \"account.traits.department\", groups = \"account.traits.groups\" }}\n\
             [[route]]\npath = \"/\"\naudience = \"orders\"\n\
             headers = {{ \"x-auth-department\" = \"department\", \"x-auth-groups\" = \"groups\" }}\nupstream = \"http://{upstream}\""
        ),
    );
    scene.vestibule.end();
    scene.vestibule.start();
}

/// DS-07: whatever an account's traits are, the answer about it fits through the proxies as the examples configure them. The copy that
/// they pass on is `x-auth-department`; `x-auth-groups` counts all the same.
#[test]
fn the_largest_answer_comes_through_every_proxy() {
    for door in Door::ALL {
        for largest in [4096, 8192] {
            let mut scene = Scene::with(door, Vestibule::installed(), "", "");
            retell(&mut scene, largest);
            let client = scene.api_client();
            // As large as it gets: a byte more, and the claim is dropped.
            let fits = |department: usize, groups: usize| {
                let traits = json!({ "department": "d".repeat(department), "groups": "g".repeat(groups) });
                scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", &traits.to_string()], "");
                let answer = client.get("/orders/7");
                assert_eq!(answer.status, 200, "{door:?} {largest}: {department} {groups}: {answer:?}");
                let received = scene.service.one();
                assert!(received.claims.is_ok(), "{door:?}: {received:#?}");
                let copy = received.all("x-auth-department").first().map_or(0, |copy| copy.len());
                assert!(copy == department || copy == 0, "{door:?}: {copy}");
                (copy == department).then(|| received.jwt().unwrap().len() + copy + groups)
            };
            let groups = largest as usize / 8;
            let (mut least, mut most) = (0, largest as usize);
            let mut whole = 0;
            while most - least > 1 {
                let middle = usize::midpoint(least, most);
                match fits(middle, groups) {
                    Some(bytes) => (least, whole) = (middle, bytes),
                    None => most = middle,
                }
            }
            let names = "x-auth-department: \r\nx-auth-groups: \r\n".len();
            let bound = largest as usize + 2048 - names;
            assert!((bound - 8..=bound).contains(&whole), "{door:?} {largest}: {whole}");
        }
    }
}

/// Sixty group names as a plain header are everyday, and once shut such an account out.
#[test]
fn an_account_in_sixty_groups_comes_through_every_proxy() {
    let groups: Vec<String> = (0..60).map(|at| format!("group-{at:02}-of-the-whole-company")).collect();
    let traits = json!({ "department": groups.join(" "), "groups": groups }).to_string();
    for door in Door::ALL {
        let mut scene = Scene::behind(door);
        let claims = "claims = { department = \"account.traits.department\" }";
        let upstream = scene.service.address;
        scene.vestibule.configure(
            &format!("public_url = \"{}\"", scene.origin),
            &format!(
                "[[audience]]\nname = \"orders\"\n{claims}\n[[route]]\npath = \"/\"\naudience = \"orders\"\n\
                 headers = {{ \"x-auth-department\" = \"department\" }}\nupstream = \"http://{upstream}\""
            ),
        );
        scene.vestibule.end();
        scene.vestibule.start();
        scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", &traits], "");
        let client = scene.api_client();
        let answer = Ask::get("/orders/7").bearer(&client.session_token).send(scene.front);
        assert_eq!(answer.status, 200, "{door:?}: {answer:?}");
        let received = scene.service.one();
        assert_eq!(received.all("x-auth-department"), [groups.join(" ")], "{door:?}");
    }
}

/// docs/tokens.md says how large the head of a yes gets: the JWT and its copies, half a kilobyte, the empty headers of other routes, and what
/// the client sends of its own headers where they are the service's business.
#[test]
fn the_head_of_a_yes_is_as_large_as_the_documentation_says() {
    let mut scene = Scene::behind(Door::BuiltIn);
    let elsewhere: Vec<String> = (0..40).map(|at| format!("x-copy-for-elsewhere-{at:02}")).collect();
    let copies: Vec<String> = elsewhere.iter().map(|name| format!("\"{name}\" = \"department\"")).collect();
    let claims = "claims = { department = \"account.traits.department\" }";
    let upstream = format!("upstream = \"http://{}\"", scene.service.address);
    scene.vestibule.configure(
        &format!("public_url = \"{}\"", scene.origin),
        &format!(
            "[[audience]]\nname = \"orders\"\n{claims}\n\
             [[audience]]\nname = \"reports\"\n{claims}\n\
             [[route]]\npath = \"/elsewhere/\"\naudience = \"reports\"\nheaders = {{ {} }}\n{upstream}\n\
             [[route]]\npath = \"/\"\naudience = \"orders\"\nheaders = {{ \"x-auth-department\" = \"department\" }}\n{upstream}\n\
             [[route]]\npath = \"/own/\"\naudience = \"orders\"\ncsrf = \"origin\"\n{upstream}",
            copies.join(", ")
        ),
    );
    scene.vestibule.end();
    scene.vestibule.start();
    let traits = json!({ "department": "d".repeat(1500) }).to_string();
    scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", &traits], "");
    let ada = scene.signed_in().cookies();
    let own = "o".repeat(3000);
    for (path, own) in [("/orders/7", ""), ("/own/7", own.as_str())] {
        let ask = |ask: Ask| {
            let ask = ask.header("Cookie", &ada).header("Sec-Fetch-Site", "same-origin");
            if own.is_empty() { ask } else { ask.header("X-CSRF-Token", own) }
        };
        let answer = scene.vestibule.check(ask, &format!("{}{path}", scene.origin));
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}");
        let jwt = answer.header("authorization").unwrap().len() - "Bearer ".len();
        let copy = answer.header("x-auth-department").unwrap().len();
        let empty: usize = elsewhere.iter().map(|name| name.len() + ": \r\n".len()).sum();
        assert!(jwt > 2000 && copy == if own.is_empty() { 1500 } else { 0 }, "{answer:?}");
        assert_eq!(answer.header("x-csrf-token").unwrap() == own, !own.is_empty(), "{answer:?}");
        let rest = answer.raw.len() - jwt - copy - empty - own.len();
        assert!(rest <= 512, "{path}: {rest} bytes: {answer:?}");
    }
}
