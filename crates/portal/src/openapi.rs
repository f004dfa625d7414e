//! `GET /api/v1/openapi.json`: what programs may ask on the public listener, in OpenAPI 3.1. In: the prefix, and whether the document is
//! known already. Out: the page beside this file, kept by hand; tests hold every address, method and answer of ours to it.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use vestibule_core::wire::Paths;

use crate::{Portal, document, key_set};

/// Where it is, below the prefix.
pub(crate) const PATH: &str = "/api/v1/openapi.json";
/// Its addresses are below [`Paths::DEFAULT`].
const DOCUMENT: &str = include_str!("openapi/document.json");

/// Serves the document.
pub(crate) async fn serve(State(portal): State<Arc<Portal>>, asked: HeaderMap) -> Response {
    let body = below(&portal.paths).into_owned();
    document::answer(&asked, "application/json", body, key_set::LONGEST)
}

/// The document with its addresses below another prefix, which has no character that JSON would escape.
fn below(paths: &Paths) -> Cow<'static, str> {
    if paths.prefix() == Paths::DEFAULT {
        return Cow::Borrowed(DOCUMENT);
    }
    let [ours, theirs] = [Paths::DEFAULT, paths.prefix()].map(|prefix| format!("\"{prefix}/"));
    Cow::Owned(DOCUMENT.replace(&ours, &theirs))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::router::arriving;

    /// Paths where people, not programs, are answered.
    fn is_for_people(paths: &Paths, path: &str) -> bool {
        let is_for_programs = |inner: &str| inner.starts_with("/api/") || inner.starts_with("/oauth/");
        path == "/.well-known/change-password"
            || paths.named(path).is_some_and(|inner| !is_for_programs(inner))
    }

    #[test]
    fn every_address_for_programs_is_documented_and_no_other() {
        for paths in [Paths::default(), Paths::below("/sso").unwrap()] {
            let document: Value = serde_json::from_str(&below(&paths)).unwrap();
            let documented: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
            let mut routed = arriving(&paths);
            routed.retain(|path| !is_for_people(&paths, path));
            let sorted = |mut list: Vec<String>| {
                list.sort_unstable();
                list.join("\n")
            };
            assert_eq!(sorted(documented), sorted(routed));
        }
    }

    #[test]
    fn below_another_prefix_nothing_is_left_of_the_first() {
        let document = below(&Paths::below("/apps/sso").unwrap()).into_owned();
        assert!(!document.contains("/auth"), "{document}");
        assert_eq!(document.matches("/apps/sso/").count(), DOCUMENT.matches("/auth/").count());
    }
}
