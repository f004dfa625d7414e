//! A refusal for a person: the same status and code as the problem document, as a small page. In: a problem of ours, where the
//! browser was loading a page. Out: HTML without scripts, links to other places, or a word that came from the request.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderValue, Response};
use http_body_util::Full;

use crate::answer::{Refusal, Told};
use crate::body::Body;

/// The style is part of the text that is compiled in, and nothing else is let in.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; \
     frame-ancestors 'none'; base-uri 'none'";

/// Puts a page in place of a problem document; what is no problem of ours stays as it is.
pub(super) fn instead_of_problem(mut response: Response<Body>) -> Response<Body> {
    let Some(told) = response.extensions().get::<Told>() else {
        return response;
    };
    *response.body_mut() = Body::from(Full::new(Bytes::from(page(told))));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(VARY, HeaderValue::from_static("Accept, Sec-Fetch-Mode"));
    response
}

fn page(told: &Told) -> String {
    let Refusal { status, code, detail } = told.refusal;
    let incident =
        told.incident.as_ref().map_or_else(String::new, |incident| format!(", incident {incident}"));
    let title = status.canonical_reason().unwrap_or("Refused");
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; line-height: 1.5; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 0.75rem; }}
p {{ margin: 0 0 1rem; }}
code {{ opacity: 0.8; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{detail}</p>
<p><code>{} {code}{incident}</code></p>
</main>
</body>
</html>
"#,
        status.as_u16()
    )
}
