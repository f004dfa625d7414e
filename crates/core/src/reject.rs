//! *No*, as a value: why a credential or request is refused. Each has a stable code for logs, metrics and `explain`;
//! what the outside is told is chosen at the edge and says less.

/// Why the answer is no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// Our cookie's name came twice, or a look-alike of it came (cookie tossing, RFC 6265bis section 8.6).
    AmbiguousCookie,
    /// The path could mean different things to different programs (RFC 3986 section 6).
    AmbiguousPath,
    /// The request as the proxy describes it is contradictory or incomplete.
    AmbiguousTarget,
    /// A route does not take this kind of credential, or not over this transport.
    CredentialNotAccepted,
    /// An unsafe request came from another origin, or did not say where from.
    CsrfOrigin,
    /// An unsafe request carried no CSRF token, or one that is not valid for this session.
    CsrfToken,
    /// A JWT was refused by the verifier, and why.
    Jwt(vestibule_verify::Reject),
    /// A credential is not in the form that we issue; nothing was looked up.
    MalformedCredential,
    /// The request carries no credential.
    NoCredential,
    /// No route covers this host, path and method.
    NoRoute,
    /// A refresh token was used a moment ago, and so was the one after it.
    RefreshTokenUsed,
    /// The session token of a remembered session is due to be replaced: the login page does so and sends back.
    RotationDue,
    /// The absolute limit of the session has passed.
    SessionEnded,
    /// The session was not used for longer than its idle limit.
    SessionIdle,
    /// The request carries two credentials; we do not pick one.
    TwoCredentials,
    /// An `Authorization` scheme that is not ours.
    UnknownScheme,
    /// A session token that we did not issue, or whose session has ended.
    UnknownSession,
    /// Identity or forwarding headers from a peer that is not a configured proxy.
    UntrustedPeer,
    /// The connection would become something that nobody looks into: an upgrade to another protocol than a WebSocket.
    Upgrade,
}

impl Reject {
    /// The stable code: log field, metric label, problem `code`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AmbiguousCookie => "cookie-ambiguous",
            Self::AmbiguousPath => "path-ambiguous",
            Self::AmbiguousTarget => "target-ambiguous",
            Self::CredentialNotAccepted => "credential-not-accepted",
            // The contract gives both CSRF layers one public code; `detail` tells them apart.
            Self::CsrfOrigin | Self::CsrfToken => "csrf",
            Self::Jwt(_) => "jwt",
            Self::MalformedCredential => "credential-malformed",
            Self::NoCredential => "no-credential",
            Self::NoRoute => "no-route",
            Self::RefreshTokenUsed => "refresh-token-used",
            Self::RotationDue => "rotation-due",
            Self::SessionEnded => "session-ended",
            Self::SessionIdle => "session-idle",
            Self::TwoCredentials => "two-credentials",
            Self::UnknownScheme => "scheme-unknown",
            Self::UnknownSession => "session-unknown",
            Self::UntrustedPeer => "peer-untrusted",
            Self::Upgrade => "upgrade",
        }
    }

    /// The code with its finer cause, for logs and `explain` (never for the public answer).
    pub fn detail(self) -> &'static str {
        match self {
            Self::CsrfOrigin => "csrf-origin",
            Self::CsrfToken => "csrf-token",
            Self::Jwt(cause) => cause.code(),
            other => other.code(),
        }
    }

    /// Whether signing in (again) could turn this no into a yes.
    pub const fn asks_for_login(self) -> bool {
        matches!(
            self,
            Self::AmbiguousCookie
                | Self::CredentialNotAccepted
                | Self::Jwt(_)
                | Self::MalformedCredential
                | Self::NoCredential
                | Self::RotationDue
                | Self::SessionEnded
                | Self::SessionIdle
                | Self::UnknownScheme
                | Self::UnknownSession
        )
    }
}
