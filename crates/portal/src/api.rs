//! The JSON API under `/api/v1`, below the prefix. In: JSON and one credential. Out: JSON, or a problem with a stable code. No answer ever
//! grants CORS, so no other site's script can read one.

use serde::Serialize;
use vestibule_core::id::SessionId;
use vestibule_core::session::Session;

use crate::device::Device;
use crate::moment;

pub(crate) mod confirm;
pub(crate) mod csrf;
pub(crate) mod identifier;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod session;

/// A session as its holder sees it. Nothing in it is a credential.
#[derive(Serialize)]
pub(crate) struct SessionJson {
    id: SessionId,
    kind: &'static str,
    opened_at: String,
    proven_at: String,
    seen_at: String,
    ends_at: String,
    idle_seconds: u64,
    amr: Vec<&'static str>,
    acr: &'static str,
    device: DeviceJson,
    current: bool,
}

#[derive(Serialize)]
struct DeviceJson {
    name: String,
    address: Option<String>,
    user_agent: String,
}

impl SessionJson {
    /// `current` is the session that asks.
    pub(crate) fn of(session: &Session, current: SessionId) -> Self {
        Self {
            id: session.id,
            kind: session.kind.name(),
            opened_at: moment::rfc_3339(session.opened_at),
            proven_at: moment::rfc_3339(session.proven_at),
            seen_at: moment::rfc_3339(session.seen_at),
            ends_at: moment::rfc_3339(session.ends_at),
            idle_seconds: session.idle.as_secs(),
            amr: session.amr.names().collect(),
            acr: session.assurance.acr(),
            device: DeviceJson {
                name: Device::of(&session.device.user_agent).in_english(),
                address: session.device.address.map(|address| address.to_string()),
                user_agent: session.device.user_agent.clone(),
            },
            current: session.id == current,
        }
    }
}
