//! Who is at the other end of the control socket. In: a connection, as the kernel describes it. Out: nothing, or why it is not used.
//!
//! The socket's mode keeps other accounts away. This holds where the mode does not: on file systems without modes, and where another
//! account can put a socket of its own into the folder.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::geteuid;
use tokio::net::UnixStream;

use crate::config::Settings;

const ROOT: u32 = 0;

/// Refuses a command of another account than the server's own or root.
pub(super) fn hold_command(stream: &UnixStream) -> io::Result<()> {
    let (uid, own) = (stream.peer_cred()?.uid(), geteuid().as_raw());
    if takes_command(uid, own) {
        return Ok(());
    }
    Err(refused(format!(
        "the server runs as uid {own} and takes commands from that account and root alone, not from uid {uid}"
    )))
}

/// Refuses a server that another account runs than the one that asks. Root asks the server of the account that has the folder or the
/// store.
pub(super) fn hold_server(stream: &UnixStream, settings: &Settings) -> io::Result<()> {
    let (uid, own) = (stream.peer_cred()?.uid(), geteuid().as_raw());
    let owner = |path: &Path| path.metadata().ok().map(|it| it.uid());
    let owners = [owner(&settings.data_dir), settings.store.file().and_then(owner)];
    if takes_server(uid, own, &owners) || (own == ROOT && settings.shared_files) {
        return Ok(());
    }
    Err(refused(format!(
        "what listens there runs as uid {uid}, and this command as uid {own}; run it as the account of the server, or as root"
    )))
}

fn takes_command(uid: u32, own: u32) -> bool {
    uid == own || uid == ROOT
}

fn takes_server(uid: u32, own: u32, owners: &[Option<u32>]) -> bool {
    uid == own || (own == ROOT && owners.contains(&Some(uid)))
}

fn refused(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u32 = 1000;
    const STRANGER: u32 = 3000;

    #[test]
    fn a_server_takes_its_own_account_and_root() {
        for (uid, own, expected) in
            [(US, US, true), (ROOT, US, true), (STRANGER, US, false), (ROOT, ROOT, true), (US, ROOT, false)]
        {
            assert_eq!(takes_command(uid, own), expected, "{uid} asks {own}");
        }
    }

    #[test]
    fn a_command_takes_its_own_server_and_root_that_of_the_store() {
        let table = [
            (US, US, [Some(US), Some(US)], true),
            (US, US, [None, None], true),
            (STRANGER, US, [Some(STRANGER), Some(STRANGER)], false),
            (ROOT, US, [Some(ROOT), Some(ROOT)], false),
            (US, ROOT, [Some(US), Some(US)], true),
            // A volume that a container engine shares by group.
            (US, ROOT, [Some(ROOT), Some(US)], true),
            (STRANGER, ROOT, [Some(US), Some(US)], false),
            (STRANGER, ROOT, [None, None], false),
            (ROOT, ROOT, [Some(US), None], true),
        ];
        for (uid, own, owners, expected) in table {
            assert_eq!(takes_server(uid, own, &owners), expected, "{own} asks {uid}, {owners:?}");
        }
    }
}
