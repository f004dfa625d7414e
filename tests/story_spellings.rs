//! A real Express behind the gateway, which takes `/ADMIN/` for `/admin/`: another spelling of a protected path is as protected as the
//! path itself. And the paths that browsers and programs really send get through.

use crate::personas::{
    ADA, Ask, Browser, Door, Example, ExampleService, Nginx, PASSWORD, Vestibule, free_address,
};

/// Spellings that Express takes for `/admin/x`.
const SPELLINGS: [&str; 4] = ["/admin/x", "/ADMIN/x", "/Admin/x", "/aDMIn/X"];

/// Spellings that other services take for it.
const OTHERS: [&str; 6] =
    ["/%41dmin/x", "/aDM%49n/x", "/admin./x", "/admin%20/x", "/%EF%BD%81dmin/x", "/adm%C4%B1n/x"];

#[test]
fn behind_the_built_in_door_no_spelling_opens_express() {
    no_spelling_opens_a_protected_page(Door::BuiltIn);
}

#[test]
fn behind_nginx_no_spelling_opens_express() {
    no_spelling_opens_a_protected_page(Door::Nginx);
}

/// GW-06.
fn no_spelling_opens_a_protected_page(door: Door) {
    let mut vestibule = Vestibule::installed();
    let front = if door == Door::BuiltIn { vestibule.public } else { free_address() };
    let origin = format!("http://{front}");
    let service = ExampleService::start(Example::LenientExpress, &origin);
    let route = |path: &str, more: &str| {
        let upstream = service.address;
        format!(
            "[[route]]\npath = \"{path}\"\naudience = \"orders\"\nupstream = \"http://{upstream}\"\n{more}\n"
        )
    };
    let public = "require = \"public\"";
    let routes = [
        "[[audience]]\nname = \"orders\"\n".to_owned(),
        route("/", public),
        route("/admin/", ""),
        route("/npm/", &format!("{public}\nambiguous_path = \"pass\"")),
    ];
    vestibule.configure(&format!("public_url = \"{origin}\""), &routes.concat());
    vestibule.start();
    let subject = vestibule.operator.add_account(ADA);
    let _nginx = (door == Door::Nginx)
        .then(|| Nginx::start(front, vestibule.public, vestibule.internal, service.address));

    let said = vestibule.operator.ok(&["config", "check"], "");
    assert!(
        said.contains("warning: route[0] \"/\" is public and route[1] \"/admin/\" below it is not"),
        "{said}"
    );

    let mut browser = Browser::at(&origin);
    for path in SPELLINGS {
        let around = Ask::get(path).send(service.address);
        assert!(around.text().starts_with("admin"), "Express does not take {path} for it: {around:?}");
        let answer = browser.look(path);
        assert_eq!(answer.status, 302, "{path}: {answer:?}");
        assert_eq!(Ask::get(path).send(front).status, 401, "{path}");
    }
    for path in OTHERS {
        assert_eq!(browser.look(path).status, 302, "{path}");
    }
    for path in [
        "/administrator",
        "/posts/[slug]",
        "/~ada/",
        "/%7Eada/",
        "/a%2Db%5Fc",
        "/a|b",
        "/npm/@scope%2fname",
        "/npm/x;jsessionid=1",
        "/npm//x",
        "/npm/100%2525",
    ] {
        let answer = browser.look(path);
        assert_eq!(
            (answer.status, answer.text()),
            (200, format!("home {path}")),
            "the bytes go on as they came"
        );
    }
    for path in [
        "/npm/..%2fadmin/x",
        "/npm/..;/admin/x",
        "/npm%2f..%2fadmin/x",
        "//admin/x",
        "/admin;x/x",
        "/%2fadmin/x",
    ] {
        let status = browser.look(path).status;
        assert!([400, 403].contains(&status), "{path}: {status}");
    }

    browser.sign_in("/auth/login", ADA, PASSWORD);
    for path in SPELLINGS {
        let answer = browser.look(path);
        assert_eq!((answer.status, answer.text()), (200, format!("admin {subject}")), "{path}");
    }
    let session = browser.cookie("vestibule").unwrap().value.clone();
    let url = format!("{origin}/ADMIN/x");
    let explained = vestibule.operator.ok(&["explain", "--cookie-stdin", "--url", &url], &session);
    assert!(explained.contains("path=/admin/") && explained.contains("match=fold"), "{explained}");
    assert!(explained.contains("exact=/"), "{explained}");
}
