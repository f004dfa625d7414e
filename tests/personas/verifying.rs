//! Services in other languages, with the JOSE library that people use there: npm `jose` in Node, PyJWT and joserfc in Python. They fetch the keys
//! from Vestibule and answer with the claims they believe.

use std::net::SocketAddr;
use std::path::Path;

use super::installed::{node, python};
use super::place::{Place, loopback};
use super::running::Running;

/// Which library verifies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Library {
    Jose,
    PyJwt,
    /// For those that are encrypted alone: PyJWT does not decrypt.
    Joserfc,
}

pub(crate) struct VerifyingService {
    pub(crate) address: SocketAddr,
    _running: Running,
    _place: Place,
}

impl VerifyingService {
    /// Starts it; `issuer` is also where the keys come from: `keys_from`.
    pub(crate) fn start(library: Library, issuer: &str, audience: &str, keys_from: SocketAddr) -> Self {
        Self::start_with(library, issuer, audience, keys_from, None)
    }

    /// One that believes nothing but what is encrypted to this private key.
    pub(crate) fn decrypting(
        library: Library,
        issuer: &str,
        audience: &str,
        keys_from: SocketAddr,
        key: &Path,
    ) -> Self {
        Self::start_with(library, issuer, audience, keys_from, Some(key))
    }

    fn start_with(
        library: Library,
        issuer: &str,
        audience: &str,
        keys_from: SocketAddr,
        key: Option<&Path>,
    ) -> Self {
        let place = Place::new();
        let (name, mut command) = match library {
            Library::Jose => ("the Node service", node("service.mjs")),
            Library::PyJwt => ("the Python service", python("service.py")),
            Library::Joserfc => ("the Python service that decrypts", python("service_joserfc.py")),
        };
        command.args([&format!("http://{keys_from}/.well-known/jwks.json"), issuer, audience]).args(key);
        let mut running = Running::start(name, command, place.join("service.log"));
        let line = running.wait_for("listening on ");
        let port = line.rsplit(' ').next().unwrap().parse().unwrap();
        Self { address: loopback(port), _running: running, _place: place }
    }
}
