//! Which headers of a client reach a service, and how plain copies of claims are written. In: the keys of a route. Out: core's types, or
//! the header that may not pass, with the reason.

use http::HeaderName;
use vestibule_core::route::{Requirement, Route};
use vestibule_core::token::HeaderEncoding;
use vestibule_gateway::{FAMILIES, PROTECTED};

use crate::config::Wrong;
use crate::config::raw;

/// Ours to say, whatever the route: who asks, and where from.
const IDENTITY: [&str; 5] = ["authorization", "forwarded", "x-auth*", "x-csrf-token", "x-forwarded*"];

/// Meant for one hop, or for how a request is read (RFC 9110 section 7.6.1).
const FRAMING: [&str; 13] = [
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy*",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// By these a client would ask for another path or host than the one that was decided about.
const TARGET: [&str; 6] = [
    "x-host",
    "x-http-host-override",
    "x-http-path-override",
    "x-original-*",
    "x-rewrite-*",
    "x-envoy-original-*",
];

/// By these it asks for another method.
const METHOD: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// What services, proxies and browsers read for another purpose, beside [`FRAMING`], [`TARGET`] and [`METHOD`]: a claim or a JWT under
/// such a name would be taken for that.
const MEANING: [&str; 49] = [
    "accept*",
    "access-control-*",
    "cache-control",
    "cf-connecting-ip",
    "clear-site-data",
    "content-*",
    "date",
    "dnt",
    "early-data",
    "forwarded",
    "if-*",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "sec-*",
    "server",
    "set-cookie*",
    "strict-transport-security",
    "true-client-ip",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-accel-*",
    "x-auth-login",
    "x-auth-session",
    "x-auth-subject",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-content-type-options",
    "x-csrf-token",
    "x-forwarded-by",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto*",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-real-ip",
    "x-sendfile*",
];

/// Families that say nothing of who asks, but for [`WHO_ASKS`].
const HARMLESS: [&str; 3] = ["x-http-", "x-ms-", "x-user-agent"];

/// What Azure App Service says of its visitor (`X-MS-CLIENT-PRINCIPAL-NAME`, `X-MS-TOKEN-AAD-ID-TOKEN`).
const WHO_ASKS: [&str; 2] = ["x-ms-client-", "x-ms-token-"];

pub(super) fn encoding(key: &str, text: &str) -> Result<HeaderEncoding, Wrong> {
    match text {
        "drop" => Ok(HeaderEncoding::Drop),
        "percent" => Ok(HeaderEncoding::Percent),
        "utf-8" => Ok(HeaderEncoding::Utf8),
        other => {
            Err(Wrong::new(key, format!("{other:?} is not a choice; use \"drop\", \"percent\" or \"utf-8\"")))
        }
    }
}

/// Whether a header has a fixed meaning, so that a route cannot give it another.
pub(super) fn has_a_meaning(name: &HeaderName) -> bool {
    let all = [&FRAMING[..], &TARGET, &METHOD, &MEANING].concat();
    all.iter().any(|pattern| is(pattern, name.as_str()))
}

/// The headers that a route lets pass.
pub(super) fn passing(at: &str, raw: &raw::Route) -> Result<Vec<HeaderName>, Wrong> {
    let mut names: Vec<HeaderName> = Vec::new();
    for (index, text) in raw.pass_headers.iter().enumerate() {
        let wrong =
            |what: &str| Wrong::new(format!("{at}.pass_headers[{index}]"), format!("{text:?} {what}"));
        let name: HeaderName =
            text.parse().map_err(|_| wrong("is not a header name; write it like \"x-ms-version\""))?;
        let is_one_of = |patterns: &[&str]| patterns.iter().any(|pattern| is(pattern, name.as_str()));
        let is_ours = |other: &str| name.as_str() == other.to_ascii_lowercase();
        if !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(wrong(
                "has a character that servers read in different ways; only letters, digits and - pass",
            ));
        }
        if is_one_of(&IDENTITY) || is_ours(&raw.assertion_header) || raw.headers.keys().any(|it| is_ours(it))
        {
            return Err(wrong("tells the service who asks or where from; only Vestibule sets it"));
        }
        if is_one_of(&FRAMING) {
            return Err(wrong("belongs to one connection or decides how a request is read"));
        }
        if is_one_of(&TARGET) {
            return Err(wrong("names another path or host than the one that was decided about"));
        }
        if is_one_of(&METHOD) && !raw.methods.is_empty() {
            return Err(wrong("names another method than the one that `methods` allows"));
        }
        let is_taken_off = PROTECTED.contains(&name.as_str())
            || FAMILIES.iter().any(|family| name.as_str().starts_with(family));
        if !is_taken_off {
            return Err(wrong("passes anyway; leave it out"));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// What passes on one route must not be an identity header of another, which is Vestibule's to set on all of them; and a client's word for
/// another method must not lead past a route that other methods have.
pub(super) fn refuse_conflicts(routes: &[Route]) -> Result<(), Wrong> {
    for (at, route) in routes.iter().enumerate() {
        for name in &route.pass_headers {
            let sets = |other: &Route| {
                other.assertion_header == name || other.headers.iter().any(|(it, _)| it == name)
            };
            if let Some(other) = routes.iter().position(sets) {
                let what = format!(
                    "{name:?} is an identity header of route[{other}]; only Vestibule sets it, on every route"
                );
                return Err(Wrong::new(format!("route[{at}].pass_headers"), what));
            }
        }
        let names_a_method =
            route.pass_headers.iter().find(|name| METHOD.iter().any(|method| is(method, name.as_str())));
        let Some(name) = names_a_method else { continue };
        let shares = |other: &&Route| other.host == route.host && other.path == route.path;
        if routes.iter().filter(shares).count() > 1 {
            let what = format!(
                "{name:?} names another method than the one that was decided about, and another route has the same path for \
                 other methods"
            );
            return Err(Wrong::new(format!("route[{at}].pass_headers"), what));
        }
    }
    Ok(())
}

/// What `config check` says about them.
pub(super) fn notes(routes: &[Route]) -> impl Iterator<Item = String> {
    let of = |(at, route): (usize, &Route)| {
        let path = route.path.as_str();
        let is_in =
            |families: &[&str], name: &HeaderName| families.iter().any(|it| name.as_str().starts_with(it));
        let identity =
            route.pass_headers.iter().filter(|name| !is_in(&HARMLESS, name) || is_in(&WHO_ASKS, name));
        let mut notes: Vec<String> = identity
            .map(|name| {
                format!(
                    "warning: route[{at}] {path:?} lets {name} of the client pass; its service must not take it for who asks or \
                     where from"
                )
            })
            .collect();
        if route.passes_authorization() {
            notes.push(format!(
                "note: route[{at}] {path:?} takes no credential from headers: the client's own Authorization goes to the service"
            ));
        }
        if route.passes_csrf_token() && route.requirement != Requirement::Public {
            notes.push(format!(
                "note: route[{at}] {path:?} asks for no CSRF token of Vestibule's: the client's X-CSRF-Token goes to the service"
            ));
        }
        notes
    };
    routes.iter().enumerate().flat_map(of).collect::<Vec<_>>().into_iter()
}

fn is(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => name.starts_with(family),
        None => name == pattern,
    }
}
