//! Names that are not a client's to use, under every alias: servers that hand headers on as variables fold case, `-`, `_` and
//! `.` into one (RFC 3875 section 4.1.18), so they are one here too.

/// Headers by which a service could be told who asks, or what was asked, by someone else than us. Other proxies in front of a
/// service take the same ones off: what their configurations in `examples/` are held to.
pub const PROTECTED: [&str; 11] = [
    "authorization",
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "true-client-ip",
    "txn-token",
    "x-cluster-client-ip",
    "x-csrf-token",
    "x-host",
    "x-method-override",
    "x-real-ip",
];

/// The same, by what their names begin with.
pub const FAMILIES: [&str; 23] = [
    "cf-access-",
    "client-cert",
    "impersonate-",
    "remote-",
    "ssl-client",
    "x-amzn-oidc-",
    "x-auth",
    "x-client-",
    "x-consumer-",
    "x-credential-",
    "x-envoy-",
    "x-forwarded",
    "x-goog-authenticated-",
    "x-goog-iap-",
    "x-http-",
    "x-ms-",
    "x-original-",
    "x-pomerium-",
    "x-remote-",
    "x-rewrite-",
    "x-ssl-",
    "x-user",
    "x-webauth-",
];

/// What a service must not send a client: the headers of ours that hold or name an identity.
const IDENTITY: &[u8] = b"x-auth";

/// What a service must not send on: these make a server in front (nginx, lighttpd, Apache, H2O) fetch the answer from an address or a
/// file for which no decision was made.
const INTERNAL_REDIRECTS: [&[u8]; 4] =
    [b"x-accel-redirect", b"x-lighttpd-send-file", b"x-reproxy-url", b"x-sendfile"];

/// Headers that the next hop must see as they came, beside the protected ones.
const KEPT: [&[u8]; 5] = [b"content-length", b"content-type", b"cookie", b"host", b"origin"];

pub(super) fn is_protected(name: &[u8]) -> bool {
    PROTECTED.iter().any(|protected| alike(protected.as_bytes(), name))
        || FAMILIES.iter().any(|family| begins(name, family.as_bytes()))
}

pub(super) fn is_identity(name: &[u8]) -> bool {
    begins(name, IDENTITY) || alike(b"authorization", name)
}

pub(super) fn is_internal_redirect(name: &[u8]) -> bool {
    INTERNAL_REDIRECTS.iter().any(|redirect| alike(redirect, name))
}

pub(super) fn is_kept(name: &[u8]) -> bool {
    KEPT.iter().any(|kept| alike(kept, name))
}

/// Whether a name is letters, digits and hyphens. Others are aliases waiting to happen, whatever they stand for today.
pub(super) fn is_plain(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether these bytes can name a header at all: a token (RFC 9110 section 5.6.2).
pub(super) fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Whether two names are aliases of each other.
pub(super) fn alike(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && begins(one, other)
}

pub(super) fn begins(name: &[u8], with: &[u8]) -> bool {
    name.len() >= with.len() && name.iter().zip(with).all(|(one, other)| fold(*one) == fold(*other))
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}
