//! Programs and libraries of others. In: a name. Out: a command that starts it, or a failure that says what to install.
//! Nothing is skipped for want of a program: a story that did not happen proves nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program by its name and Debian package.
pub(crate) fn program(name: &str, package: &str) -> Command {
    for path in [name.to_owned(), format!("/usr/sbin/{name}"), format!("/usr/bin/{name}")] {
        let found = Command::new(&path).arg("--version").output();
        if found.is_ok() {
            return Command::new(path);
        }
    }
    panic!("{name} is missing: install Debian's package {package}, or run ./test as root, which does")
}

/// Node with `jose` beside the given script, whose first argument is where libraries are.
pub(crate) fn node(script: &str) -> Command {
    let mut command = program("node", "nodejs");
    command.arg(script_path(script)).arg(oracles("node"));
    command
}

/// Python with PyJWT and `cryptography`.
pub(crate) fn python(script: &str) -> Command {
    python_of(&script_path(script))
}

/// The same for a script that lies elsewhere.
pub(crate) fn python_of(script: &Path) -> Command {
    let mut command = Command::new(oracles("python").join("bin/python"));
    command.arg("-u").arg(script);
    command
}

/// The library that tells a program another time of day.
pub(crate) fn fake_time() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let missing =
        "libfaketime is missing: install Debian's package faketime, or run ./test as root, which does";
    found.find(|path| path.is_file()).unwrap_or_else(|| panic!("{missing}"))
}

/// Where the JOSE libraries of other languages are.
pub(crate) fn oracles(language: &str) -> PathBuf {
    // The binary under test lies in target/debug, the libraries in target/oracles.
    let build = Path::new(env!("CARGO_BIN_EXE_vestibule")).parent().and_then(Path::parent).unwrap();
    let target = build.join("oracles").join(language);
    assert!(target.is_dir(), "{} is missing: run tests/oracles/prepare.sh", target.display());
    target
}

/// A file beside the personas.
pub(crate) fn script_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/personas").join(name)
}

/// A file of the examples that users start from.
pub(crate) fn example_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}
