//! What an operator must be able to see: security events and faults, logged once, here. In: ids, addresses and codes.
//! Out: log lines under `vestibule::event` (what people did), `vestibule::refusal` (what somebody tried) and `vestibule::fault`, and
//! counters. No function here takes a text that a client wrote.

use std::net::IpAddr;
use std::sync::LazyLock;

use metrics::Counter;
use vestibule_core::client_auth::NotKnown;
use vestibule_core::exchange::NotExchanged;
use vestibule_core::id::{ClientId, SessionId, Subject};
use vestibule_core::login::LoginTarget;
use vestibule_core::port::FaultLog;
use vestibule_core::problem::Incident;
use vestibule_core::session::Session;
use vestibule_core::{Fault, Reject};

use crate::Portal;

/// The counters of the pages and the API: name and meaning.
pub const METRICS: [(&str, &str); 9] = [
    (LOGINS, "Attempts to sign in or to confirm a password: succeeded, confirmed, refused, throttled, fault"),
    (LOGOUTS, "Sessions ended by their holders"),
    (CSRF_REFUSED, "Requests refused because another site may have caused them"),
    (REGISTRATIONS, "Attempts to register: succeeded, taken, throttled"),
    (CLIENTS, "Clients that showed a proof: succeeded, refused, throttled, fault"),
    (CLIENT_JWTS, "JWTs issued to clients that act for themselves"),
    (EXCHANGES, "Tokens of subjects that clients traded: succeeded, refused, fault"),
    (INTROSPECTIONS, "Tokens that resource servers asked about: active, inactive, throttled, fault"),
    (REFRESHES, "Refresh tokens presented: succeeded, refused, replayed, fault"),
];

const CLIENTS: &str = "vestibule_client_proofs_total";
const CLIENT_JWTS: &str = "vestibule_client_jwts_total";
const EXCHANGES: &str = "vestibule_exchanges_total";
const INTROSPECTIONS: &str = "vestibule_introspections_total";
const LOGINS: &str = "vestibule_logins_total";
const LOGOUTS: &str = "vestibule_logouts_total";
const CSRF_REFUSED: &str = "vestibule_csrf_refused_total";
const REGISTRATIONS: &str = "vestibule_registrations_total";
const REFRESHES: &str = "vestibule_refreshes_total";

const ACTIVE: &str = "active";
const INACTIVE: &str = "inactive";
const CONFIRMED: &str = "confirmed";
const SUCCEEDED: &str = "succeeded";
const REFUSED: &str = "refused";
const TAKEN: &str = "taken";
const THROTTLED: &str = "throttled";
const FAULT: &str = "fault";
const REPLAYED: &str = "replayed";

pub(crate) fn login_succeeded(session: &Session) {
    metrics::counter!(LOGINS, "outcome" => SUCCEEDED).increment(1);
    tracing::info!(
        target: "vestibule::event",
        event = "login.succeeded",
        session.id = %session.id,
        subject = %session.subject,
        session.kind = session.kind.name(),
        source.address = session.device.address.map(display),
    );
}

/// LoginTarget the attempt was for is said by subject or digest: people type passwords into the wrong field.
pub(crate) fn login_refused(whom: LoginTarget, source: Option<IpAddr>) {
    metrics::counter!(LOGINS, "outcome" => REFUSED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "login.refused",
        subject = whom.account().map(display),
        name.digest = whom.name().map(display),
        source.address = source.map(display),
    );
}

pub(crate) fn login_throttled(whom: LoginTarget, source: Option<IpAddr>) {
    metrics::counter!(LOGINS, "outcome" => THROTTLED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "login.throttled",
        subject = whom.account().map(display),
        name.digest = whom.name().map(display),
        source.address = source.map(display),
    );
}

pub(crate) fn login_fault() {
    metrics::counter!(LOGINS, "outcome" => FAULT).increment(1);
}

pub(crate) fn logout(session: SessionId, subject: Subject, source: Option<IpAddr>) {
    metrics::counter!(LOGOUTS).increment(1);
    tracing::info!(
        target: "vestibule::event",
        event = "logout",
        session.id = %session,
        subject = %subject,
        source.address = source.map(display),
    );
}

pub(crate) fn sessions_ended(ended: &[SessionId], by: SessionId, subject: Subject, source: Option<IpAddr>) {
    for session in ended {
        tracing::info!(
            target: "vestibule::event",
            event = "session.ended",
            session.id = %session,
            by.session.id = %by,
            subject = %subject,
            source.address = source.map(display),
        );
    }
}

pub(crate) fn confirmed(session: &Session, source: Option<IpAddr>) {
    metrics::counter!(LOGINS, "outcome" => CONFIRMED).increment(1);
    tracing::info!(
        target: "vestibule::event",
        event = "login.confirmed",
        session.id = %session.id,
        subject = %session.subject,
        source.address = source.map(display),
    );
}

/// Somebody in a session did not know its account's password: perhaps it is not theirs.
pub(crate) fn confirm_refused(session: SessionId, subject: Subject, source: Option<IpAddr>) {
    metrics::counter!(LOGINS, "outcome" => REFUSED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "login.confirm-refused",
        session.id = %session,
        subject = %subject,
        source.address = source.map(display),
    );
}

pub(crate) fn password_changed(session: SessionId, subject: Subject, ended: usize, source: Option<IpAddr>) {
    tracing::info!(
        target: "vestibule::event",
        event = "account.password-changed",
        session.id = %session,
        subject = %subject,
        sessions.ended = ended,
        source.address = source.map(display),
    );
}

pub(crate) fn identifier_changed(session: SessionId, subject: Subject, source: Option<IpAddr>) {
    tracing::info!(
        target: "vestibule::event",
        event = "account.identifier-changed",
        session.id = %session,
        subject = %subject,
        source.address = source.map(display),
    );
}

/// An owner asked for an identifier that another account has: by mistake, or to find out who is there.
pub(crate) fn identifier_taken(session: SessionId, subject: Subject, source: Option<IpAddr>) {
    tracing::warn!(
        target: "vestibule::refusal",
        event = "account.identifier-taken",
        session.id = %session,
        subject = %subject,
        source.address = source.map(display),
    );
}

pub(crate) fn registered(subject: Subject, source: Option<IpAddr>) {
    metrics::counter!(REGISTRATIONS, "outcome" => SUCCEEDED).increment(1);
    tracing::info!(
        target: "vestibule::event",
        event = "account.registered",
        subject = %subject,
        source.address = source.map(display),
    );
}

pub(crate) fn refreshed() {
    metrics::counter!(REFRESHES, "outcome" => SUCCEEDED).increment(1);
}

pub(crate) fn refresh_refused(reject: Reject, source: Option<IpAddr>) {
    metrics::counter!(REFRESHES, "outcome" => REFUSED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "refresh.refused",
        reject.code = reject.detail(),
        source.address = source.map(display),
    );
}

/// A refresh token was presented that had been used up: somebody has a copy. Its session has ended.
pub(crate) fn refresh_replayed(session: SessionId, source: Option<IpAddr>) {
    metrics::counter!(REFRESHES, "outcome" => REPLAYED).increment(1);
    tracing::warn!(
        target: "vestibule::event",
        event = "refresh.replayed",
        session.id = %session,
        source.address = source.map(display),
    );
}

pub(crate) fn tokens_revoked(ended: &[SessionId], source: Option<IpAddr>) {
    for session in ended {
        metrics::counter!(LOGOUTS).increment(1);
        tracing::info!(
            target: "vestibule::event",
            event = "tokens.revoked",
            session.id = %session,
            source.address = source.map(display),
        );
    }
}

/// Once a request, and some clients make many: counted, and not told one by one.
pub(crate) fn client_known() {
    FREQUENT.clients_known.increment(1);
}

/// Once a request of somebody's: counted, and not told one by one.
pub(crate) fn introspected(is_active: bool) {
    let counter = if is_active { &FREQUENT.active } else { &FREQUENT.inactive };
    counter.increment(1);
}

/// What is counted thousands of times a second is looked up once, after the recorder is there.
struct Frequent {
    clients_known: Counter,
    active: Counter,
    inactive: Counter,
}

static FREQUENT: LazyLock<Frequent> = LazyLock::new(|| Frequent {
    clients_known: metrics::counter!(CLIENTS, "outcome" => SUCCEEDED),
    active: metrics::counter!(INTROSPECTIONS, "outcome" => ACTIVE),
    inactive: metrics::counter!(INTROSPECTIONS, "outcome" => INACTIVE),
});

/// The fault has its own line.
pub(crate) fn introspection_throttled() {
    metrics::counter!(INTROSPECTIONS, "outcome" => THROTTLED).increment(1);
}

pub(crate) fn introspection_fault() {
    metrics::counter!(INTROSPECTIONS, "outcome" => FAULT).increment(1);
}

/// LoginTarget it claimed to be is said where there is such a client.
pub(crate) fn client_refused(not_known: NotKnown, source: Option<IpAddr>) {
    metrics::counter!(CLIENTS, "outcome" => REFUSED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "client.refused",
        client.id = not_known.client.map(display),
        reject.code = not_known.why.detail(),
        source.address = source.map(display),
    );
}

/// Counted, and not told: the refusals before it were.
pub(crate) fn client_throttled() {
    metrics::counter!(CLIENTS, "outcome" => THROTTLED).increment(1);
}

pub(crate) fn client_fault() {
    metrics::counter!(CLIENTS, "outcome" => FAULT).increment(1);
}

pub(crate) fn client_token_issued(client: ClientId, audience: &str) {
    metrics::counter!(CLIENT_JWTS).increment(1);
    tracing::info!(target: "vestibule::event", event = "client.jwt-issued", client.id = %client, audience);
}

pub(crate) fn exchanged(client: ClientId, audience: &str, session: SessionId) {
    metrics::counter!(EXCHANGES, "outcome" => SUCCEEDED).increment(1);
    tracing::info!(
        target: "vestibule::event",
        event = "token.exchanged",
        client.id = %client,
        audience,
        session.id = %session,
    );
}

pub(crate) fn exchange_refused(client: ClientId, why: NotExchanged) {
    metrics::counter!(EXCHANGES, "outcome" => REFUSED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "token.not-exchanged",
        client.id = %client,
        reject.code = why.code(),
    );
}

/// The fault has its own line.
pub(crate) fn exchange_fault() {
    metrics::counter!(EXCHANGES, "outcome" => FAULT).increment(1);
}

pub(crate) fn refresh_fault() {
    metrics::counter!(REFRESHES, "outcome" => FAULT).increment(1);
}

/// Whose name it was is said by subject or digest, as with logins.
pub(crate) fn registration_taken(whom: LoginTarget, source: Option<IpAddr>) {
    metrics::counter!(REGISTRATIONS, "outcome" => TAKEN).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "registration.taken",
        subject = whom.account().map(display),
        name.digest = whom.name().map(display),
        source.address = source.map(display),
    );
}

pub(crate) fn registration_throttled(whom: LoginTarget, source: Option<IpAddr>) {
    metrics::counter!(REGISTRATIONS, "outcome" => THROTTLED).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "registration.throttled",
        subject = whom.account().map(display),
        name.digest = whom.name().map(display),
        source.address = source.map(display),
    );
}

pub(crate) fn csrf_refused(reject: Reject, source: Option<IpAddr>) {
    metrics::counter!(CSRF_REFUSED, "cause" => reject.detail()).increment(1);
    tracing::warn!(
        target: "vestibule::refusal",
        event = "csrf.refused",
        reject.code = reject.detail(),
        source.address = source.map(display),
    );
}

pub(crate) fn ambiguous_cookie(source: Option<IpAddr>) {
    tracing::warn!(
        target: "vestibule::refusal",
        event = "cookie.ambiguous",
        reject.code = Reject::AmbiguousCookie.code(),
        source.address = source.map(display),
    );
}

/// Where faults are told that changed no answer: lines of their own, without an incident, as nobody was told one.
pub struct FaultLines;

impl FaultLog for FaultLines {
    fn note(&self, undone: &'static str, fault: &Fault) {
        tracing::error!(
            target: "vestibule::fault",
            undone,
            fault.code = fault.code(),
            fault.report = fault.report(),
            "answered all the same"
        );
    }
}

/// Logs a fault with all its causes and gives it a name that may be told: whoever reports it need not tell more.
pub(crate) fn fault(portal: &Portal, fault: &Fault) -> String {
    let incident = Incident::draw(portal.entropy.as_ref());
    tracing::error!(
        target: "vestibule::fault",
        %incident,
        fault.code = fault.code(),
        fault.report = fault.report(),
        "could not answer"
    );
    incident.to_string()
}
