//! All routes, ready to be searched. In: host, path and method of a request. Out: the one route that covers them; where another spelling
//! of the path belongs to a stricter route, both in one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use http::Method;

use super::path::{self, Agreement, Reading};
use super::{AmbiguousPath, Case, PathPattern, Route, elsewhere, fold, stricter};
use crate::reject::Reject;

/// All routes, ready to be searched. An empty table denies everything.
#[derive(Default)]
pub struct RouteTable {
    by_host: HashMap<String, HostRoutes>,
    any_host: HostRoutes,
    /// Some route's own pattern is not in folded form: any path may be another spelling of it.
    folds_every_path: bool,
}

/// The route that covers a request.
#[derive(Debug)]
pub struct Found {
    /// The route; for a folded match with what the exact one demands beyond it.
    pub route: Arc<Route>,
    /// The route that covers the exact spelling of the path, where `route` covers another spelling of it: found by folding.
    pub exact: Option<Arc<Route>>,
}

/// The routes of one host, the most specific first.
#[derive(Default)]
struct HostRoutes {
    exact: Vec<Arc<Route>>,
    /// The same with the patterns that folded paths are compared with.
    folded: Vec<(PathPattern, Arc<Route>)>,
}

impl RouteTable {
    /// Takes the configured routes in any order.
    pub fn new(routes: Vec<Route>) -> Self {
        let mut table = Self::default();
        // `/p/` is the same page as `/p` to most services: unless it has a route of its own, it must not fall to a laxer one.
        let with_slash: Vec<Route> = routes
            .iter()
            .filter_map(|route| {
                let PathPattern::Exact(path) = &route.path else { return None };
                let sibling = format!("{path}/");
                let has_its_own =
                    routes.iter().any(|other| other.host == route.host && other.path.as_str() == sibling);
                (!has_its_own).then(|| Route { path: PathPattern::Exact(sibling), ..route.clone() })
            })
            .collect();
        let mut routes: Vec<Route> = routes.into_iter().chain(with_slash).collect();
        elsewhere::fill_in(&mut routes);
        for route in routes {
            let routes = match &route.host {
                Some(host) => table.by_host.entry(host.to_ascii_lowercase()).or_default(),
                None => &mut table.any_host,
            };
            routes.exact.push(Arc::new(route));
        }
        for routes in table.by_host.values_mut().chain([&mut table.any_host]) {
            table.folds_every_path |= routes.prepare();
        }
        table
    }

    /// The most specific route for a request: its own host before any host, a literal path before a prefix, a longer prefix before
    /// a shorter, named methods before all methods.
    ///
    /// A path that another route of the same pattern covers for other methods does not fall through to a shorter pattern. A path that
    /// is another spelling of a more specific route's gets the stricter verdict of the two.
    pub fn find(&self, host: &str, path: &str, method: &Method) -> Result<Found, Reject> {
        // Compared by meaning: `%c3` and `%C3`, `@` and `%40`, `~` and `%7E` are one path to every service (RFC 3986 section 6.2.2).
        let Reading { meaning, agreement } = path::read(path)?;
        let own = if self.by_host.is_empty() {
            None
        } else if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.by_host.get(&host.to_ascii_lowercase())
        } else {
            self.by_host.get(host)
        };
        let hosts = || own.into_iter().chain([&self.any_host]);
        if let Agreement::Head(head) = &agreement {
            let mut below = hosts().map(|routes| routes.below(head, method));
            return below.find_map(Result::transpose).unwrap_or(Err(Reject::AmbiguousPath));
        }
        let exact = first(hosts().map(|routes| routes.exactly(&meaning, method)))?;
        if agreement == Agreement::Folded && !self.folds_every_path {
            return Ok(Found { route: Arc::clone(exact), exact: None });
        }
        let folded = match agreement {
            Agreement::Folded => Cow::Borrowed(&*meaning),
            Agreement::Head(_) | Agreement::Spelled => Cow::Owned(fold::path(&meaning)),
        };
        let alike = first(hosts().map(|routes| routes.folded(&meaning, &folded, method)))?;
        if Arc::ptr_eq(exact, alike) {
            return Ok(Found { route: Arc::clone(exact), exact: None });
        }
        let route = Arc::new(stricter::of_both(exact, alike)?);
        Ok(Found { route, exact: Some(Arc::clone(exact)) })
    }

    /// All routes, for listings.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.by_host.values().chain([&self.any_host]).flat_map(|routes| &routes.exact)
    }
}

impl HostRoutes {
    /// Sorts; says whether some pattern is not in folded form.
    fn prepare(&mut self) -> bool {
        let pattern = |route: &Arc<Route>| match route.case {
            Case::Fold => route.path.folded(),
            Case::Sensitive => route.path.clone(),
        };
        self.folded = self.exact.iter().map(|route| (pattern(route), Arc::clone(route))).collect();
        self.exact.sort_by_key(|route| std::cmp::Reverse(precedence(&route.path, route)));
        self.folded.sort_by_key(|(pattern, route)| std::cmp::Reverse(precedence(pattern, route)));
        self.folded.iter().any(|(pattern, route)| *pattern != route.path)
    }

    fn exactly(&self, path: &str, method: &Method) -> Result<Option<&Arc<Route>>, Reject> {
        let covering = self.exact.iter().filter(|route| route.path.covers(path));
        most_specific(covering.map(|route| (&route.path, route)), method)
    }

    fn folded(&self, path: &str, folded: &str, method: &Method) -> Result<Option<&Arc<Route>>, Reject> {
        let covering = self.folded.iter().filter(|(pattern, route)| match route.case {
            Case::Fold => pattern.covers(folded),
            Case::Sensitive => pattern.covers(path),
        });
        most_specific(covering.map(|(pattern, route)| (pattern, route)), method)
    }

    /// The route of a path that lies below `head` in every reading, and is ambiguous beyond it.
    fn below(&self, head: &str, method: &Method) -> Result<Option<Found>, Reject> {
        let covering = self.exact.iter().filter(|route| route.path.is_prefix() && route.path.covers(head));
        match most_specific(covering.map(|route| (&route.path, route)), method)? {
            None => Ok(None),
            Some(route) if route.ambiguous_path == AmbiguousPath::Pass => {
                Ok(Some(Found { route: Arc::clone(route), exact: None }))
            }
            Some(_) => Err(Reject::AmbiguousPath),
        }
    }
}

/// The first that is found; the search ends at a refusal, too.
fn first<T>(mut found: impl Iterator<Item = Result<Option<T>, Reject>>) -> Result<T, Reject> {
    found.find_map(Result::transpose).unwrap_or(Err(Reject::NoRoute))
}

/// The first of these routes that takes the method, among those of the first pattern.
fn most_specific<'a>(
    mut covering: impl Iterator<Item = (&'a PathPattern, &'a Arc<Route>)>,
    method: &Method,
) -> Result<Option<&'a Arc<Route>>, Reject> {
    let Some((pattern, route)) = covering.next() else { return Ok(None) };
    let takes = |route: &Route| route.methods.is_empty() || route.methods.contains(method);
    if takes(route) {
        return Ok(Some(route));
    }
    let same = covering.take_while(|(other, _)| *other == pattern);
    same.map(|(_, route)| route).find(|route| takes(route)).map(Some).ok_or(Reject::NoRoute)
}

fn precedence(pattern: &PathPattern, route: &Route) -> (bool, usize, bool) {
    (!pattern.is_prefix(), pattern.as_str().len(), !route.methods.is_empty())
}
