//! The configuration as it is meant: every value parsed, every combination judged. In: [`Raw`]. Out: [`Settings`] that need no
//! second look, or the first setting that is wrong.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use vestibule_core::account::password::PasswordCost;
use vestibule_core::csrf::origin::Origin;
use vestibule_core::mint::Audience;
use vestibule_core::route::{CsrfPolicy, Requirement, Route};
use vestibule_core::session::{Cap, SessionLimits};
use vestibule_core::throttle::Allowance;
use vestibule_core::wire::cookie::{Https, NotACookieName};
use vestibule_core::wire::guard::{Hosts, Hsts};
use vestibule_core::wire::{CookieName, Paths};
use vestibule_portal::TokenCookies;
use vestibule_portal::texts::Texts;
use vestibule_store::StoreUrl;
use vestibule_verify::Algorithm;

use super::Wrong;
use super::raw::{self, Raw};
use super::span::Span;
use crate::traits_schema::TraitsSchema;

mod accounts;
mod encryption;
mod headers;
mod paths;
mod prefix;
mod routes;
pub(crate) mod sense;
mod sessions;
mod texts;
mod theme;
mod tokens;
mod upstream;

pub(crate) use theme::Look;
pub(crate) use tokens::TokenSettings;

/// All settings, valid together.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Database, default secrets, control socket.
    pub(crate) data_dir: PathBuf,
    /// Whether files that other accounts can read or write are taken.
    pub(crate) shared_files: bool,
    /// The origin that browsers see; also the `iss` of every JWT.
    pub(crate) public_url: Origin,
    /// Where our own pages are.
    pub(crate) paths: Paths,
    pub(crate) listen: Listen,
    pub(crate) secrets: SecretFiles,
    pub(crate) store: StoreUrl,
    pub(crate) session_limits: SessionLimits,
    /// `None`: nobody is remembered.
    pub(crate) remember: Option<SessionLimits>,
    pub(crate) session_cap: Cap,
    /// How fresh a proof must be to change an account with.
    pub(crate) step_up: Duration,
    /// Whether signing out empties the storage of the origin.
    pub(crate) clears_storage: bool,
    pub(crate) hsts: Hsts,
    pub(crate) session_cookie: CookieName,
    pub(crate) pre_session_cookie: CookieName,
    pub(crate) device_cookie: CookieName,
    /// What traits are held to, where the operator has a schema.
    pub(crate) traits_schema: Option<Arc<TraitsSchema>>,
    /// Of the access token and of the refresh token, where browsers may have them.
    pub(crate) token_cookies: TokenCookies,
    pub(crate) passwords: PasswordRules,
    pub(crate) algorithm: Algorithm,
    /// How long tokens live.
    pub(crate) tokens: TokenSettings,
    pub(crate) rotate_every: Duration,
    pub(crate) publish_ahead: Duration,
    /// Who may ask /check.
    pub(crate) forward_auth_proxies: Vec<IpNet>,
    /// Whose X-Forwarded-For counts on the public listener.
    pub(crate) public_proxies: Vec<IpNet>,
    pub(crate) audiences: Vec<Audience>,
    pub(crate) routes: Vec<Route>,
    /// What the pages look like.
    pub(crate) look: Look,
    /// What the pages say.
    pub(crate) texts: Arc<Texts>,
    /// Whether strangers may make accounts.
    pub(crate) registration: raw::Registration,
    /// Whether owners may change their identifiers.
    pub(crate) identifier_change: bool,
    /// What weakens a gate: logged at start, shown by readyz and `config show`.
    pub(crate) dangers: Vec<Danger>,
    /// What `config check` says about the routes beside that: facts that are right and may surprise.
    pub(crate) notes: Vec<String>,
    /// As written, with what was derived filled in.
    pub(crate) raw: Raw,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Listen {
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    /// `None`: as many as there are.
    pub(crate) connections_per_source: Option<NonZeroU32>,
    /// Bytes a second; 0 is no floor.
    pub(crate) slowest_body: u32,
    /// The most bytes of one request's line and headers.
    pub(crate) header_block: usize,
    pub(crate) drain_notice: Duration,
}

/// Where the two installation secrets are.
#[derive(Clone, Debug)]
pub(crate) struct SecretFiles {
    pub(crate) seal_key: PathBuf,
    pub(crate) pepper: PathBuf,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PasswordRules {
    /// In code points.
    pub(crate) min_length: usize,
    pub(crate) cost: PasswordCost,
    /// What all strangers may together.
    pub(crate) guesses: Allowance,
}

/// A setting that weakens a gate.
#[derive(Clone, Debug)]
pub(crate) struct Danger {
    pub(crate) key: String,
    pub(crate) what: &'static str,
    pub(crate) lasts: Lasts,
}

/// How long a setting is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    UntilReload,
    UntilRestart,
}

impl Settings {
    /// Judges a configuration; relative paths start at `base`.
    pub(super) fn from_raw(mut raw: Raw, base: &Path) -> Result<Self, Wrong> {
        refuse_what_comes_later(&raw)?;
        let under_base = |path: &Path| base.join(path).components().collect::<PathBuf>();
        let data_dir = under_base(raw.data_dir.as_deref().unwrap_or(Path::new("vestibule-data")));
        let listen = Listen {
            public: socket("listen.public", &raw.listen.public)?,
            internal: socket("listen.internal", &raw.listen.internal)?,
            connections_per_source: NonZeroU32::new(raw.listen.connections_per_source),
            slowest_body: raw.listen.slowest_body,
            header_block: header_block(raw.listen.header_block)?,
            drain_notice: drain_notice(raw.listen.drain_notice)?,
        };
        sense::refuse_one_port(listen)?;
        let public_url = public_url(&raw, listen)?;
        let mut dangers = internal_danger(&raw, listen)?;
        if raw.danger_shared_files {
            dangers.push(Danger {
                key: "danger_shared_files".into(),
                what: "other accounts on this machine may read or replace the secrets and the database",
                lasts: Lasts::UntilRestart,
            });
        }
        let in_data = |configured: &Option<PathBuf>, default: &str| match configured {
            Some(path) => under_base(path),
            None => data_dir.join(default),
        };
        let secrets = SecretFiles {
            seal_key: in_data(&raw.secrets.seal_key_file, "seal.key"),
            pepper: in_data(&raw.secrets.pepper_file, "pepper.key"),
        };
        let store = match raw.store.url.as_deref() {
            Some(url) => {
                StoreUrl::parse(url, base).map_err(|cause| Wrong::new("store.url", cause.to_string()))?
            }
            None => StoreUrl::Sqlite(data_dir.join("vestibule.db")),
        };
        let https = if public_url.is_https() { Https::Yes } else { Https::No };
        let cookie_of = |name: fn(&str, Https) -> Result<CookieName, NotACookieName>| {
            name(&raw.sessions.cookie, https)
                .map_err(|cause| Wrong::new("sessions.cookie", cause.to_string()))
        };
        let session_cookie = cookie_of(CookieName::session)?;
        let device_cookie = cookie_of(CookieName::device)?;
        let pre_session_cookie = cookie_of(CookieName::pre_session)?;
        let traits_schema = accounts::traits_schema(&raw.accounts, base)?;
        let token_cookies = TokenCookies {
            access: cookie_of(CookieName::access)?,
            refresh: cookie_of(CookieName::refresh)?,
            are_given: raw.tokens.cookies,
        };
        let tokens = tokens::settings(&raw.tokens)?;
        let audiences = routes::audiences(&raw.audience, &public_url, base, tokens.largest_jwt)?;
        let paths = prefix::paths(&raw.paths)?;
        let routes = routes::routes(&raw.route, &audiences, &paths, listen)?;
        let audiences = routes::copied(audiences, &routes)?;
        if !token_cookies.are_given {
            routes::refuse_token_cookies(&routes)?;
        }
        sense::refuse_unreachable_hosts(&routes, &public_url)?;
        dangers.extend(csrf_dangers(&routes));
        let notes = self::paths::notes(&routes).into_iter().chain(headers::notes(&routes)).collect();
        let look = theme::look(&raw.theme, base)?;
        let texts = texts::texts(&raw.texts, base)?;

        let identifier_change = accounts::identifier_change(&raw.accounts, raw.registration);
        raw.accounts.identifier_change = Some(identifier_change);
        raw.public_url = Some(public_url.as_str().to_owned());
        raw.data_dir = Some(data_dir.clone());
        raw.store.url = Some(store.to_string());
        raw.secrets.seal_key_file = Some(secrets.seal_key.clone());
        raw.secrets.pepper_file = Some(secrets.pepper.clone());
        Ok(Self {
            session_limits: sessions::limits(&raw.sessions)?,
            remember: sessions::remember(&raw.sessions.remember)?,
            session_cap: sessions::cap(raw.sessions.max_per_account),
            step_up: sessions::step_up(&raw.sessions)?,
            clears_storage: raw.sessions.clear_storage,
            hsts: hsts(&raw.hsts, https),
            passwords: password_rules(&raw.passwords)?,
            algorithm: algorithm(&raw.tokens.algorithm)?,
            tokens,
            rotate_every: at_least("keys.rotate_every", raw.keys.rotate_every, Span::hours(1))?,
            publish_ahead: publish_ahead(&raw.keys)?,
            forward_auth_proxies: networks(
                "trusted_proxies.forward_auth",
                &raw.trusted_proxies.forward_auth,
            )?,
            public_proxies: networks("trusted_proxies.public", &raw.trusted_proxies.public)?,
            data_dir,
            shared_files: raw.danger_shared_files,
            public_url,
            paths,
            listen,
            secrets,
            store,
            session_cookie,
            pre_session_cookie,
            device_cookie,
            token_cookies,
            traits_schema,
            audiences,
            routes,
            look,
            texts,
            registration: raw.registration,
            identifier_change,
            dangers,
            notes,
            raw,
        })
    }

    /// Where commands reach a running server.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.data_dir.join("control.sock")
    }
}

/// Keys of features that are not there yet are known by name, so that nobody believes they do something.
fn refuse_what_comes_later(raw: &Raw) -> Result<(), Wrong> {
    let later = |key: &str, what: &str| {
        Err(Wrong::new(key, format!("{what} is not available yet; leave this key out")))
    };
    if raw.listen.tls.is_some() {
        return later("listen.tls", "TLS on the listeners (let a proxy in front speak TLS)");
    }
    if raw.store.sessions != "same" {
        return later("store.sessions", "a second store for sessions");
    }
    Ok(())
}

fn socket(key: &str, text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        Wrong::new(
            key,
            format!(
                "{text:?} is not an address with a port; write it like \"127.0.0.1:8080\" or \"[::1]:8080\""
            ),
        )
    })
}

/// Longer than a minute or two no balancer takes; a slip that keeps a server from ending is worse than none.
fn drain_notice(notice: Span) -> Result<Duration, Wrong> {
    let longest = Span::minutes(5);
    if notice.duration() > longest.duration() {
        return Err(Wrong::new(
            "listen.drain_notice",
            format!("{notice} is too long; {longest} is the most"),
        ));
    }
    Ok(notice.duration())
}

/// As much as browsers send in earnest, and no more than ten thousand connections can hold at once.
const HEADER_BLOCK: std::ops::RangeInclusive<u32> = 16 * 1024..=128 * 1024;

fn header_block(bytes: u32) -> Result<usize, Wrong> {
    if !HEADER_BLOCK.contains(&bytes) {
        let what =
            format!("{bytes} is out of range; {} to {} bytes", HEADER_BLOCK.start(), HEADER_BLOCK.end());
        return Err(Wrong::new("listen.header_block", what));
    }
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn public_url(raw: &Raw, listen: Listen) -> Result<Origin, Wrong> {
    let wrong = |what: String| Wrong::new("public_url", what);
    let Some(text) = &raw.public_url else {
        if !listen.public.ip().is_loopback() {
            let what = "is missing: beyond loopback browsers need an https origin; write it like \"https://app.example.com\"";
            return Err(wrong(what.into()));
        }
        if listen.public.port() == 0 {
            let what = "is missing: the system chooses the port of `listen.public`, so browsers' origin is not known from it";
            return Err(wrong(what.into()));
        }
        return Origin::parse(&format!("http://{}", listen.public)).map_err(|it| wrong(it.to_string()));
    };
    let url = Origin::parse(text.strip_suffix('/').unwrap_or(text))
        .map_err(|cause| wrong(format!("{text:?} is {cause}")))?;
    if url.is_https() {
        return Ok(url);
    }
    if !is_loopback(url.host()) {
        return Err(wrong(format!(
            "{text:?}: http:// is for loopback alone; everywhere else it is https://"
        )));
    }
    if !listen.public.ip().is_loopback() {
        let what = format!("{text:?}: with an http:// origin `listen.public` must be a loopback address");
        return Err(wrong(what));
    }
    Ok(url)
}

/// Names that browsers keep on this machine (RFC 6761 section 6.3), and loopback addresses.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|it| it.is_loopback())
}

fn internal_danger(raw: &Raw, listen: Listen) -> Result<Vec<Danger>, Wrong> {
    let key = "listen.danger_internal_beyond_loopback";
    match (listen.internal.ip().is_loopback(), raw.listen.danger_internal_beyond_loopback) {
        (true, _) => Ok(Vec::new()),
        (false, true) => Ok(vec![Danger {
            key: key.into(),
            what: "the internal listener can be reached from beyond this machine",
            lasts: Lasts::UntilRestart,
        }]),
        (false, false) => {
            let what = format!(
                "{:?} is beyond loopback: whoever reaches it can ask for decisions and metrics; bind it to loopback, or set `{key} = true` behind a firewall",
                raw.listen.internal
            );
            Err(Wrong::new("listen.internal", what))
        }
    }
}

fn hsts(raw: &raw::Hsts, https: Https) -> Hsts {
    let hosts = if raw.include_subdomains { Hosts::AndSubdomains } else { Hosts::This };
    match https {
        Https::No => Hsts::unsaid(),
        Https::Yes => Hsts::lasting(raw.max_age.duration(), hosts),
    }
}

fn csrf_dangers(routes: &[Route]) -> Vec<Danger> {
    let is_off = |route: &&Route| {
        // A public route without an audience tells its service of nobody: there is no name to act in.
        let tells_who = matches!(route.requirement, Requirement::SignedIn(_)) || route.audience.is_some();
        route.csrf == CsrfPolicy::Off && tells_who
    };
    let off = routes.iter().filter(is_off);
    off.map(|route| Danger {
        key: format!("route {} csrf = \"off\"", route.path.as_str()),
        what: "other sites' pages can act there in the name of whoever is signed in",
        lasts: Lasts::UntilReload,
    })
    .collect()
}

fn at_least(key: &str, span: Span, least: Span) -> Result<Duration, Wrong> {
    if span.duration() < least.duration() {
        return Err(Wrong::new(key, format!("{span} is too short; {least} is the least")));
    }
    Ok(span.duration())
}

fn publish_ahead(raw: &raw::Keys) -> Result<Duration, Wrong> {
    if raw.publish_ahead.duration() >= raw.rotate_every.duration() {
        let what = format!(
            "{} is not shorter than `keys.rotate_every` ({}): a key would be replaced before it signs",
            raw.publish_ahead, raw.rotate_every
        );
        return Err(Wrong::new("keys.publish_ahead", what));
    }
    // Verifiers keep key sets for minutes; less would be a rotation that some of them miss.
    at_least("keys.publish_ahead", raw.publish_ahead, Span::minutes(10))
}

fn password_rules(raw: &raw::Passwords) -> Result<PasswordRules, Wrong> {
    if !(15..=64).contains(&raw.min_length) {
        let what = format!(
            "{} is out of range: 15 is the least while the password is the only factor, and 64 is the most",
            raw.min_length
        );
        return Err(Wrong::new("passwords.min_length", what));
    }
    let cost = PasswordCost::new(raw.memory_kib, raw.iterations, raw.lanes)
        .map_err(|cause| Wrong::new("passwords", cause.to_string()))?;
    if !(60..=60_000).contains(&raw.guesses_per_minute) {
        let what = format!(
            "{} is out of range: fewer than 60 would keep people waiting who mistype, more than 60000 is no limit",
            raw.guesses_per_minute
        );
        return Err(Wrong::new("passwords.guesses_per_minute", what));
    }
    let guesses = Allowance::per_minute(raw.guesses_per_minute);
    Ok(PasswordRules { min_length: raw.min_length, cost, guesses })
}

fn algorithm(name: &str) -> Result<Algorithm, Wrong> {
    match Algorithm::parse(name).filter(|it| !it.is_symmetric()) {
        Some(algorithm) => Ok(algorithm),
        None => {
            let what = format!("{name:?} does not sign here; choose ES256, EdDSA, RS256 or PS256");
            Err(Wrong::new("tokens.algorithm", what))
        }
    }
}

/// Peers are compared as what they are: an IPv4 address that came over an IPv6 socket is an IPv4 address (RFC 4291 section 2.5.5.2),
/// and so is a network of such.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let (Some(address), Some(prefix)) = (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(96))
    else {
        return network;
    };
    Ipv4Net::new(address, prefix).map_or(network, IpNet::V4)
}

fn networks(key: &str, texts: &[String]) -> Result<Vec<IpNet>, Wrong> {
    let parse = |(index, text): (usize, &String)| {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let wrong = |what| Wrong::new(format!("{key}[{index}]"), what);
        match network {
            Ok(everyone) if unmapped(everyone).prefix_len() == 0 => Err(wrong(format!(
                "{text:?} is everyone: then every client could say what a proxy says; name the proxies themselves"
            ))),
            Ok(network) => Ok(unmapped(network)),
            Err(_) => Err(wrong(format!(
                "{text:?} is not a network; write it like \"10.0.0.0/8\" or \"192.0.2.7/32\""
            ))),
        }
    };
    texts.iter().enumerate().map(parse).collect()
}
