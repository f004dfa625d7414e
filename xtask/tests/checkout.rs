//! The program judges the checkout that it is run in, whichever one it was built in.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The files of this checkout, elsewhere.
fn copy() -> tempfile::TempDir {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(&here).output().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for path in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        let (from, to) = (here.join(path), folder.path().join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    folder
}

/// As the program runs from a target folder that checkouts share: its build's own manifest is in its environment, too.
fn walls(folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("walls")
        .current_dir(folder)
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

#[test]
fn a_violation_in_a_copy_is_found_from_the_copy() {
    let folder = copy();
    let clean = walls(folder.path());
    let said = String::from_utf8_lossy(&clean.stdout).into_owned();
    assert_eq!(clean.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&clean.stderr));

    // Put together here, so that this file has none itself.
    let planted = format!("See {}{}.\n", "/ho", "me/ada/notes");
    fs::write(folder.path().join("docs/planted.md"), planted).unwrap();
    for inside in [folder.path().to_owned(), folder.path().join("crates/core/src")] {
        let found = walls(&inside);
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        assert_eq!(found.status.code(), Some(1), "{said}");
        assert!(said.contains("docs/planted.md:1: [house words]"), "{said}");
    }
    let nowhere = walls(Path::new("/"));
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
}
