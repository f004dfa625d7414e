//! Who else can read or write the files of an installation. In: a file or folder as the operating system describes it, and who we are.
//! Out: whether it may be used, and what is wrong where not. The rules take what containers and service managers make, where this
//! program cannot change it and others can neither write it nor read what is secret.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{getegid, geteuid, getgroups};

const GROUP_WRITE: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const ROOT: u32 = 0;

/// What a path is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The database: read and written by this program alone.
    Database,
    /// A folder that holds files of mode 0600: others may enter it, and put nothing into it.
    Folder,
    /// A folder that a secret is read from: who can put files into it can put another secret there.
    SecretFolder,
    /// A secret, which this program only reads.
    Secret,
}

/// What the operating system says of a path.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The permission bits.
    pub mode: u32,
    /// The owner's uid.
    pub owner: u32,
    /// The group's gid.
    pub group: u32,
    /// Whether it is on a file system in memory that is mounted read-only, as container engines and systemd mount secrets.
    pub is_read_only_memory: bool,
}

/// Who this process is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The effective uid.
    pub user: u32,
    /// The effective gid and the supplementary ones.
    pub groups: Vec<u32>,
}

/// Whether a path may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Fine,
    /// It may not: what is wrong, and what would be right.
    Refused(String),
    /// It may once it has this mode, which its owner, this process, can give it.
    Tighten(u32),
}

impl Found {
    /// Describes a path, or what a symbolic link leads to.
    pub fn of(path: &Path, metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
            group: metadata.gid(),
            is_read_only_memory: is_read_only_memory(path),
        }
    }
}

impl Identity {
    /// This process.
    pub fn own() -> Self {
        let mut groups = vec![getegid().as_raw()];
        groups.extend(getgroups().unwrap_or_default().into_iter().map(|group| group.as_raw()));
        Self { user: geteuid().as_raw(), groups }
    }

    fn is_in(&self, group: u32) -> bool {
        self.groups.contains(&group)
    }
}

/// Judges a path by what it is used for.
pub fn judge(kind: Kind, found: Found, us: &Identity) -> Verdict {
    if found.owner != us.user && found.owner != ROOT {
        return Verdict::Refused(format!(
            "belongs to the account with uid {}, and this program runs as uid {}; run it as that account, or give it to this one: chown {}",
            found.owner, us.user, us.user
        ));
    }
    match kind {
        // A copy that was put back is often open to all, and what is in it was open as long as it was somewhere else.
        Kind::Database if found.owner == us.user && found.mode & 0o077 != 0 => {
            Verdict::Tighten(found.mode & 0o700)
        }
        Kind::Database => judge_file(found, us, "can be read or written by others on this machine"),
        Kind::Folder => judge_folder(found, us),
        // Container engines mount secrets in memory, in folders of mode 1777 that nothing can be written to.
        Kind::SecretFolder if found.is_read_only_memory => Verdict::Fine,
        Kind::SecretFolder => judge_folder(found, us),
        // Nothing can be written there, and only processes of the container or the service can read it.
        Kind::Secret if found.is_read_only_memory => Verdict::Fine,
        Kind::Secret if found.owner != us.user && found.mode & GROUP_WRITE != 0 => {
            Verdict::Refused(refusal(found, "can be written by its group", "0440"))
        }
        Kind::Secret => judge_file(found, us, "can be read by others on this machine"),
    }
}

/// The owner closes what is open to a group of its own, as volumes are that a container engine shares by group. Root's file stays as it
/// is: by its group, or the access list that shows in the group's place, root said who reads it.
fn judge_file(found: Found, us: &Identity, what: &str) -> Verdict {
    let (for_group, for_others) = (found.mode & 0o070, found.mode & 0o007);
    let is_our_group = us.is_in(found.group);
    match (found.owner == us.user, for_group, for_others) {
        (_, 0, 0) => Verdict::Fine,
        (true, _, 0) if is_our_group => Verdict::Tighten(found.mode & 0o700),
        (false, _, 0) if is_our_group || found.group == ROOT => Verdict::Fine,
        (true, ..) => Verdict::Refused(refusal(found, what, "600")),
        (false, ..) => {
            let group = us.groups.first().copied().unwrap_or_default();
            Verdict::Refused(refusal(
                found,
                what,
                &format!("0440, and chgrp {group}, a group of this program's"),
            ))
        }
    }
}

fn judge_folder(found: Found, us: &Identity) -> Verdict {
    if found.mode & OTHERS_WRITE != 0 {
        let what = "can be written by others on this machine, who could put other files there";
        return Verdict::Refused(refusal(found, what, "700"));
    }
    let is_our_group = us.is_in(found.group);
    match (found.owner == us.user, found.mode & GROUP_WRITE) {
        (_, 0) => Verdict::Fine,
        (true, _) if is_our_group => Verdict::Tighten(found.mode & !(GROUP_WRITE | OTHERS_WRITE)),
        (false, _) if is_our_group || found.group == ROOT => Verdict::Fine,
        _ => {
            let what = format!("can be written by the group {}, which is not this program's", found.group);
            Verdict::Refused(refusal(found, &what, "700"))
        }
    }
}

fn refusal(found: Found, what: &str, right: &str) -> String {
    format!(
        "has mode {:o} and {what}; run: chmod {right}. Where that cannot be done, `danger_shared_files = true` takes it as it is",
        found.mode
    )
}

#[cfg(target_os = "linux")]
fn is_read_only_memory(path: &Path) -> bool {
    use rustix::fs::{StatVfsMountFlags, statfs, statvfs};

    // linux/magic.h
    const TMPFS: u32 = 0x0102_1994;
    const RAMFS: u32 = 0x8584_58F6;
    // The type is a machine word, signed on some machines: its low 32 bits are the magic number.
    let is_memory = statfs(path).is_ok_and(|it| [TMPFS, RAMFS].contains(&((it.f_type & 0xFFFF_FFFF) as u32)));
    is_memory && statvfs(path).is_ok_and(|it| it.f_flag.contains(StatVfsMountFlags::RDONLY))
}

#[cfg(not(target_os = "linux"))]
fn is_read_only_memory(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u32 = 1000;
    const GROUP: u32 = 2000;
    const STRANGER: u32 = 3000;

    #[derive(Debug, PartialEq)]
    enum Is {
        Fine,
        Refused,
        Closed(u32),
    }
    use Is::{Closed, Fine, Refused};

    #[test]
    fn what_containers_make_is_taken_and_what_others_reach_is_not() {
        let us = Identity { user: US, groups: vec![US, GROUP] };
        let table = [
            // Secrets: ours.
            (Kind::Secret, US, US, 0o600, false, Fine),
            (Kind::Secret, US, US, 0o400, false, Fine),
            (Kind::Secret, US, GROUP, 0o660, false, Closed(0o600)),
            (Kind::Secret, US, US, 0o440, false, Closed(0o400)),
            (Kind::Secret, US, STRANGER, 0o640, false, Refused),
            (Kind::Secret, US, US, 0o604, false, Refused),
            (Kind::Secret, US, US, 0o601, false, Refused),
            (Kind::Secret, US, US, 0o666, false, Refused),
            // Kubernetes with fsGroup; systemd, whose access list shows as the group's bits; root's own.
            (Kind::Secret, 0, GROUP, 0o440, false, Fine),
            (Kind::Secret, 0, 0, 0o440, false, Fine),
            (Kind::Secret, 0, 0, 0o400, false, Fine),
            (Kind::Secret, 0, STRANGER, 0o440, false, Refused),
            (Kind::Secret, 0, GROUP, 0o460, false, Refused),
            (Kind::Secret, 0, 0, 0o444, false, Refused),
            // Swarm, and Kubernetes by default: in memory, read-only.
            (Kind::Secret, 0, 0, 0o444, true, Fine),
            (Kind::Secret, 0, 0, 0o644, true, Fine),
            (Kind::Secret, STRANGER, 0, 0o400, true, Refused),
            (Kind::Secret, STRANGER, US, 0o440, false, Refused),
            // Folders: StateDirectory, volumes, and what anybody could write.
            (Kind::Folder, US, US, 0o700, false, Fine),
            (Kind::Folder, US, US, 0o755, false, Fine),
            (Kind::Folder, 0, GROUP, 0o2775, false, Fine),
            (Kind::Folder, 0, GROUP, 0o770, false, Fine),
            (Kind::Folder, 0, 0, 0o770, false, Fine),
            (Kind::Folder, US, GROUP, 0o2775, false, Closed(0o2755)),
            (Kind::Folder, US, GROUP, 0o770, false, Closed(0o750)),
            (Kind::Folder, US, STRANGER, 0o770, false, Refused),
            (Kind::Folder, 0, STRANGER, 0o2775, false, Refused),
            (Kind::Folder, US, US, 0o777, false, Refused),
            (Kind::Folder, 0, 0, 0o1777, false, Refused),
            (Kind::Folder, STRANGER, US, 0o770, false, Refused),
            // Folders of secrets: the same, and what Kubernetes mounts.
            (Kind::SecretFolder, US, US, 0o755, false, Fine),
            (Kind::SecretFolder, 0, 0, 0o755, false, Fine),
            (Kind::SecretFolder, 0, 0, 0o1777, true, Fine),
            (Kind::SecretFolder, 0, 0, 0o1777, false, Refused),
            (Kind::SecretFolder, US, US, 0o777, false, Refused),
            (Kind::SecretFolder, US, GROUP, 0o770, false, Closed(0o750)),
            (Kind::SecretFolder, STRANGER, US, 0o755, false, Refused),
            // The database.
            (Kind::Database, US, US, 0o600, false, Fine),
            (Kind::Database, US, GROUP, 0o660, false, Closed(0o600)),
            (Kind::Database, US, US, 0o644, false, Closed(0o600)),
            (Kind::Database, US, STRANGER, 0o666, false, Closed(0o600)),
            (Kind::Database, 0, GROUP, 0o660, false, Fine),
            (Kind::Database, 0, GROUP, 0o664, false, Refused),
            (Kind::Database, STRANGER, GROUP, 0o660, false, Refused),
        ];
        for (kind, owner, group, mode, is_read_only_memory, expected) in table {
            let found = Found { mode, owner, group, is_read_only_memory };
            let told = match judge(kind, found, &us) {
                Verdict::Fine => Fine,
                Verdict::Refused(what) => {
                    assert!(what.contains("uid") || what.contains("danger_shared_files"), "{what}");
                    Refused
                }
                Verdict::Tighten(mode) => Closed(mode),
            };
            assert_eq!(told, expected, "{kind:?} {mode:o} {owner}:{group}");
        }
    }
}
