//! How one request would be decided, step by step, by the very code that decides. In: a credential, a URL, a method, headers. Out: what was
//! found at each step, and the JWT that the service behind would get. Counts as a use of the session, as any request does.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Map, Value, json};
use vestibule_core::decide::{Decision, Inquiry, Permit, Step, Trace};
use vestibule_core::route::Activity;
use vestibule_core::token::Because;
use vestibule_core::verify::jwe;
use vestibule_core::wire::forwarded::host_of;
use vestibule_core::wire::{CredentialKind, Transport};
use vestibule_core::{Fault, Reject};
use vestibule_portal::WELL_KNOWN;

use super::Not;
use crate::assemble::App;
use crate::control::view::{DroppedView, Explanation, JwtView, StepView};
use crate::control::{Answer, Presented};

pub(super) async fn explain(
    app: &App,
    credential: Presented,
    url: &str,
    method: &str,
    more: &[(String, String)],
) -> Result<Answer, Not> {
    let url: Uri = url.parse().map_err(|_| wrong_url(url))?;
    let authority = url.authority().ok_or_else(|| wrong_url(&url.to_string()))?;
    // As a door reads it: a trailing dot, for one, is refused there, too.
    let host = host_of(authority.as_str()).map_err(|_| wrong_url(&url.to_string()))?;
    refuse_own(app, host, url.path())?;
    let method: Method = method.parse().map_err(|_| Not::Refused(format!("{method:?} is not a method")))?;
    let headers = headers(app, credential, more)?;
    app.key_manager.ensure_signers().await?;
    let inquiry = Inquiry { method: &method, host, path: url.path(), headers: &headers, csrf_field: None };
    let mut trace = Trace::on();
    let (outcome, reject, permit) = match app.decider.decide_traced(&inquiry, &mut trace).await? {
        Decision::Challenge(challenge) => ("challenge", Some(challenge.reject()), None),
        Decision::Deny(deny) => ("deny", Some(deny.reject()), None),
        Decision::Permit(permit) => ("permit", None, Some(permit)),
    };
    let jwt = match &permit {
        Some(permit) => jwt(app, permit).await?,
        None => None,
    };
    let explanation = Explanation {
        outcome: outcome.to_owned(),
        code: reject.map(|it| it.detail().to_owned()),
        steps: trace.steps().iter().map(view).collect(),
        jwt,
    };
    Ok(Answer::Explanation { explanation: Box::new(explanation) })
}

/// No route decides about our own pages: whatever a door would say about them is not what a browser gets.
fn refuse_own(app: &App, host: &str, path: &str) -> Result<(), Not> {
    let (paths, origin) = (&app.settings.paths, &app.settings.public_url);
    let is_own = paths.named(path).is_some() || WELL_KNOWN.contains(&path);
    if is_own && host.eq_ignore_ascii_case(origin.host()) {
        return Err(Not::Refused(format!(
            "{path:?} is an address of Vestibule itself (paths.prefix = {:?}): no route decides about it, and a proxy must not ask /check",
            paths.prefix()
        )));
    }
    Ok(())
}

fn wrong_url(url: &str) -> Not {
    Not::Refused(format!("{url:?} is not a whole URL; write it like \"https://app.example.com/orders/7\""))
}

/// The credential, and what else the request carries. What a browser would send of its own accord is not guessed.
fn headers(app: &App, credential: Presented, more: &[(String, String)]) -> Result<HeaderMap, Not> {
    let (name, text) = match credential {
        Presented::Bearer(text) => (AUTHORIZATION, format!("Bearer {text}")),
        // The value alone, or a whole Cookie header as a browser's developer tools show it.
        Presented::Cookie(text) if text.contains('=') => (COOKIE, text),
        Presented::Cookie(text) => {
            // A session's secret has no dots, and a JWT has two.
            let of_tokens =
                Some(&app.settings.token_cookies).filter(|names| names.are_given && text.contains('.'));
            let name = of_tokens.map_or(&app.settings.session_cookie, |names| &names.access);
            (COOKIE, format!("{}={text}", name.as_str()))
        }
    };
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Not::Refused("what came on stdin cannot be a header".to_owned()))?;
    value.set_sensitive(true);
    let mut headers = HeaderMap::from_iter([(name, value)]);
    for (name, value) in more {
        let name =
            HeaderName::try_from(name).map_err(|_| Not::Refused(format!("{name:?} is no header's name")))?;
        if headers.contains_key(&name) && matches!(name, AUTHORIZATION | COOKIE) {
            return Err(Not::Refused("a request is explained with one credential".to_owned()));
        }
        let value = HeaderValue::try_from(value)
            .map_err(|_| Not::Refused(format!("the value of {name} is no header's value")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

async fn jwt(app: &App, permit: &Permit) -> Result<Option<JwtView>, Fault> {
    let asked_at = app.clock.now();
    let Some(token) = app.minter.mint(permit).await? else { return Ok(None) };
    let unread = |_| Fault::Bug("a JWT of ours cannot be read");
    // What is encrypted to its audience we cannot read either.
    let (header, claims) = match jwe::header(token.jwt()) {
        Ok(header) => (header, None),
        Err(_) => {
            let read = vestibule_verify::inspect(token.jwt(), asked_at.unix_seconds()).map_err(unread)?;
            (read.header, read.claims)
        }
    };
    let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
    let member = |name: &str| text(name).unwrap_or_default();
    Ok(Some(JwtView {
        audience: permit.route().audience.as_deref().unwrap_or_default().to_owned(),
        key_id: member("kid"),
        algorithm: member("alg"),
        reused: token.minted_at < asked_at,
        expires_in_seconds: token.expires_at.since(asked_at).as_secs(),
        bytes: token.jwt().len(),
        encryption: text("enc"),
        claims: claims.unwrap_or_default(),
        dropped: token.dropped().map(dropped).collect(),
    }))
}

fn dropped((claim, because): (&str, Because)) -> DroppedView {
    let because = match because {
        Because::Shape => "shape",
        Because::Size => "size",
    };
    DroppedView { claim: claim.to_owned(), because: because.to_owned() }
}

fn view(step: &Step) -> StepView {
    let (name, found) = match step {
        Step::Jwt { subject, expires_at } => ("jwt", json!({ "subject": subject, "exp": expires_at })),
        Step::NoSession { warm } => ("no-session", json!({ "from": source(*warm) })),
        Step::Permitted { subject } => ("permitted", json!({ "subject": subject })),
        Step::Presented { kind, transport } => {
            ("credential", json!({ "kind": kind_name(*kind), "transport": transport_name(*transport) }))
        }
        Step::Refused { reject } => (
            "refused",
            json!({ "code": reject.detail(), "signing_in_helps": Reject::asks_for_login(*reject) }),
        ),
        Step::Route { path, audience, activity, exact } => {
            let background = *activity == Activity::Background;
            let mut found = Map::from_iter([
                ("path".to_owned(), json!(path)),
                ("audience".to_owned(), json!(audience)),
                ("background".to_owned(), json!(background)),
                ("match".to_owned(), json!(if exact.is_some() { "fold" } else { "exact" })),
            ]);
            // What covers the path as it is spelled, where that is not the route that decides.
            found.extend(exact.iter().map(|exact| ("exact".to_owned(), json!(exact))));
            ("route", Value::Object(found))
        }
        Step::Session { id, subject, version, epoch, warm } => (
            "session",
            json!({
                "session": id, "subject": subject, "version": version, "epoch": epoch, "from": source(*warm),
            }),
        ),
    };
    let found = match found {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    StepView { step: name.to_owned(), found }
}

const fn source(warm: bool) -> &'static str {
    if warm { "memory" } else { "store" }
}

const fn kind_name(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Reference => "session",
        CredentialKind::Value => "jwt",
    }
}

const fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Cookie => "cookie",
        Transport::Header => "header",
    }
}
