//! Audiences and routes as they are meant. In: their tables. Out: core's types, each name resolved, each header allowed.

use std::path::Path;
use std::sync::Arc;

use http::{HeaderName, Method};
use vestibule_core::csrf::origin::Origin;
use vestibule_core::mint::{Audience, NotAnAudience, is_standard_claim};
use vestibule_core::principal::Assurance;
use vestibule_core::route::{Accept, Activity, CsrfPolicy, Elsewhere, PathPattern, Requirement, Route};
use vestibule_core::wire::forwarded::host_of;
use vestibule_core::wire::{CredentialKind, Paths, Transport};

use super::upstream::upstream;
use super::{Listen, encryption, headers, paths, prefix};
use crate::config::Wrong;
use crate::config::claim;
use crate::config::raw;

/// Judges the audiences; relative files start at `base`, and no JWT may be larger than `largest_jwt` bytes.
pub(super) fn audiences(
    raw: &[raw::Audience],
    public_url: &Origin,
    base: &Path,
    largest_jwt: usize,
) -> Result<Vec<Audience>, Wrong> {
    let mut audiences: Vec<Audience> = Vec::new();
    for (index, one) in raw.iter().enumerate() {
        let key = |member: &str| format!("audience[{index}].{member}");
        if one.name == public_url.as_str() {
            let what = "is `public_url`, the audience of access tokens for the edge itself; give the service a name of its own";
            return Err(Wrong::new(key("name"), what));
        }
        if audiences.iter().any(|other| other.name == one.name) {
            return Err(Wrong::new(key("name"), format!("{:?} is the name of two audiences", one.name)));
        }
        let told = claim::told(&one.claims);
        let audience = Audience::new(&one.name, one.lifetime.duration(), told.sources);
        let audience = audience.and_then(|it| it.with_constants(told.constants)).map_err(|cause| {
            use NotAnAudience as Not;
            let member = match &cause {
                Not::AccessLifetime | Not::Lifetime => "lifetime",
                Not::Name => "name",
                Not::ClaimName(_)
                | Not::ClaimSource { .. }
                | Not::Constant(_)
                | Not::LargeConstants
                | Not::LargeCopies(_)
                | Not::ManyClaims
                | Not::StandardClaim(_) => "claims",
            };
            Wrong::new(key(member), cause.to_string())
        })?;
        audiences.push(match encryption::key(one, index, base, largest_jwt)? {
            Some(encryption) => audience.encrypted_to(encryption),
            None => audience,
        });
    }
    Ok(audiences)
}

pub(super) fn routes(
    raw: &[raw::Route],
    audiences: &[Audience],
    own: &Paths,
    listen: Listen,
) -> Result<Vec<Route>, Wrong> {
    let mut routes: Vec<Route> = Vec::new();
    for (index, one) in raw.iter().enumerate() {
        let route = route(&format!("route[{index}]"), one, audiences, listen)?;
        if routes.iter().any(|other| covers_the_same(other, &route)) {
            let what =
                format!("{:?} is already covered, for the same host and methods, by a route above", one.path);
            return Err(Wrong::new(format!("route[{index}].path"), what));
        }
        routes.push(route);
    }
    prefix::refuse_own(own, &routes)?;
    paths::refuse_conflicts(raw, &routes)?;
    headers::refuse_conflicts(&routes)?;
    Ok(routes)
}

/// The audiences, each with what its routes copy into plain headers: that counts in what a JWT may say.
pub(super) fn copied(audiences: Vec<Audience>, routes: &[Route]) -> Result<Vec<Audience>, Wrong> {
    let with_copies = |audience: Audience| {
        let name = audience.name.clone();
        let is_of = |route: &Route| route.audience.as_deref() == Some(name.as_str());
        let mut of_it = routes.iter().enumerate().filter(|(_, route)| is_of(route));
        of_it.try_fold(audience, |audience, (index, route)| {
            let wrong =
                |cause: NotAnAudience| Wrong::new(format!("route[{index}].headers"), cause.to_string());
            audience.copied_by(&route.headers, route.headers_encoding).map_err(wrong)
        })
    };
    audiences.into_iter().map(with_copies).collect()
}

fn covers_the_same(one: &Route, other: &Route) -> bool {
    let share_a_method = || match (one.methods.as_slice(), other.methods.as_slice()) {
        ([], []) => true,
        // Named methods beside all methods: the named ones win, so this is a choice and not a mistake.
        ([], _) | (_, []) => false,
        (some, others) => some.iter().any(|method| others.contains(method)),
    };
    one.host == other.host && one.path == other.path && share_a_method()
}

fn route(at: &str, raw: &raw::Route, audiences: &[Audience], listen: Listen) -> Result<Route, Wrong> {
    let key = |member: &str| format!("{at}.{member}");
    let audience = match &raw.audience {
        None => None,
        Some(name) => Some(audiences.iter().find(|it| it.name == *name).ok_or_else(|| {
            let what = format!("{name:?} is no audience; add an [[audience]] with that name");
            Wrong::new(key("audience"), what)
        })?),
    };
    let requirement = requirement(&key("require"), &raw.require)?;
    if audience.is_none() && matches!(requirement, Requirement::SignedIn(_)) {
        let what = "is missing: a service behind a signed-in route gets a JWT, and a JWT is for one audience";
        return Err(Wrong::new(key("audience"), what));
    }
    let assertion_header = header(&key("assertion_header"), &raw.assertion_header)?;
    Ok(Route {
        host: raw.host.as_deref().map(|text| host(&key("host"), text)).transpose()?,
        path: path(&key("path"), &raw.path)?,
        case: paths::case(&key("case"), &raw.case)?,
        ambiguous_path: paths::ambiguous_path(&key("ambiguous_path"), &raw.ambiguous_path)?,
        methods: methods(&key("methods"), &raw.methods)?,
        requirement,
        accept: accept(&key("accept"), &raw.accept)?,
        audience: audience.map(|it| Arc::from(it.name.as_str())),
        csrf: csrf(&key("csrf"), &raw.csrf)?,
        activity: if raw.background { Activity::Background } else { Activity::Person },
        headers: copies(&key("headers"), raw, audience, &assertion_header)?,
        assertion_header,
        elsewhere: Elsewhere::default(),
        headers_encoding: headers::encoding(&key("headers_encoding"), &raw.headers_encoding)?,
        pass_headers: headers::passing(at, raw)?,
        upstream: raw.upstream.as_deref().map(|text| upstream(&key("upstream"), text, listen)).transpose()?,
    })
}

/// By the rule that requests are held to: a host that none of them could name would cover nothing.
fn host(key: &str, text: &str) -> Result<String, Wrong> {
    // As browsers send it: a name beyond ASCII in its `xn--` form.
    let origin = Origin::parse(&format!("http://{text}")).ok();
    let host = origin.as_ref().filter(|it| it.port().is_none() && !text.ends_with(":80")).map(Origin::host);
    match host {
        Some(host) if host_of(host) == Ok(host) => Ok(host.to_owned()),
        _ => {
            let what =
                format!("{text:?} is not a host; write it like \"app.example.com\", without scheme and port");
            Err(Wrong::new(key, what))
        }
    }
}

fn path(key: &str, text: &str) -> Result<PathPattern, Wrong> {
    if let Some(sign) = text.chars().find(|c| "*{}".contains(*c)) {
        let what = format!(
            "{text:?} has a {sign}, which covers nothing but itself; end the path in / to cover all below it, or write %{:02X} where the sign is meant",
            u32::from(sign)
        );
        return Err(Wrong::new(key, what));
    }
    PathPattern::parse(text).map_err(|_| {
        let what = format!("{text:?} is not a plain path; begin with /, and leave out //, \".\", \"..\", ;, \\, #, control characters and encoded slashes");
        Wrong::new(key, what)
    })
}

fn methods(key: &str, texts: &[String]) -> Result<Vec<Method>, Wrong> {
    let parse = |(index, text): (usize, &String)| {
        let method = Method::from_bytes(text.as_bytes()).ok();
        method.filter(|_| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')).ok_or_else(
            || {
                let what = format!("{text:?} is not a method; write it in capitals, like \"GET\"");
                Wrong::new(format!("{key}[{index}]"), what)
            },
        )
    };
    texts.iter().enumerate().map(parse).collect()
}

fn requirement(key: &str, text: &str) -> Result<Requirement, Wrong> {
    match text {
        "public" => Ok(Requirement::Public),
        "signed-in" => Ok(Requirement::SignedIn(Assurance::Aal1)),
        "aal2" => Err(Wrong::new(key, "a second factor is not available yet; use \"signed-in\"")),
        other => {
            Err(Wrong::new(key, format!("{other:?} is no requirement; use \"signed-in\" or \"public\"")))
        }
    }
}

fn accept(key: &str, texts: &[String]) -> Result<Accept, Wrong> {
    let mut accept = Accept::NONE;
    for (index, text) in texts.iter().enumerate() {
        let (kind, transport) = match text.as_str() {
            "session-cookie" => (CredentialKind::Reference, Transport::Cookie),
            "session-header" => (CredentialKind::Reference, Transport::Header),
            "token-cookie" => (CredentialKind::Value, Transport::Cookie),
            "token-header" => (CredentialKind::Value, Transport::Header),
            other => {
                let what = format!(
                    "{other:?} is no credential; use \"session-cookie\", \"session-header\", \"token-cookie\", \"token-header\""
                );
                return Err(Wrong::new(format!("{key}[{index}]"), what));
            }
        };
        accept = accept.with(kind, transport);
    }
    if accept == Accept::NONE {
        return Err(Wrong::new(key, "is empty: nobody could pass; leave the key out for the default"));
    }
    Ok(accept)
}

/// Where browsers are given no tokens, a route that takes them from cookies takes what we never set.
pub(super) fn refuse_token_cookies(routes: &[Route]) -> Result<(), Wrong> {
    let takes_them = |route: &Route| route.accept.takes(CredentialKind::Value, Transport::Cookie);
    match routes.iter().position(takes_them) {
        None => Ok(()),
        Some(index) => {
            let what = "names \"token-cookie\", but no browser is given one; set tokens.cookies = true, or leave it out";
            Err(Wrong::new(format!("route[{index}].accept"), what))
        }
    }
}

fn csrf(key: &str, text: &str) -> Result<CsrfPolicy, Wrong> {
    match text {
        "off" => Ok(CsrfPolicy::Off),
        "origin" => Ok(CsrfPolicy::Origin),
        "token" => Ok(CsrfPolicy::Token),
        other => {
            Err(Wrong::new(key, format!("{other:?} is no policy; use \"token\", \"origin\" or \"off\"")))
        }
    }
}

fn header(key: &str, text: &str) -> Result<HeaderName, Wrong> {
    let name: HeaderName = text.parse().map_err(|_| {
        Wrong::new(key, format!("{text:?} is not a header name; write it like \"x-auth-department\""))
    })?;
    if headers::has_a_meaning(&name) {
        return Err(Wrong::new(
            key,
            format!("{text:?} already has a meaning of its own; choose another name"),
        ));
    }
    if name.as_str().contains(['_', '.']) {
        let what = format!("{text:?}: proxies and servers read _ and . in names in different ways; use -");
        return Err(Wrong::new(key, what));
    }
    Ok(name)
}

fn copies(
    at: &str,
    raw: &raw::Route,
    audience: Option<&Audience>,
    assertion_header: &HeaderName,
) -> Result<Vec<(HeaderName, String)>, Wrong> {
    let mut copies: Vec<(HeaderName, String)> = Vec::new();
    for (name, claim) in &raw.headers {
        let key = format!("{at}.{name}");
        let name = header(&key, name)?;
        if name == *assertion_header || name == http::header::AUTHORIZATION {
            return Err(Wrong::new(key, "is where the JWT goes; choose another name"));
        }
        if copies.iter().any(|(other, _)| *other == name) {
            let what =
                format!("{name} is there twice: letter case makes no other header; choose another name");
            return Err(Wrong::new(key, what));
        }
        let told: Vec<&str> = audience.map(|it| it.claim_names().collect()).unwrap_or_default();
        if !told.contains(&claim.as_str()) {
            let what = if is_standard_claim(claim) {
                format!(
                    "{claim:?} is a standard claim: subject and session already come as x-auth-subject and x-auth-session"
                )
            } else {
                format!("{claim:?} is no claim of the route's audience; add it to `claims` there")
            };
            return Err(Wrong::new(key, what));
        }
        copies.push((name, claim.clone()));
    }
    Ok(copies)
}
