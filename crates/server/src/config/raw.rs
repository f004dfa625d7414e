//! The configuration as it is written: TOML, key for key. In: the file and the environment. Out: the same, typed, unknown keys
//! refused; what it means together is [`super::settings`]'s business. Also the source of `vestibule config schema`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::span::Span;

mod defaults;
mod paths;
mod words;

use defaults::{
    default_accept, default_ambiguous_path, default_assertion_header, default_case, default_csrf,
    default_headers_encoding, default_lifetime, default_require,
};
pub(crate) use paths::Paths;

/// All that can be configured. Every key is optional; an empty file is valid.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Vestibule configuration")]
pub(crate) struct Raw {
    /// Database, keys, pepper and control socket; made with mode 0700. Others may put nothing into it. Default: `vestibule-data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Takes `data_dir`, the database and the secrets although other accounts on this machine can read or write them: for file systems
    /// that have no modes.
    pub(crate) danger_shared_files: bool,
    /// The origin that browsers see. http:// only on loopback. Default: http:// and `listen.public`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_url: Option<String>,
    /// Who may make an account: "closed" (operators alone) or "open" (everybody; nobody proves that an address is theirs).
    pub(crate) registration: Registration,
    pub(crate) accounts: Accounts,
    pub(crate) listen: Listen,
    pub(crate) secrets: Secrets,
    pub(crate) store: Store,
    pub(crate) sessions: Sessions,
    pub(crate) passwords: Passwords,
    pub(crate) tokens: Tokens,
    pub(crate) keys: Keys,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) paths: Paths,
    pub(crate) hsts: Hsts,
    pub(crate) theme: Theme,
    pub(crate) texts: Texts,
    /// Services that get JWTs.
    pub(crate) audience: Vec<Audience>,
    /// Which requests go where; none means that everything is denied.
    pub(crate) route: Vec<Route>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Registration {
    #[default]
    Closed,
    Open,
}

/// What accounts hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Accounts {
    /// A JSON Schema (2020-12) that traits are held to when an operator adds, sets or imports them; accounts that are there stay as they
    /// are. `$ref` leads to places in the file itself alone. Relative to this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traits_schema_file: Option<PathBuf>,
    /// Whether owners may change what they sign in by, on the account page and by the API. Default: true where `registration` is "open".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identifier_change: Option<bool>,
}

/// Where Vestibule listens, and how long it waits for clients.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    /// Pages, JSON API, JWKS, built-in gateway.
    pub(crate) public: String,
    /// /check, metrics, health: never to be reached by browsers.
    pub(crate) internal: String,
    /// Lets `internal` listen beyond loopback: whoever reaches it can ask for decisions.
    pub(crate) danger_internal_beyond_loopback: bool,
    /// Connections that one source may have to `public` at once: an IPv4 address or an IPv6 /64. This machine and
    /// `trusted_proxies.public` may have any number. 0 is no limit.
    pub(crate) connections_per_source: u32,
    /// Bytes a second below which a client's connection is closed while it sends a body through the built-in gateway (averaged over
    /// 30 seconds of waiting for it) or takes an answer (over a minute). 0 is no floor.
    pub(crate) slowest_body: u32,
    /// Bytes that the request line and the headers of one request may take together on `public`, and that a proxy may show of one on
    /// `internal`: 16384 to 131072. Most of it are cookies, also those of other programs on the host. More is answered 431, with a page that
    /// says so to browsers. Give the proxy in front buffers as large.
    pub(crate) header_block: u32,
    /// For how long after SIGTERM /readyz says 503 before `public` takes no more requests: 5m at most.
    pub(crate) drain_notice: Span,
    /// Comes later; put a TLS proxy in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,
}

/// TLS on the public listener.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// The certificate chain, in PEM.
    pub(crate) cert_file: PathBuf,
    /// Its private key, in PEM.
    pub(crate) key_file: PathBuf,
}

/// Files of 32 random bytes each, as one line of base64url. `vestibule init` makes them with mode 0600, or the first start. Files of
/// root's may be open to a group of this program's (0440); on a read-only file system in memory, any mode is taken.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Secrets {
    /// Seals the signing keys in the store. Default: `seal.key` in `data_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seal_key_file: Option<PathBuf>,
    /// What session tokens are digested under. Default: `pepper.key` in `data_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pepper_file: Option<PathBuf>,
}

/// Where accounts, sessions and signing keys are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// Where accounts, sessions and signing keys are: "sqlite:PATH". Default: `vestibule.db` in `data_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Where sessions are: "same" is the same store.
    #[schemars(with = "words::Sessions")]
    pub(crate) sessions: String,
}

/// How long people stay signed in.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sessions {
    /// The session cookie's name: sent as __Host-Http-NAME over https, as NAME on an http loopback origin.
    pub(crate) cookie: String,
    /// How long a session may lie unused.
    pub(crate) idle: Span,
    /// How long it lives at most, used or not.
    pub(crate) absolute: Span,
    pub(crate) remember: Remember,
    /// How many one account may have at once; opening one more ends the oldest. 0 is no cap.
    pub(crate) max_per_account: u32,
    /// For how long after a password was shown an account may be changed without showing it again.
    pub(crate) step_up: Span,
    /// Whether signing out has the browser empty the storage of the origin (localStorage, IndexedDB, service workers), which is
    /// the application's, too.
    pub(crate) clear_storage: bool,
}

/// Sessions that outlive the browser, for whoever asks for it when signing in: weaker ones, with limits of their own.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Remember {
    /// Whether a login may ask to be remembered. Turning it off ends no session that is open.
    pub(crate) enabled: bool,
    /// How long such a session may lie unused.
    pub(crate) idle: Span,
    /// How long it lives at most.
    pub(crate) absolute: Span,
}

/// What a password must be, what hashing one by Argon2id costs, and how often strangers may guess. A login hashes at the cost of its
/// day; an older hash is made anew.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Passwords {
    /// The fewest characters (code points) of a password; 15 is the least where it is the only factor.
    pub(crate) min_length: usize,
    /// Memory of one hash, in KiB: 19456 to 4194304.
    pub(crate) memory_kib: u32,
    /// Passes over that memory: 2 to 64.
    pub(crate) iterations: u32,
    /// Lanes of that memory: 1 to 16.
    pub(crate) lanes: u32,
    /// How many failed attempts a minute all strangers may make together, beyond one from each source: 60 to 60000. Three times as
    /// many at once.
    pub(crate) guesses_per_minute: u32,
}

/// What is signed, and how long the tokens live that clients sign in for with `mode` "token".
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tokens {
    /// How long an access token lives: 1m to 1h.
    pub(crate) access: Span,
    pub(crate) refresh: Refresh,
    /// What services' JWTs are signed with: ES256, EdDSA, RS256 or PS256.
    #[schemars(with = "words::Algorithm")]
    pub(crate) algorithm: String,
    /// The most bytes of a JWT for a service: 2048 to 8192. With the plain copies of its claims (`headers` of a route) it takes 2048
    /// bytes more at most. Where its audience's own claims would make either larger, they are dropped from the largest down, constants
    /// excepted.
    pub(crate) largest_jwt: u32,
    /// Whether browsers may have their tokens in HttpOnly cookies; routes that take them say so in `accept`.
    pub(crate) cookies: bool,
}

/// Refresh tokens.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Refresh {
    /// How long one may lie unused.
    pub(crate) idle: Span,
    /// How long its family lives at most.
    pub(crate) absolute: Span,
    /// For how long a used one is taken for a retry, and not for a theft: 0s (the strict profile) to 1m.
    pub(crate) replay_window: Span,
}

/// How often signing keys are replaced.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    /// How long one key signs.
    pub(crate) rotate_every: Span,
    /// How long a new key is published before it signs.
    pub(crate) publish_ahead: Span,
}

/// Whose forwarding headers are believed.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TrustedProxies {
    /// Who may ask /check: addresses and networks, like "10.0.0.0/8".
    pub(crate) forward_auth: Vec<String>,
    /// Whose X-Forwarded-For tells the client's address on the public listener.
    pub(crate) public: Vec<String>,
}

/// `Strict-Transport-Security` (RFC 6797) on the answers of Vestibule itself, where `public_url` is https: browsers then come by https
/// alone.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Hsts {
    /// For how long after the last answer browsers keep to https. "0s" sends no such header.
    pub(crate) max_age: Span,
    /// Whether that also binds every host below the one of `public_url`.
    pub(crate) include_subdomains: bool,
}

/// How the pages look.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Theme {
    /// What the pages call this place: 1 to 60 characters.
    pub(crate) name: String,
    /// "#rrggbb": the colour of buttons. Darker and lighter shades of it are made so that all can be read, by day and by night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accent: Option<String>,
    /// SVG, PNG, WebP or JPEG, 128 KiB at most; shown beside the name and as the icon of the tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo_file: Option<PathBuf>,
    /// Whether the logo says the name by itself (a wordmark): the name is not written beside it then.
    pub(crate) logo_alone: bool,
    /// Where the application is, for the name on top of every page and for "Back" on error pages: a path, or an http or https URL.
    pub(crate) home_url: String,
    /// Links below every page.
    pub(crate) links: Links,
}

/// Links below every page: paths, or http or https URLs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Links {
    /// Help, or whom to ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
    /// The imprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) imprint: Option<String>,
    /// The privacy notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) privacy: Option<String>,
}

/// What the pages say, and in which languages. English and German are built in; a browser's `Accept-Language` chooses.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Texts {
    /// The language for browsers that ask for none of those that are there: a language tag, such as "de".
    pub(crate) default_language: String,
    /// A folder of your own texts, one file per language, named like "fr.ftl" or "pt-BR.ftl" (Project Fluent): single texts that replace
    /// the built-in ones, or a language more. A text that a file lacks is the built-in one, in English at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
}

/// A service that gets JWTs of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audience {
    /// The `aud` claim.
    pub(crate) name: String,
    /// How long its JWTs live: 1s to 300s, and never beyond the session's end.
    #[serde(default = "default_lifetime")]
    pub(crate) lifetime: Span,
    /// What its JWTs say beside the standard claims: claim name to source, "account.identifier" or "account.traits.NAME" (NAME.NAME for
    /// what is nested), or to a constant, { value = … }.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, Claim>,
    /// A public key of its service, as a JWK: its JWTs are signed, and then encrypted to it, so that nobody on the way reads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encrypt_to_file: Option<PathBuf>,
    /// How they are encrypted: "A256GCM", "A128GCM" or "A256CBC-HS512". Default: "A256GCM".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<words::Encryption>")]
    pub(crate) encrypt_with: Option<String>,
}

/// Which requests go to which service, and who may make them.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// Which host, without port. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// Which path: this one and the same with a / added; or, when it ends in /, all that begin with it and the same without that /
    /// (`/orders/` covers `/orders`, too).
    pub(crate) path: String,
    /// What happens to other spellings of the path, which a service may take for it: other case, trailing dots or spaces, full-width
    /// letters. "fold": the stricter of both routes decides; "sensitive": the service tells them apart.
    #[serde(default = "default_case")]
    #[schemars(with = "words::Case")]
    pub(crate) case: String,
    /// What happens to paths that programs read in different ways (`//`, `;`, `%2F`, `%2525`): "refuse", or "pass" for a prefix with no
    /// other route below it. Dot segments, backslashes and control characters are always refused.
    #[serde(default = "default_ambiguous_path")]
    #[schemars(with = "words::AmbiguousPath")]
    pub(crate) ambiguous_path: String,
    /// Which methods. Default: all.
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    /// Who may pass: "signed-in" or "public".
    #[serde(default = "default_require")]
    #[schemars(with = "words::Require")]
    pub(crate) require: String,
    /// Which credentials it takes: "session-cookie", "session-header", "token-header"; and "token-cookie", where `tokens.cookies` is true.
    #[serde(default = "default_accept")]
    #[schemars(with = "Vec<words::Accept>")]
    pub(crate) accept: Vec<String>,
    /// The `name` of the audience that its service is; needed unless public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    /// What an unsafe request by cookie must show: "token", "origin" (for services with a token of their own) or "off". Where it is not
    /// "token", the client's X-CSRF-Token header goes to the service.
    #[serde(default = "default_csrf")]
    #[schemars(with = "words::Csrf")]
    pub(crate) csrf: String,
    /// For what pages ask by themselves (polling, heartbeats): such requests do not keep a session from ending unused.
    #[serde(default)]
    pub(crate) background: bool,
    /// The header in which the service gets its JWT. Where it is not "authorization" and `accept` names no header, the client's own
    /// Authorization header goes to the service.
    #[serde(default = "default_assertion_header")]
    pub(crate) assertion_header: String,
    /// Plain copies of claims, always sent, empty when missing: header name to claim name. A name that has a meaning of its own, like
    /// "set-cookie" or "x-forwarded-for", is refused.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// How these copies say what is not visible ASCII: "drop" (the header is then empty, and the log says so once), "percent" (all but
    /// visible ASCII is %XX of its UTF-8, and so are % and +), "utf-8" (as it is).
    #[serde(default = "default_headers_encoding")]
    #[schemars(with = "words::HeadersEncoding")]
    pub(crate) headers_encoding: String,
    /// Headers of the client that the built-in gateway passes although it takes others of their kind off, like "x-ms-version" or
    /// "x-http-method-override".
    #[serde(default)]
    pub(crate) pass_headers: Vec<String>,
    /// Where the built-in gateway sends it: http://host:port. Vestibule's own listeners are refused; names other than localhost are not
    /// resolved for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upstream: Option<String>,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            public: "127.0.0.1:8080".into(),
            internal: "127.0.0.1:8081".into(),
            danger_internal_beyond_loopback: false,
            connections_per_source: 256,
            slowest_body: 240,
            header_block: 32 * 1024,
            drain_notice: Span::seconds(0),
            tls: None,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { url: None, sessions: "same".into() }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            cookie: "vestibule".into(),
            idle: Span::minutes(30),
            absolute: Span::hours(12),
            remember: Remember::default(),
            max_per_account: 100,
            step_up: Span::minutes(10),
            clear_storage: false,
        }
    }
}

impl Default for Remember {
    fn default() -> Self {
        Self { enabled: false, idle: Span::days(7), absolute: Span::days(30) }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self { min_length: 15, memory_kib: 19_456, iterations: 2, lanes: 1, guesses_per_minute: 300 }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            access: Span::minutes(10),
            refresh: Refresh::default(),
            algorithm: "ES256".into(),
            largest_jwt: 4096,
            cookies: false,
        }
    }
}

impl Default for Refresh {
    fn default() -> Self {
        Self { idle: Span::days(14), absolute: Span::days(30), replay_window: Span::seconds(10) }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { rotate_every: Span::days(30), publish_ahead: Span::hours(24) }
    }
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self { forward_auth: vec!["127.0.0.1/32".into()], public: Vec::new() }
    }
}

impl Default for Hsts {
    fn default() -> Self {
        Self { max_age: Span::days(365), include_subdomains: false }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            name: "Vestibule".into(),
            accent: None,
            logo_file: None,
            logo_alone: false,
            home_url: "/".into(),
            links: Links::default(),
        }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self { default_language: "en".into(), folder: None }
    }
}
