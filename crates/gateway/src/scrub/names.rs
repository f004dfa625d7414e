//! Names that are not a client's to use, under every alias: servers that hand headers on as variables fold case, `-`, `_` and
//! `.` into one (RFC 3875 section 4.1.18), so they are one here too.

/// Headers by which a service could be told who asks, or what was asked, by someone else than us.
const PROTECTED: [&[u8]; 11] = [
    b"authorization",
    b"cf-connecting-ip",
    b"client-ip",
    b"forwarded",
    b"true-client-ip",
    b"txn-token",
    b"x-cluster-client-ip",
    b"x-csrf-token",
    b"x-host",
    b"x-method-override",
    b"x-real-ip",
];

/// The same, by what their names begin with.
const FAMILIES: [&[u8]; 22] = [
    b"cf-access-",
    b"client-cert",
    b"impersonate-",
    b"remote-",
    b"ssl-client",
    b"x-amzn-oidc-",
    b"x-auth",
    b"x-client-",
    b"x-consumer-",
    b"x-credential-",
    b"x-envoy-",
    b"x-forwarded",
    b"x-goog-authenticated-",
    b"x-http-",
    b"x-ms-",
    b"x-original-",
    b"x-pomerium-",
    b"x-remote-",
    b"x-rewrite-",
    b"x-ssl-",
    b"x-user",
    b"x-webauth-",
];

/// What a service must not send a client: the headers of ours that hold or name an identity.
const IDENTITY: &[u8] = b"x-auth";

/// Headers that the next hop must see as they came, beside the protected ones.
const KEPT: [&[u8]; 5] = [b"content-length", b"content-type", b"cookie", b"host", b"origin"];

pub(super) fn is_protected(name: &[u8]) -> bool {
    PROTECTED.iter().any(|protected| alike(protected, name))
        || FAMILIES.iter().any(|family| begins(name, family))
}

pub(super) fn is_identity(name: &[u8]) -> bool {
    begins(name, IDENTITY) || alike(b"authorization", name)
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
