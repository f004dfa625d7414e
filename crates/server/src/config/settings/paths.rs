//! How the paths of routes are read, and what routes say about each other. In: the routes. Out: core's types, the first contradiction,
//! and what `config check` says about them.

use vestibule_core::route::{
    AmbiguousPath, Case, Conflict, Exposure, Requirement, Route, conflict, exposures,
};

use crate::config::Wrong;
use crate::config::raw;

pub(super) fn case(key: &str, text: &str) -> Result<Case, Wrong> {
    match text {
        "fold" => Ok(Case::Fold),
        "sensitive" => Ok(Case::Sensitive),
        other => Err(Wrong::new(key, format!("{other:?} is not a choice; use \"fold\" or \"sensitive\""))),
    }
}

pub(super) fn ambiguous_path(key: &str, text: &str) -> Result<AmbiguousPath, Wrong> {
    match text {
        "pass" => Ok(AmbiguousPath::Pass),
        "refuse" => Ok(AmbiguousPath::Refuse),
        other => Err(Wrong::new(key, format!("{other:?} is not a choice; use \"refuse\" or \"pass\""))),
    }
}

/// Refuses routes that contradict each other; `raw` has the same order, for their texts.
pub(super) fn refuse_conflicts(raw: &[raw::Route], routes: &[Route]) -> Result<(), Wrong> {
    let text = |route: usize| raw.get(route).map_or("", |it| it.path.as_str());
    let (route, member, what) = match conflict(routes) {
        None => return Ok(()),
        Some(Conflict::AmbiguousExact { route }) => {
            let what = format!("\"pass\" is for a prefix; end the path in /, like \"{}/\"", text(route));
            (route, "ambiguous_path", what)
        }
        Some(Conflict::AmbiguousOver { route, below }) => {
            let what = format!(
                "\"pass\" is not possible: route[{below}] ({:?}) lies below {:?}, and one reading of an ambiguous path could be \
                 the other route's; give {:?} a path of its own, or leave this key out",
                text(below),
                text(route),
                text(below),
            );
            (route, "ambiguous_path", what)
        }
        Some(Conflict::OnePath { route, other }) => {
            let what = format!(
                "{:?} and route[{other}] ({:?}) are one path to a service that ignores case or trailing dots; remove one, or \
                 write case = \"sensitive\" in both",
                text(route),
                text(other),
            );
            (route, "path", what)
        }
    };
    Err(Wrong::new(format!("route[{route}].{member}"), what))
}

/// What `config check` says about the routes, a line each.
pub(super) fn notes(routes: &[Route]) -> Vec<String> {
    let path = |at: usize| routes.get(at).map_or("", |route| route.path.as_str());
    let exposed = exposures(routes).into_iter().map(|Exposure { protected, public }| {
        format!(
            "warning: route[{public}] {:?} is public and route[{protected}] {:?} below it is not: where the service reads a path in \
             another way than Vestibule, strangers get in; require \"signed-in\" for {:?}, and name what is public",
            path(public),
            path(protected),
            path(public),
        )
    });
    let sensitive = routes.iter().enumerate().filter(|(_, route)| {
        route.case == Case::Sensitive && matches!(route.requirement, Requirement::SignedIn(_))
    });
    let sensitive = sensitive.map(|(at, _)| {
        format!(
            "note: route[{at}] {:?} matches exactly this spelling (case = \"sensitive\"); for others the route above it decides",
            path(at)
        )
    });
    let ambiguous =
        routes.iter().enumerate().filter(|(_, route)| route.ambiguous_path == AmbiguousPath::Pass);
    let ambiguous = ambiguous.map(|(at, _)| {
        format!(
            "note: route[{at}] {:?} takes //, ;, %2F and %25XX in paths (ambiguous_path = \"pass\")",
            path(at)
        )
    });
    exposed.chain(sensitive).chain(ambiguous).collect()
}
