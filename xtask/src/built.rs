//! Programs of a checkout, built. In: the checkout and their names. Out: where cargo put them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::checkout;

/// How they are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

/// Builds one program.
pub(crate) fn program(root: &Path, profile: Profile, package: &str) -> Result<PathBuf> {
    programs(root, profile, [package]).map(|[program]| program)
}

/// Builds packages in one go, so that both stand on the same dependencies, and says where their programs are.
pub(crate) fn programs<const N: usize>(
    root: &Path,
    profile: Profile,
    packages: [&str; N],
) -> Result<[PathBuf; N]> {
    let mut cargo = Command::new(checkout::cargo());
    cargo.args(["build", "--quiet", "--message-format=json-render-diagnostics"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    for package in packages {
        cargo.args(["--package", package]);
    }
    let built = cargo.current_dir(root).stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        bail!("cargo build failed");
    }
    let messages = String::from_utf8(built.stdout)?;
    let mut found = packages.map(|_| PathBuf::new());
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let name = message.pointer("/target/name").and_then(Value::as_str);
        let executable = message.get("executable").and_then(Value::as_str);
        for (package, found) in packages.iter().zip(&mut found) {
            if let (true, Some(executable)) = (name == Some(package), executable) {
                *found = PathBuf::from(executable);
            }
        }
    }
    let missing = packages.iter().zip(&found).find(|(_, found)| found.as_os_str().is_empty());
    match missing {
        Some((package, _)) => Err(anyhow::anyhow!("cargo built no program called {package}")),
        None => Ok(found),
    }
}
