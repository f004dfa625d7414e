//! What a service is told: of whom, from where, and how much. What fits is said, what does not is dropped and told to the operator; and what
//! was changed is said by the very next request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::personas::{ADA, Ask, Door, PASSWORD, Scene, Vestibule};

const SMALL: &str = "[tokens]\nlargest_jwt = 2048";

/// Has the service told these claims from now on.
fn retell(scene: &mut Scene, claims: &str) {
    retell_beside(SMALL, scene, claims);
}

/// The same beside other sections.
fn retell_beside(others: &str, scene: &mut Scene, claims: &str) {
    let sections = format!(
        "{others}\n[[audience]]\nname = \"orders\"\nclaims = {{ {claims} }}\n\
         [[route]]\npath = \"/\"\naudience = \"orders\"\nupstream = \"http://{}\"\n\
         headers = {{ \"x-auth-tenant\" = \"tenant\", \"x-auth-notes\" = \"notes\" }}",
        scene.service.address
    );
    scene.vestibule.configure(&format!("public_url = \"{}\"", scene.origin), &sections);
    let reloads = |scene: &Scene| scene.vestibule.logged().matches("were read anew").count();
    let (before, began) = (reloads(scene), Instant::now());
    scene.vestibule.reload("were read anew");
    while reloads(scene) == before {
        assert!(began.elapsed() < Duration::from_secs(20), "the configuration was not read anew");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn set_traits(scene: &Scene, traits: &Value) {
    scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", &traits.to_string()], "");
}

#[test]
fn a_service_is_told_what_fits_and_the_operator_what_does_not() {
    let mut scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", SMALL);
    let tree = (0..9).fold(json!("leaf"), |inner, _| json!([inner]));
    let address = json!({ "city": "London", "lines": ["12 St James's Square"] });
    let mut traits =
        json!({ "department": "R&D", "address": address, "notes": "n".repeat(1600), "tree": tree });
    set_traits(&scene, &traits);
    let claims = "city = \"account.traits.address.city\", department = \"account.traits.department\", \
                  notes = \"account.traits.notes\", tree = \"account.traits.tree\", tenant = { value = \"acme\" }, \
                  plan = { value = { seats = 7, regions = [\"eu\", \"uk\"] } }";
    retell(&mut scene, claims);
    let client = scene.api_client();

    assert_eq!(client.get("/orders/").status, 200);
    let received = scene.service.one();
    let told = received.claims.clone().unwrap();
    assert_eq!((&told["city"], &told["department"]), (&json!("London"), &json!("R&D")));
    assert_eq!(
        (&told["tenant"], &told["plan"]),
        (&json!("acme"), &json!({ "seats": 7, "regions": ["eu", "uk"] }))
    );
    assert_eq!((told.get("notes"), told.get("tree"), told.get("address")), (None, None, None));
    assert_eq!((received.all("x-auth-tenant"), received.all("x-auth-notes")), (vec!["acme"], vec![""]));
    assert!(received.jwt().unwrap().len() <= 2048);

    let url = format!("{}/orders/", scene.origin);
    let explain = |more: &[&str]| {
        let arguments = [&["explain", "--bearer-stdin", "--url", &url], more].concat();
        scene.vestibule.operator.ok(&arguments, &client.session_token)
    };
    let jwt = |explained: &str| serde_json::from_str::<Value>(explained).unwrap()["jwt"].take();
    let explained = jwt(&explain(&["--json"]));
    assert_eq!(
        (&explained["reused"], &explained["dropped"]),
        (
            &json!(true),
            &json!([{ "claim": "notes", "because": "size" }, { "claim": "tree", "because": "shape" }])
        ),
        "{explained}"
    );
    let explained = explain(&[]);
    assert!(explained.contains("notes      DROPPED: the JWT would be larger"), "{explained}");

    // It is said once, whatever is signed meanwhile, with names and sizes and nothing of what the claims say.
    assert_eq!(scene.api_client().get("/orders/").status, 200);
    let logged = scene.vestibule.logged();
    let lines: Vec<&str> = logged.lines().filter(|line| line.contains("jwt.claims-dropped")).collect();
    let [line] = lines[..] else { panic!("{lines:?}") };
    let says = |what: &str| line.contains(what);
    assert!(says(&scene.subject) && says("notes (1611 bytes)") && says("\"largest_jwt\":2048"), "{line}");
    assert!(says("tree (nested") && says("\"WARN\"") && !says("nnnn") && !says("leaf"), "{line}");
    assert_eq!(scene.vestibule.metric("vestibule_jwt_claims_dropped_total", ""), 4.0);

    // What fits again is told again, at once.
    traits["notes"] = json!("short");
    set_traits(&scene, &traits);
    scene.service.take();
    assert_eq!(client.get("/orders/").status, 200);
    let received = scene.service.one();
    assert_eq!(
        (&received.claims.clone().unwrap()["notes"], received.all("x-auth-notes")),
        (&json!("short"), vec!["short"])
    );
    assert_eq!(jwt(&explain(&["--json"]))["dropped"], json!([{ "claim": "tree", "because": "shape" }]));
    retell(&mut scene, "tenant = { value = \"emca\" }, notes = \"account.traits.notes\"");
    assert_eq!(client.get("/orders/").status, 200);
    let told = scene.service.one().claims.unwrap();
    assert_eq!((&told["tenant"], told.get("city"), told.get("plan")), (&json!("emca"), None, None));
}

/// By the operator's schema; what was refused changes nothing, and neither the operator's line nor the log repeats it.
#[test]
fn a_service_is_never_told_what_the_schema_of_traits_refuses() {
    let schema = tempfile::NamedTempFile::new().unwrap();
    let level = json!({ "properties": { "level": { "type": "integer", "maximum": 9 } } });
    std::fs::write(schema.path(), level.to_string()).unwrap();
    let sections = format!("[accounts]\ntraits_schema_file = {:?}", schema.path());
    let mut scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", &sections);
    set_traits(&scene, &json!({ "level": 3 }));
    let claims = "level = \"account.traits.level\", tenant = { value = 1 }, notes = { value = 2 }";
    retell_beside(&sections, &mut scene, claims);
    let client = scene.api_client();
    let told = |scene: &Scene| {
        scene.service.take();
        assert_eq!(client.get("/orders/").status, 200);
        scene.service.one().claims.unwrap()["level"].take()
    };
    assert_eq!(told(&scene), json!(3));
    let refused = json!({ "level": 4711 }).to_string();
    let says = "traits/level: this is greater than the maximum of 9";
    scene.vestibule.operator.fails(1, &["account", "set", ADA, "--traits", &refused], "", says);
    assert_eq!(told(&scene), json!(3));
    assert!(!scene.vestibule.logged().contains("4711"));
    set_traits(&scene, &json!({ "level": 9 }));
    assert_eq!(told(&scene), json!(9));
}

#[test]
fn through_nginx_a_changed_role_is_told_by_every_request_that_follows() {
    changes_show_under_load(Door::Nginx);
}

#[test]
fn through_the_built_in_door_a_changed_role_is_told_by_every_request_that_follows() {
    changes_show_under_load(Door::BuiltIn);
}

/// HX-05: while five callers ask as fast as they can, with each kind of credential, the operator changes a role twenty times. No request
/// that begins after a change was acknowledged is told what was before it.
fn changes_show_under_load(door: Door) {
    const CHANGES: u64 = 20;
    let mut scene = Scene::behind(door);
    let claims = "level = \"account.traits.level\", roles = \"account.traits.roles\", tenant = { value = 1 }, notes = { value = 2 }";
    set_traits(&scene, &json!({ "level": 0, "roles": ["clerk-0"] }));
    retell(&mut scene, claims);
    let front = scene.front;
    let (session, cookie) =
        (scene.api_client(), scene.signed_in().cookie("vestibule").unwrap().value.clone());
    let login = json!({ "identifier": ADA, "password": PASSWORD, "mode": "token" });
    let tokens = Ask::post("/auth/api/v1/login").json(&login).send(scene.vestibule.public).json();
    let access = tokens["access_token"].as_str().unwrap();
    let acknowledged = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let ask = || Ask::get("/orders/").header("X-Floor", acknowledged.load(Ordering::SeqCst).to_string());
    let callers: [&(dyn Fn() -> Ask + Sync); 5] = [
        &|| ask().bearer(&session.session_token),
        &|| ask().bearer(&session.session_token),
        &|| ask().header("Cookie", format!("vestibule={cookie}")),
        &|| ask().bearer(access),
        &|| ask().bearer(access),
    ];
    scene.service.take();
    std::thread::scope(|scope| {
        for caller in callers {
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let answer = caller().send(front);
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            });
        }
        for level in 1..=CHANGES {
            set_traits(&scene, &json!({ "level": level, "roles": [format!("clerk-{level}")] }));
            acknowledged.store(level, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
        }
        is_over.store(true, Ordering::SeqCst);
    });
    let received = scene.service.take();
    let mut stale = 0;
    for one in &received {
        let floor: u64 = one.all("x-floor")[0].parse().unwrap();
        let claims = one.claims.clone().unwrap();
        let level = claims["level"].as_u64().unwrap();
        assert_eq!(claims["roles"], json!([format!("clerk-{level}")]), "half of one and half of another");
        stale += u64::from(level < floor);
    }
    assert_eq!(stale, 0, "of {}", received.len());
    let floors: std::collections::BTreeSet<&str> = received.iter().map(|one| one.all("x-floor")[0]).collect();
    assert!(floors.len() as u64 > CHANGES / 2, "they asked between the changes: {floors:?}");
}
