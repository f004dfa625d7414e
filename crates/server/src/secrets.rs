//! The installation's two secrets, and whether they are those of its store. In: their files, and the store. Out: seal key and pepper; or one
//! sentence that names the file which is missing or is another store's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use vestibule_core::key::{KeyRecord, KeyRing, SealKey};
use vestibule_core::port::Entropy;
use vestibule_core::secret::{Pepper, check_value};
use vestibule_core::{Fault, Timestamp};
use vestibule_store::Upkeep;
use zeroize::Zeroizing;

use crate::config::SecretFiles;
use crate::host::secret_file::{self, Sharing};

#[cfg(test)]
mod tests;

/// What the installation's files hold.
pub(crate) struct Secrets {
    pub(crate) seal: Arc<SealKey>,
    pub(crate) pepper: Pepper,
    held: [Held; 2],
}

/// One of the two files.
struct Held {
    /// What messages call it.
    what: &'static str,
    /// What the store calls it.
    name: &'static str,
    path: PathBuf,
    check: [u8; 32],
}

/// Whether there is a store that the secrets have to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Already,
    NotYet,
}

/// What is done where a store of an older version has no check values yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchecked {
    /// The store keeps those of today's secrets: for the server, and where a store is made.
    Keep,
    /// The store stays as it is: a command may have been given another store's secrets.
    Leave,
}

impl Secrets {
    /// Reads both. Where there is no store yet, those that are missing are made.
    pub(crate) fn read(
        files: &SecretFiles,
        stored: Stored,
        sharing: Sharing,
        entropy: &dyn Entropy,
    ) -> Result<Self> {
        let seal = read(&files.seal_key, "seal key", stored, sharing, entropy)?;
        let pepper = read(&files.pepper, "pepper", stored, sharing, entropy)?;
        let held = |what, name, path: &Path, secret| Held {
            what,
            name,
            path: path.to_owned(),
            check: check_value(secret, name),
        };
        Ok(Self {
            seal: Arc::new(SealKey::new(&seal)?),
            pepper: Pepper::new(&pepper),
            held: [
                held("seal key", "seal", &files.seal_key, &seal),
                held("pepper", "pepper", &files.pepper, &pepper),
            ],
        })
    }

    /// The ring of the store's signing keys, if both secrets are those that the store was made with. A store that has no check values yet
    /// gets them here where `unchecked` says so, once the seal key has opened all keys that there are.
    pub(crate) async fn fit(
        &self,
        store: &dyn Upkeep,
        records: &[KeyRecord],
        now: Timestamp,
        unchecked: Unchecked,
    ) -> Result<KeyRing> {
        let mut unknown = Vec::new();
        for held in &self.held {
            match store.secret_check(held.name).await? {
                Some(kept) if kept == held.check => {}
                Some(_) => bail!(
                    "the {what} {} is another one than this store was made with; restore the right one from your backup. If it is lost, or this \
                     is the right one, docs/operations.md says how the store forgets the other (\"The secrets belong to their database\")",
                    held.path.display(),
                    what = held.what
                ),
                None => unknown.push(held),
            }
        }
        let [seal, _] = &self.held;
        let ring = KeyRing::unseal(records, &self.seal, 0, now).map_err(|fault| {
            let what = format!("{}; the seal key is {}", fault.report(), seal.path.display());
            Fault::corrupt("a signing key in the store", what)
        })?;
        for held in unknown.into_iter().filter(|_| unchecked == Unchecked::Keep) {
            store.keep_secret_check(held.name, held.check).await?;
        }
        Ok(ring)
    }
}

/// Reads a secret. Makes it where everything is new; where there is a store already, a missing secret was lost, and another one would be
/// wrong.
fn read(
    path: &Path,
    what: &str,
    stored: Stored,
    sharing: Sharing,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<[u8; 32]>> {
    match (secret_file::read(path, sharing)?, stored) {
        (Some(secret), _) => Ok(secret),
        (None, Stored::NotYet) => {
            if let Some(folder) = path.parent() {
                secret_file::private_dir(folder, sharing)?;
            }
            secret_file::create(path, entropy)
        }
        (None, Stored::Already) => bail!(
            "the {what} {} is missing but the database is there; restore it from your backup",
            path.display()
        ),
    }
}
