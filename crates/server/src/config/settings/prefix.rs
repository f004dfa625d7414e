//! Where our own pages are, and that no route is in their way. In: `[paths]`, and the routes. Out: [`Paths`], or what is wrong.

use vestibule_core::route::Route;
use vestibule_core::wire::Paths;
use vestibule_portal::WELL_KNOWN;

use crate::config::Wrong;
use crate::config::raw;

pub(super) fn paths(raw: &raw::Paths) -> Result<Paths, Wrong> {
    let paths = Paths::below(&raw.prefix)
        .map_err(|cause| Wrong::new("paths.prefix", format!("{:?} {cause}", raw.prefix)))?;
    Ok(if raw.stripped { paths.stripped() } else { paths })
}

/// Refuses routes at addresses of our own. Where the prefix is taken off before a request arrives, every path of the public listener is
/// an address of our own, so nothing can be carried there.
pub(super) fn refuse_own(paths: &Paths, routes: &[Route]) -> Result<(), Wrong> {
    for (index, route) in routes.iter().enumerate() {
        let path = route.path.as_str();
        let wrong = |member: &str, what: String| Err(Wrong::new(format!("route[{index}].{member}"), what));
        if paths.named(path).is_some() {
            let prefix = paths.prefix();
            let what = format!("{path:?} is at or below paths.prefix ({prefix:?}), which is Vestibule's own");
            return wrong("path", what);
        }
        if WELL_KNOWN.contains(&path) {
            return wrong("path", format!("{path:?} is a document of Vestibule's own"));
        }
        if paths.is_stripped() && route.upstream.is_some() {
            let what = format!(
                "is not possible with paths.stripped = true: then every path of the public listener is one of Vestibule's pages; \
                 have the proxy pass {path:?} to the service itself, and ask /check"
            );
            return wrong("upstream", what);
        }
    }
    Ok(())
}
