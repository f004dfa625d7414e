//! What is wrong with routes together, though each may be right by itself. In: all routes. Out: the first two that contradict each
//! other; and which protected paths hang on how a service reads paths.

use super::{AmbiguousPath, Case, PathPattern, Requirement, Route};

/// Two routes that cannot both stand, or one that says what its path cannot mean. By their places in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// It takes ambiguous paths but is no prefix: no such path lies below it.
    AmbiguousExact {
        /// The route.
        route: usize,
    },
    /// It takes ambiguous paths, and another route lies below it: some reading of such a path may be the other's.
    AmbiguousOver {
        /// The route that takes them.
        route: usize,
        /// The one below.
        below: usize,
    },
    /// They differ only in what a lenient service ignores, and at least one of them is not `case = "sensitive"`.
    OnePath {
        /// The later one.
        route: usize,
        /// The earlier one.
        other: usize,
    },
}

/// A protected route below a public one. By their places in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The protected route.
    pub protected: usize,
    /// The public one.
    pub public: usize,
}

/// The first conflict.
pub fn conflict(routes: &[Route]) -> Option<Conflict> {
    let at = |(route, one): (usize, &Route)| {
        let earlier = routes.iter().enumerate().take(route);
        let same = earlier.clone().find(|(_, other)| is_one_path(one, other));
        if let Some((other, _)) = same {
            return Some(Conflict::OnePath { route, other });
        }
        if one.ambiguous_path == AmbiguousPath::Refuse {
            return None;
        }
        if !one.path.is_prefix() {
            return Some(Conflict::AmbiguousExact { route });
        }
        let mut others = routes.iter().enumerate();
        let below = others.find(|(_, other)| share_a_host(one, other) && is_below(one, other))?.0;
        Some(Conflict::AmbiguousOver { route, below })
    };
    routes.iter().enumerate().find_map(at)
}

/// Every protected route with the most specific public route above it. A service that reads a path in another way than Vestibule may
/// serve the protected page under a path that falls to the public route.
pub fn exposures(routes: &[Route]) -> Vec<Exposure> {
    let protected = routes.iter().enumerate().filter(|(_, route)| route.requirement != Requirement::Public);
    let exposure = |(protected, route): (usize, &Route)| {
        let above = routes
            .iter()
            .enumerate()
            .filter(|(_, other)| other.path.is_prefix() && share_a_host(route, other))
            .filter(|(_, other)| is_below(other, route));
        let is_public = |route: &Route| route.requirement == Requirement::Public;
        let (public, other) = above.max_by_key(|(_, other)| (other.path.as_str().len(), is_public(other)))?;
        is_public(other).then_some(Exposure { protected, public })
    };
    protected.filter_map(exposure).collect()
}

fn is_one_path(one: &Route, other: &Route) -> bool {
    let is_told_apart = one.case == Case::Sensitive && other.case == Case::Sensitive;
    one.host == other.host
        && !is_told_apart
        && one.path != other.path
        && with_slash(&one.path) == with_slash(&other.path)
        && !is_sibling(one, other)
}

/// `/p` and `/p/` are two paths by configuration, whatever the case.
fn is_sibling(one: &Route, other: &Route) -> bool {
    one.path.is_prefix() != other.path.is_prefix()
        && one.path.as_str().trim_end_matches('/') == other.path.as_str().trim_end_matches('/')
}

/// Whether `other` covers paths that lie below the prefix of `one` in some spelling, and not just the same ones for other methods.
fn is_below(one: &Route, other: &Route) -> bool {
    one.path != other.path && with_slash(&other.path).starts_with(one.path.folded().as_str())
}

fn share_a_host(one: &Route, other: &Route) -> bool {
    match (&one.host, &other.host) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => true,
    }
}

fn with_slash(path: &PathPattern) -> String {
    let mut path = path.folded().as_str().to_owned();
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}
