//! A folder and ports that belong to one test.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::TempDir;

/// A temporary folder, gone at the end.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("vestibule-story-").tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A loopback address nobody listens on, given out once. Below the ports that the kernel lends to outgoing connections, so that
/// nobody takes it between here and the program that will listen there.
pub(crate) fn free_address() -> SocketAddr {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let given = given.get_or_insert_default();
    let first = (std::process::id() % 400) as u16 * 30;
    for step in 0..12_000_u16 {
        let port = 20_000 + (first + step) % 12_000;
        if given.insert(port) && TcpListener::bind(loopback(port)).is_ok() {
            return loopback(port);
        }
    }
    panic!("no free port below 32000")
}
