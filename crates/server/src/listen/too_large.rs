//! The answer to a request whose line and headers take more than is taken, which nearly always means cookies: those of other programs on
//! the same host, or of sibling hosts. In: what headers there are. Out: 431 with words that help, as a page where a browser asks.

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use vestibule_core::problem::{MEDIA_TYPE, Problem};
use vestibule_core::wire::guard::{self, Hsts};

const TITLE: &str = "Too many cookies";

/// The answer, after which the connection ends.
pub(super) fn answer(headers: &HeaderMap, most: usize, hsts: &Hsts) -> Response<Full<Bytes>> {
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let kilobytes = most / 1024;
    let is_for_a_person = headers.get_all(ACCEPT).iter().any(|accepted| {
        accepted.to_str().is_ok_and(|accepted| accepted.to_ascii_lowercase().contains("text/html"))
    });
    let (body, media_type) = if is_for_a_person {
        (page(kilobytes), HeaderValue::from_static("text/html; charset=utf-8"))
    } else {
        let detail =
            format!("The request line and headers take more than {kilobytes} KiB; send fewer cookies.");
        let problem =
            Problem { status, code: "headers-too-large", title: TITLE, detail: &detail, incident: None };
        (problem.json(), MEDIA_TYPE)
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    guard::set(headers, hsts);
    response
}

fn page(kilobytes: usize) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{TITLE}</title>
</head>
<body>
<main>
<h1>{TITLE}</h1>
<p>Your browser sends more cookies to this site than it takes: more than {kilobytes} KiB of them and other headers.</p>
<p>Delete the cookies of this site in your browser's settings. Then load this page again, and sign in.</p>
</main>
</body>
</html>
"#
    )
}
