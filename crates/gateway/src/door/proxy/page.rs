//! A refusal for a person: the same status as the problem document, as a page. In: a problem of ours, where the browser was
//! loading a page. Out: the page of the program's theme, or a small one of our own, without a word that came from the request.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use vestibule_core::problem::Incident;

use crate::answer::{Refusal, Told};
use crate::body::Body;

/// The style is part of the text that is compiled in, and nothing else is let in.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; \
     frame-ancestors 'none'; base-uri 'none'";

/// Renders the pages that visitors see instead of a problem document. The program implements it with its theme and its languages.
pub trait RefusalPages: Send + Sync {
    /// The page for a refusal with this status. `asked` are the headers of the request, for the language. The headers of what is
    /// returned take the place of those of the problem document; its status is not looked at.
    fn page(&self, asked: &HeaderMap, status: StatusCode, incident: Option<&str>) -> Response<Bytes>;
}

/// What a page needs of the request; kept only where a browser loads a page.
pub(super) struct Reader {
    pages: Option<Arc<dyn RefusalPages>>,
    asked: HeaderMap,
}

impl Reader {
    pub(super) fn new(pages: Option<Arc<dyn RefusalPages>>, asked: &HeaderMap) -> Self {
        let mut kept = HeaderMap::new();
        for value in asked.get_all(ACCEPT_LANGUAGE) {
            kept.append(ACCEPT_LANGUAGE, value.clone());
        }
        Self { pages, asked: kept }
    }

    /// Puts a page in place of a problem document; what is no problem of ours stays as it is.
    pub(super) fn instead_of_problem(&self, mut response: Response<Body>) -> Response<Body> {
        let Some(told) = response.extensions().get::<Told>() else {
            return response;
        };
        let Some(pages) = &self.pages else {
            return plain(response);
        };
        let incident = told.incident.as_ref().map(Incident::as_str);
        let (head, body) = pages.page(&self.asked, told.refusal.status, incident).into_parts();
        *response.body_mut() = Body::from(Full::new(body));
        for (name, value) in &head.headers {
            response.headers_mut().insert(name, value.clone());
        }
        response.headers_mut().append(VARY, HeaderValue::from_static("Accept, Sec-Fetch-Mode"));
        response
    }
}

fn plain(mut response: Response<Body>) -> Response<Body> {
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
