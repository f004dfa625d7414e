//! Two routes that cover one request: one by its exact spelling, the other by another spelling of the same path. Which of the two a
//! service serves is not known. In: both. Out: one route that demands what either demands, and gives no more than the stricter one.

use super::{Activity, AmbiguousPath, Requirement, Route};
use crate::reject::Reject;

/// The stricter of the two with what the other demands beyond it. Where both name an audience, and not the same, it is not known who
/// would get the JWT: refused.
pub(super) fn of_both(exact: &Route, alike: &Route) -> Result<Route, Reject> {
    if let (Some(one), Some(other)) = (&exact.audience, &alike.audience)
        && one != other
    {
        return Err(Reject::AmbiguousPath);
    }
    // The one with more to protect says which service it is; of two that demand the same, the more specific one.
    let (stricter, other) =
        if exact.requirement > alike.requirement { (exact, alike) } else { (alike, exact) };
    let is_background = [exact, alike].iter().any(|route| route.activity == Activity::Background);
    Ok(Route {
        requirement: stricter.requirement.max(other.requirement),
        accept: exact.accept.and(alike.accept),
        csrf: exact.csrf.max(alike.csrf),
        activity: if is_background { Activity::Background } else { Activity::Person },
        ambiguous_path: AmbiguousPath::Refuse,
        // Where both are public, the service learns no more than the other's would.
        audience: match stricter.requirement {
            Requirement::Public => stricter.audience.clone().filter(|_| other.audience.is_some()),
            Requirement::SignedIn(_) => stricter.audience.clone(),
        },
        pass_headers: stricter
            .pass_headers
            .iter()
            .filter(|name| other.pass_headers.contains(name))
            .cloned()
            .collect(),
        ..stricter.clone()
    })
}
