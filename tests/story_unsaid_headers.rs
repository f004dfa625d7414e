//! A route that gives its service fewer headers than another. In: proxies that copy one list of headers for all routes. Out: what the
//! route does not say is empty, or not there; never the client's, and never a placeholder of the proxy's.

use crate::personas::{Ask, Caddy, Door, Received, Scene, Vestibule, free_address};

const BARE: &str = "[[route]]\npath = \"/bare/\"\nrequire = \"public\"\naudience = \"orders\"\nupstream = \"{upstream}\"\n\
                    [[route]]\npath = \"/asserted/\"\nrequire = \"public\"\naudience = \"orders\"\nassertion_header = \"x-jwt\"\n\
                    headers = { \"x-unit\" = \"department\" }\nupstream = \"{upstream}\"\n";

fn is_unsaid(received: &Received, name: &str) -> bool {
    received.folded(name).iter().all(|value| value.is_empty())
}

/// Caddy before 2.8 sends `{http.reverse_proxy.header.X-Auth-Department}` where an answer has no such header.
#[test]
fn a_header_that_a_route_does_not_give_is_empty_behind_every_door() {
    for door in Door::ALL {
        let scene = Scene::with(door, Vestibule::installed(), "", BARE);
        let (mut ada, mut stranger) = (scene.signed_in(), scene.browser());
        for (who, subject) in [(&mut ada, scene.subject.as_str()), (&mut stranger, "")] {
            for claimed in ["", "mallory"] {
                let mut ask = Ask::get("/bare/7");
                if !claimed.is_empty() {
                    ask = ask.header("X-Auth-Department", claimed).header("X-Jwt", claimed);
                }
                who.fetch(ask);
                let received = scene.service.one();
                assert!(is_unsaid(&received, "x-auth-department"), "{door:?}: {received:#?}");
                assert!(!received.whole().contains("{http."), "{door:?}: {received:#?}");
                assert_eq!(received.all("x-auth-subject").concat(), subject, "{door:?}: {received:#?}");
                if door == Door::BuiltIn {
                    assert_eq!(received.all("x-auth-department"), [""], "{received:#?}");
                    assert_eq!(received.all("x-unit"), [""], "{received:#?}");
                    assert_eq!(received.all("x-jwt"), [""; 0], "{received:#?}");
                }
            }
        }
        ada.fetch(Ask::get("/orders/"));
        assert_eq!(scene.service.one().all("x-auth-department"), ["R&D"], "the control: {door:?}");
    }
}

/// The same for the header that another route has its JWT in, and for a name outside of `X-Auth-`.
#[test]
fn a_jwt_header_of_another_route_is_empty_behind_caddy() {
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", BARE);
    let front = free_address();
    let (public, internal) = (scene.vestibule.public, scene.vestibule.internal);
    let more = ("X-CSRF-Token X-Auth-Department", "X-CSRF-Token X-Auth-Department X-Unit X-Jwt");
    let _caddy = Caddy::start_extended(front, public, internal, scene.service.address, &[more]);
    let client = scene.api_client();
    for path in ["/bare/", "/public/", "/orders/"] {
        for signed_in in [true, false] {
            let mut ask = Ask::get(path).header("X-Unit", "mallory").header("X-Jwt", "mallory");
            if signed_in {
                ask = ask.bearer(&client.session_token);
            }
            let answer = ask.send(front);
            for received in scene.service.take() {
                assert!(is_unsaid(&received, "x-unit"), "{path}: {received:#?}");
                assert!(is_unsaid(&received, "x-jwt"), "{path}: {received:#?}");
                assert!(!received.whole().contains("{http."), "{path}: {received:#?}");
                assert!(!received.whole().contains("mallory"), "{path}: {received:#?}");
            }
            assert!(signed_in || path != "/orders/" || answer.status == 401, "{answer:?}");
        }
    }
    Ask::get("/asserted/").bearer(&client.session_token).send(front);
    let received = scene.service.one();
    assert!(received.all("x-jwt")[0].starts_with("Bearer ey"), "the control: {received:#?}");
    assert_eq!(received.all("x-unit"), ["R&D"], "the control: {received:#?}");
    assert!(is_unsaid(&received, "authorization") && is_unsaid(&received, "x-auth-department"));
}
