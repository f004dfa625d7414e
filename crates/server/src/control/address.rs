//! Where the control socket is bound and reached. In: its path. Out: a path that the operating system takes; a socket's address holds
//! 108 bytes, one of them the end (unix(7)), and folders may be deeper than that.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The longest path that fits into a socket's address on every system (Linux takes 107, macOS and the BSDs 103).
const LONGEST: usize = 103;

/// A path to a socket, good while this is held.
pub(super) struct Address {
    path: PathBuf,
    _folder: Option<OwnedFd>,
}

impl Address {
    /// The path itself where it is short enough, and a way over its opened folder where not.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().as_bytes().len() <= LONGEST {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        Self::over_its_folder(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    #[cfg(target_os = "linux")]
    fn over_its_folder(path: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        use rustix::fs::{Mode, OFlags, open};

        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let folder = open(parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }

    #[cfg(not(target_os = "linux"))]
    fn over_its_folder(path: &Path) -> io::Result<Self> {
        let length = path.as_os_str().as_bytes().len();
        let what =
            format!("the path has {length} bytes, and a socket's {LONGEST}; choose a shorter data_dir");
        Err(io::Error::new(io::ErrorKind::InvalidInput, what))
    }
}
