//! What an operator must be able to see: security events and faults, logged once, here. In: ids, addresses and codes.
//! Out: log lines under `vestibule::event` and `vestibule::fault`, and counters. No function here takes a text that a client wrote.

use std::net::IpAddr;

use data_encoding::BASE32_DNSSEC;
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::session::Session;
use vestibule_core::{Fault, Reject};

use crate::Portal;

/// The counters of the pages and the API: name and meaning.
pub const METRICS: [(&str, &str); 3] = [
    (LOGINS, "Attempts to sign in: succeeded, refused, throttled, fault"),
    (LOGOUTS, "Sessions ended by their holders"),
    (CSRF_REFUSED, "Requests refused because another site may have caused them"),
];

const LOGINS: &str = "vestibule_logins_total";
const LOGOUTS: &str = "vestibule_logouts_total";
const CSRF_REFUSED: &str = "vestibule_csrf_refused_total";

const SUCCEEDED: &str = "succeeded";
const REFUSED: &str = "refused";
const THROTTLED: &str = "throttled";
const FAULT: &str = "fault";

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

/// Whom the attempt was for is not said: people type passwords into the wrong field.
pub(crate) fn login_refused(source: Option<IpAddr>) {
    metrics::counter!(LOGINS, "outcome" => REFUSED).increment(1);
    tracing::warn!(target: "vestibule::event", event = "login.refused", source.address = source.map(display));
}

pub(crate) fn login_throttled(source: Option<IpAddr>) {
    metrics::counter!(LOGINS, "outcome" => THROTTLED).increment(1);
    tracing::warn!(target: "vestibule::event", event = "login.throttled", source.address = source.map(display));
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

pub(crate) fn csrf_refused(reject: Reject, source: Option<IpAddr>) {
    metrics::counter!(CSRF_REFUSED, "cause" => reject.detail()).increment(1);
    tracing::warn!(
        target: "vestibule::event",
        event = "csrf.refused",
        reject.code = reject.detail(),
        source.address = source.map(display),
    );
}

pub(crate) fn ambiguous_cookie(source: Option<IpAddr>) {
    tracing::warn!(
        target: "vestibule::event",
        event = "cookie.ambiguous",
        reject.code = Reject::AmbiguousCookie.code(),
        source.address = source.map(display),
    );
}

/// Logs a fault with all its causes and gives it a name that may be told: whoever reports it need not tell more.
pub(crate) fn fault(portal: &Portal, fault: &Fault) -> String {
    let mut bytes = [0; 10];
    // Without randomness there is still a log line to write; "0000000000000000" then says what else is wrong.
    let _ = portal.entropy.fill(&mut bytes);
    let incident = BASE32_DNSSEC.encode(&bytes);
    tracing::error!(
        target: "vestibule::fault",
        incident,
        fault.code = fault.code(),
        fault.report = fault.report(),
    );
    incident
}
