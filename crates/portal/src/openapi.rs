//! `GET /auth/api/v1/openapi.json`: what programs may ask on the public listener, in OpenAPI 3.1. In: nothing but whether it is known
//! already. Out: the page beside this file, kept by hand; tests hold every address, method and answer of ours to it.

use axum::response::Response;
use http::HeaderMap;

use crate::{document, key_set};

/// Where it is.
pub(crate) const PATH: &str = "/auth/api/v1/openapi.json";
const DOCUMENT: &str = include_str!("openapi/document.json");

/// Serves the document.
pub(crate) async fn serve(asked: HeaderMap) -> Response {
    document::answer(&asked, "application/json", DOCUMENT, key_set::LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::router::addresses;

    /// Addresses where people, not programs, are answered.
    fn is_for_people(address: &str) -> bool {
        address == "/.well-known/change-password"
            || (address.starts_with("/auth")
                && !address.starts_with("/auth/api/")
                && !address.starts_with("/auth/oauth/"))
    }

    #[test]
    fn every_address_for_programs_is_documented_and_no_other() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let documented: Vec<&str> =
            document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut routed = addresses();
        routed.retain(|address| !is_for_people(address));
        let sorted = |mut list: Vec<&str>| {
            list.sort_unstable();
            list.join("\n")
        };
        assert_eq!(sorted(documented), sorted(routed));
    }
}
