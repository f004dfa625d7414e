//! A remembered session whose token is due to be replaced: page loads are sent to the login page, by every door, and nothing else is.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::{Request, StatusCode};

use crate::app::App;
use crate::wire::{Gate, OK, code, service, status, values};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LOGIN: &str = "https://app.test/auth/login?return_to=/orders/1";
const PAGE: (&str, &str) = ("sec-fetch-mode", "navigate");
const PART: (&str, &str) = ("sec-fetch-mode", "cors");

#[tokio::test]
async fn the_proxy_sends_page_loads_to_the_login_page_and_carries_the_rest() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    gate.app.world.remember();
    assert_eq!(status(&gate.get("/orders/1", &[PAGE]).await), 200);
    gate.app.clock.advance(DAY);
    seen.take();
    assert_eq!(status(&gate.get("/orders/1", &[PART]).await), 200);
    assert_eq!(seen.take().len(), 1);

    let answer = gate.get("/orders/1", &[PAGE]).await;
    assert_eq!((status(&answer), values(&answer, "location")), (302, vec![LOGIN]));
    assert_eq!(values(&answer, "set-cookie"), [""; 0], "the cookie is still needed, there");
    assert_eq!(seen.take(), [""; 0], "and the service sees nothing of it");

    gate.app.clock.advance(DAY);
    let answer = gate.get("/orders/1", &[PART]).await;
    assert_eq!((status(&answer), code(&answer)), (401, "rotation-due".to_owned()));
    assert_eq!(seen.take(), [""; 0]);
}

#[tokio::test]
async fn forward_auth_challenges_page_loads_as_it_does_without_a_session() {
    let app = App::new();
    app.world.remember();
    for (url, advanced, mode, expected) in [
        ("/check", DAY, PART, StatusCode::OK),
        ("/check", Duration::ZERO, PAGE, StatusCode::UNAUTHORIZED),
        ("/check?redirect=1", Duration::from_secs(10), PAGE, StatusCode::FOUND),
        ("/check?redirect=1", DAY, PART, StatusCode::UNAUTHORIZED),
    ] {
        app.clock.advance(advanced);
        let request = Request::get(url)
            .header("x-original-method", "GET")
            .header("x-original-url", "https://app.test/orders/1")
            .header("cookie", app.cookie())
            .header(mode.0, mode.1);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let answer = app.forward_auth.answer(&parts, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        assert_eq!(answer.status(), expected, "{url} {mode:?}");
        if expected == StatusCode::FOUND {
            assert_eq!(answer.headers()["location"], LOGIN);
        }
        let subject = answer.headers().get("x-auth-subject").filter(|subject| !subject.is_empty());
        assert_eq!(subject.is_some(), expected == StatusCode::OK, "{url} {mode:?}");
    }
}
