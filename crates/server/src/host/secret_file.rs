//! Files that hold the installation's secrets: 32 random bytes as one line of base64url, made with mode 0600. In: a path. Out: the bytes,
//! wiped when dropped, or one sentence about what is wrong; the secret is in no message.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use data_encoding::BASE64URL_NOPAD;
use vestibule_core::port::Entropy;
use vestibule_store::access::{Found, Identity, Kind, Verdict, judge};
use zeroize::Zeroizing;

use super::text_file;

/// Text form: 43 characters and a newline.
const LINE_LENGTH: usize = 44;
/// 32 random bytes have about 30 different values; fewer than this is not chance but a hand or a broken generator.
const LEAST_VARIETY: usize = 16;

/// Draws a secret and writes it; an existing file is never replaced.
pub(crate) fn create(path: &Path, entropy: &dyn Entropy) -> Result<Zeroizing<[u8; 32]>> {
    let mut secret = Zeroizing::new([0; 32]);
    entropy.fill(&mut *secret)?;
    let mut line = Zeroizing::new(BASE64URL_NOPAD.encode(&*secret));
    line.push('\n');
    write_new(path, line.as_bytes())?;
    Ok(secret)
}

/// Writes a file that its owner alone can read; an existing one is never replaced.
pub(crate) fn write_new(path: &Path, text: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(text)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a secret; `None` when there is no such file.
pub(crate) fn read(path: &Path, sharing: Sharing) -> Result<Option<Zeroizing<[u8; 32]>>> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    hold(Kind::Secret, path, &file.metadata()?, sharing)?;
    hold_folders(path, sharing)?;
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_LENGTH + 5));
    (&mut file)
        .take(LINE_LENGTH as u64 + 5)
        .read_to_end(&mut line)
        .with_context(|| format!("cannot read {}", path.display()))?;
    parse(&line).map(Some).with_context(|| path.display().to_string())
}

/// Holds the folder that a secret is read from, and the one that a symbolic link leads to.
fn hold_folders(path: &Path, sharing: Sharing) -> Result<()> {
    let real = fs::canonicalize(path).with_context(|| format!("cannot read {}", path.display()))?;
    let named = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for folder in [Some(named), real.parent()].into_iter().flatten() {
        let metadata =
            fs::metadata(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
        hold(Kind::SecretFolder, folder, &metadata, sharing)?;
    }
    Ok(())
}

/// Makes a folder that only its owner may enter; into one that is there, others may put nothing.
pub(crate) fn private_dir(path: &Path, sharing: Sharing) -> Result<()> {
    if !path.exists() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot create the folder {}", path.display()))?;
    }
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        bail!("{} is not a folder", path.display());
    }
    hold(Kind::Folder, path, &metadata, sharing)
}

/// Whether files that other accounts can read or write are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Refused,
    Taken,
}

/// Closes what is open to others where it is ours to close, and refuses it where not.
fn hold(kind: Kind, path: &Path, metadata: &fs::Metadata, sharing: Sharing) -> Result<()> {
    if sharing == Sharing::Taken {
        return Ok(());
    }
    match judge(kind, Found::of(path, metadata), &Identity::own()) {
        Verdict::Fine => Ok(()),
        Verdict::Refused(what) => bail!("{} {what}", path.display()),
        Verdict::Tighten(mode) => {
            tracing::warn!(path = %path.display(), "others could reach it; its mode is now {mode:o}");
            fs::set_permissions(path, fs::Permissions::from_mode(mode))
                .with_context(|| format!("cannot close {} to others", path.display()))
        }
    }
}

fn parse(line: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let line = text_file::utf8(line)?.as_bytes();
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut secret = Zeroizing::new([0; 32]);
    if text.len() != LINE_LENGTH - 1 || !matches!(BASE64URL_NOPAD.decode_mut(text, &mut *secret), Ok(32)) {
        bail!("is not a secret: expected one line of 43 base64url characters; `vestibule init` makes one");
    }
    let mut sorted = Zeroizing::new(*secret);
    sorted.sort_unstable();
    let variety = sorted.chunk_by(|one, other| one == other).count();
    if variety < LEAST_VARIETY {
        bail!("is not random: it has {variety} different bytes; `vestibule init` makes a good one");
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::host::entropy::SystemEntropy;

    #[test]
    fn a_secret_is_written_once_for_its_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        let made = create(&path, &SystemEntropy).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(*read(&path, Sharing::Refused).unwrap().unwrap(), *made);
        assert!(create(&path, &SystemEntropy).is_err(), "an existing secret is never replaced");
        assert_eq!(*read(&path, Sharing::Refused).unwrap().unwrap(), *made);
        assert!(read(&folder.path().join("absent"), Sharing::Refused).unwrap().is_none());
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        let made = create(&path, &SystemEntropy).unwrap();
        for mode in [0o604, 0o644, 0o666, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let message = format!("{:#}", read(&path, Sharing::Refused).unwrap_err());
            assert!(message.contains("chmod 600") && message.contains("danger_shared_files"), "{message}");
            assert_eq!(*read(&path, Sharing::Taken).unwrap().unwrap(), *made);
        }
        // Open to a group of its owner's: the owner closes it.
        for mode in [0o640, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(*read(&path, Sharing::Refused).unwrap().unwrap(), *made);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        private_dir(folder.path(), Sharing::Refused).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o757)).unwrap();
        let message = format!("{:#}", private_dir(folder.path(), Sharing::Refused).unwrap_err());
        assert!(message.contains("chmod 700"), "{message}");
        private_dir(folder.path(), Sharing::Taken).unwrap();
    }

    /// Others could put another secret into its folder.
    #[test]
    fn a_secret_in_a_folder_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (open, closed) = (folder.path().join("open"), folder.path().join("closed"));
        for made in [&open, &closed] {
            fs::create_dir(made).unwrap();
        }
        let (path, link) = (open.join("seal.key"), closed.join("seal.key"));
        let made = create(&path, &SystemEntropy).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for mode in [0o777, 0o1777, 0o757] {
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
            for path in [&path, &link] {
                let message = format!("{:#}", read(path, Sharing::Refused).unwrap_err());
                assert!(message.contains("open has mode") && message.contains("chmod 700"), "{message}");
                assert_eq!(*read(path, Sharing::Taken).unwrap().unwrap(), *made);
            }
        }
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(*read(&path, Sharing::Refused).unwrap().unwrap(), *made);
        let message = format!("{:#}", read(&link, Sharing::Refused).unwrap_err());
        assert!(message.contains("closed has mode"), "{message}");
    }

    #[test]
    fn what_belongs_to_another_account_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        create(&path, &SystemEntropy).unwrap();
        let us = fs::metadata(&path).unwrap().uid();
        // Whoever may give files away can see it happen for real.
        if std::os::unix::fs::chown(&path, Some(us + 1), None).is_ok() {
            let message = format!("{:#}", read(&path, Sharing::Refused).unwrap_err());
            assert!(message.contains("belongs to"), "{message}");
        }
    }

    /// AU-10: a weak secret stops the start, and the message does not repeat it.
    #[test]
    fn weak_and_malformed_secrets_are_refused_without_being_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let weak = [
            BASE64URL_NOPAD.encode(&[0; 32]),
            BASE64URL_NOPAD.encode(b"password password password passw"),
            BASE64URL_NOPAD.encode(&[1; 31]),
            "correct-horse-battery-staple".to_owned(),
            String::new(),
            "A".repeat(4000),
        ];
        for (number, text) in weak.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            fs::write(&path, format!("{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let message = format!("{:#}", read(&path, Sharing::Refused).unwrap_err());
            assert!(text.is_empty() || !message.contains(text.as_str()), "{message}");
            assert!(message.contains("vestibule init"), "{message}");
        }
    }
}
