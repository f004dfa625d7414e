//! The identity headers of all other routes. In: the routes of an installation. Out: for each route, the headers that the others send
//! their services and it does not. A proxy copies one list of headers for all routes, so every answer has to carry every one of them.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::Route;

/// Identity headers of other routes. An answer for this route carries them with an empty value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where other routes send their JWT. Without `Authorization`, which every route answers for itself.
    pub assertions: Vec<HeaderName>,
    /// Plain copies of claims.
    pub copies: Vec<HeaderName>,
}

impl Elsewhere {
    /// Every header in it.
    pub fn iter(&self) -> impl Iterator<Item = &HeaderName> {
        self.assertions.iter().chain(&self.copies)
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.assertions.len() + self.copies.len()
    }

    /// Whether all routes send the same headers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Computed when routes are loaded, so that no request has to.
pub(super) fn fill_in(routes: &mut [Route]) {
    let mut assertions: Vec<HeaderName> = routes.iter().map(|route| route.assertion_header.clone()).collect();
    let mut copies: Vec<HeaderName> =
        routes.iter().flat_map(|route| route.headers.iter().map(|(name, _)| name.clone())).collect();
    for names in [&mut assertions, &mut copies] {
        names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
    }
    assertions.retain(|name| *name != AUTHORIZATION);
    // Where one route has its JWT and another a plain copy, the header is listed once.
    copies.retain(|name| !assertions.contains(name));
    for route in routes {
        let is_its_own = |name: &HeaderName| {
            *name == route.assertion_header || route.headers.iter().any(|(own, _)| own == name)
        };
        let others = |names: &[HeaderName]| names.iter().filter(|name| !is_its_own(name)).cloned().collect();
        route.elsewhere = Elsewhere { assertions: others(&assertions), copies: others(&copies) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::RouteTable;
    use crate::route::tests;

    fn names(names: &[&'static str]) -> Vec<HeaderName> {
        names.iter().map(|name| HeaderName::from_static(name)).collect()
    }

    fn route(path: &str) -> Route {
        tests::route(None, path, &[], "r")
    }

    fn copying(path: &str, copies: &[&'static str]) -> Route {
        let headers = copies.iter().map(|name| (HeaderName::from_static(name), "claim".to_owned()));
        Route { headers: headers.collect(), ..route(path) }
    }

    fn of(table: &RouteTable, path: &str) -> Elsewhere {
        table.find("app.example.com", path, &http::Method::GET).unwrap().route.elsewhere.clone()
    }

    #[test]
    fn each_route_knows_the_headers_of_all_others() {
        let elsewhere_asserted =
            Route { assertion_header: HeaderName::from_static("x-jwt"), ..copying("/c/", &["x-b"]) };
        let table = RouteTable::new(vec![
            copying("/a/", &["x-a", "x-b"]),
            copying("/exact", &["x-c"]),
            elsewhere_asserted,
            Route { host: Some("other.example.com".into()), ..copying("/", &["x-d"]) },
        ]);
        let expected = |assertions: &[&'static str], copies: &[&'static str]| Elsewhere {
            assertions: names(assertions),
            copies: names(copies),
        };
        assert_eq!(of(&table, "/a/1"), expected(&["x-jwt"], &["x-c", "x-d"]));
        assert_eq!(of(&table, "/exact"), expected(&["x-jwt"], &["x-a", "x-b", "x-d"]));
        assert_eq!(of(&table, "/exact/"), of(&table, "/exact"));
        assert_eq!(of(&table, "/c/1"), expected(&[], &["x-a", "x-c", "x-d"]));
    }

    #[test]
    fn a_header_that_is_a_jwt_here_and_a_copy_there_counts_once() {
        let asserted = Route { assertion_header: HeaderName::from_static("x-a"), ..route("/a/") };
        let table = RouteTable::new(vec![asserted, copying("/b/", &["x-a"]), route("/c/")]);
        assert!(of(&table, "/a/").is_empty());
        assert!(of(&table, "/b/").is_empty());
        assert_eq!(of(&table, "/c/").iter().collect::<Vec<_>>(), ["x-a"]);
    }
}
