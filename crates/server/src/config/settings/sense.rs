//! Settings that are right one by one and make no sense together. In: what was parsed. Out: an error where nothing could work, and
//! warnings where something else may have been meant.

use std::net::SocketAddr;

use vestibule_core::csrf::origin::Origin;
use vestibule_core::route::{Requirement, Route};
use vestibule_core::wire::{CredentialKind, Transport};

use super::Listen;
use crate::config::{Settings, Wrong};

/// Two listeners cannot have one port.
pub(super) fn refuse_one_port(listen: Listen) -> Result<(), Wrong> {
    let (public, internal) = (listen.public, listen.internal);
    // [::] is for IPv4, too; 0.0.0.0 is for IPv4 alone.
    let covers = |one: SocketAddr, other: SocketAddr| {
        one.ip() == other.ip() || (one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4()))
    };
    let overlap = covers(public, internal) || covers(internal, public);
    if public.port() == 0 || public.port() != internal.port() || !overlap {
        return Ok(());
    }
    let what = format!(
        "{internal} is the port of `listen.public` ({public}); give each listener its own, like \"127.0.0.1:8081\""
    );
    Err(Wrong::new("listen.internal", what))
}

/// Browsers are signed in at the host of `public_url` and send its cookie nowhere else.
pub(super) fn refuse_unreachable_hosts(routes: &[Route], public_url: &Origin) -> Result<(), Wrong> {
    let is_lost =
        |route: &Route| is_elsewhere(route, public_url) && takes_cookies(route) && !takes_headers(route);
    match routes.iter().position(is_lost) {
        None => Ok(()),
        Some(index) => {
            let what = format!(
                "is not the host of `public_url` ({}): its cookie is not sent there, so nobody could pass; take credentials in headers too (`accept`), or change the host",
                public_url.host()
            );
            Err(Wrong::new(format!("route[{index}].host"), what))
        }
    }
}

/// What may be meant, and may be a slip. For `config check` and the log at start.
pub(crate) fn warnings(settings: &Settings) -> Vec<String> {
    let mut warnings = Vec::new();
    if settings.routes.is_empty() {
        warnings.push("route: there is none, so every request is denied; add a [[route]]".to_owned());
    }
    for (index, route) in settings.routes.iter().enumerate() {
        if let Some(host) = &route.host
            && is_elsewhere(route, &settings.public_url)
            && takes_cookies(route)
        {
            warnings.push(format!(
                "route[{index}].host: {host:?} is not the host of `public_url`: browsers are not signed in there, and programs pass by a header alone"
            ));
        }
        if route.path.as_str().split('/').any(|segment| segment.len() > 1 && segment.starts_with(':')) {
            warnings.push(format!(
                "route[{index}].path: {:?} covers that very text: `:` makes no part of it a variable; end it in / to cover all below",
                route.path.as_str()
            ));
        }
    }
    warnings
}

fn is_elsewhere(route: &Route, public_url: &Origin) -> bool {
    let demands = matches!(route.requirement, Requirement::SignedIn(_));
    demands && route.host.as_deref().is_some_and(|host| host != public_url.host())
}

fn takes_cookies(route: &Route) -> bool {
    [CredentialKind::Reference, CredentialKind::Value]
        .into_iter()
        .any(|kind| route.accept.takes(kind, Transport::Cookie))
}

fn takes_headers(route: &Route) -> bool {
    [CredentialKind::Reference, CredentialKind::Value]
        .into_iter()
        .any(|kind| route.accept.takes(kind, Transport::Header))
}
