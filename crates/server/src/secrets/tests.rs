use std::fs;

use vestibule_core::key::KeyPurpose;
use vestibule_core::port::Clock;
use vestibule_store::{SharedFiles, StoreUrl, Stores};
use vestibule_verify::Algorithm;

use super::*;
use crate::host::clock::SystemClock;
use crate::host::entropy::SystemEntropy;

struct Place {
    folder: tempfile::TempDir,
    stores: Stores,
}

impl Place {
    /// A store as it was made before check values were kept.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("vestibule.db"));
        let stores = vestibule_store::open(&url, SharedFiles::Refused).await.unwrap();
        Self { folder, stores }
    }

    fn files(&self) -> SecretFiles {
        let file = |name| self.folder.path().join(name);
        SecretFiles { seal_key: file("seal.key"), pepper: file("pepper.key") }
    }

    fn secrets(&self) -> Secrets {
        Secrets::read(&self.files(), Stored::NotYet, Sharing::Refused, &SystemEntropy).unwrap()
    }

    async fn fit(&self) -> Result<KeyRing> {
        self.fit_and(Unchecked::Keep).await
    }

    async fn fit_and(&self, unchecked: Unchecked) -> Result<KeyRing> {
        let records = self.stores.keys.all().await.unwrap();
        self.secrets().fit(&*self.stores.upkeep, &records, SystemClock.now(), unchecked).await
    }

    /// Adds a signing key that is sealed under the seal key of now.
    async fn add_key(&self) {
        let record = KeyRecord::generate(
            KeyPurpose::Services,
            Algorithm::Es256,
            &self.secrets().seal,
            [1; 12],
            SystemClock.now(),
        );
        self.stores.keys.change(Some(record.unwrap()), Vec::new()).await.unwrap();
    }

    async fn kept(&self) -> [bool; 2] {
        let mut kept = [false; 2];
        for (kept, name) in kept.iter_mut().zip(["seal", "pepper"]) {
            *kept = self.stores.upkeep.secret_check(name).await.unwrap().is_some();
        }
        kept
    }
}

/// A well-formed secret that is another store's signs everybody out, and makes client secrets and backups useless: it stops the start.
#[tokio::test]
async fn another_secret_is_refused_and_its_file_is_named() {
    for (name, what) in [("seal.key", "the seal key"), ("pepper.key", "the pepper")] {
        let place = Place::new().await;
        place.fit().await.unwrap();
        place.fit().await.unwrap();
        let file = place.folder.path().join(name);
        let right = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        for _ in 0..2 {
            let said = place.fit().await.err().unwrap().to_string();
            assert!(said.starts_with(&format!("{what} {} is another one", file.display())), "{said}");
        }
        fs::write(&file, right).unwrap();
        place.fit().await.unwrap();
    }
}

#[tokio::test]
async fn a_store_of_an_older_version_learns_its_secrets_at_the_first_start() {
    let place = Place::new().await;
    place.add_key().await;
    let right = fs::read(place.folder.path().join("seal.key")).unwrap();
    fs::remove_file(place.folder.path().join("seal.key")).unwrap();
    let said = format!("{:#}", place.fit().await.err().unwrap());
    assert!(
        said.contains("a signing key in the store is corrupt")
            && said.contains("does not open")
            && said.contains("seal.key"),
        "{said}"
    );
    assert_eq!(place.kept().await, [false; 2], "a wrong seal key is not learned, nor is what came with it");
    fs::write(place.folder.path().join("seal.key"), right).unwrap();
    place.fit().await.unwrap();
    assert_eq!(place.kept().await, [true; 2]);
}

/// A command may have been given the pepper of another store: what it opens learns nothing from it.
#[tokio::test]
async fn a_store_of_an_older_version_learns_no_secrets_from_a_command() {
    let place = Place::new().await;
    place.add_key().await;
    place.fit_and(Unchecked::Leave).await.unwrap();
    assert_eq!(place.kept().await, [false; 2]);
    let pepper = place.folder.path().join("pepper.key");
    let right = fs::read(&pepper).unwrap();
    fs::remove_file(&pepper).unwrap();
    place.fit_and(Unchecked::Leave).await.unwrap();
    fs::write(&pepper, right).unwrap();
    place.fit().await.unwrap();
    assert_eq!(place.kept().await, [true; 2]);
    fs::remove_file(&pepper).unwrap();
    let said = place.fit_and(Unchecked::Leave).await.err().unwrap().to_string();
    assert!(said.contains("pepper.key is another one") && said.contains("docs/operations.md"), "{said}");
}

#[tokio::test]
async fn a_missing_secret_is_made_for_a_new_store_alone() {
    let place = Place::new().await;
    let read = |stored| Secrets::read(&place.files(), stored, Sharing::Refused, &SystemEntropy);
    let said = read(Stored::Already).err().unwrap().to_string();
    assert!(said.contains("seal.key is missing") && said.contains("backup"), "{said}");
    assert!(!place.files().seal_key.exists());
    read(Stored::NotYet).unwrap();
    read(Stored::Already).unwrap();
}
