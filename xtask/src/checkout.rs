//! Which checkout is judged: the one that the command is run in. Asked when it runs, not when it is built: with a shared target folder,
//! the program that runs may be the build of another checkout.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout around the current folder, or the one that was named.
pub(crate) fn root(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(named) => Ok(named.to_owned()),
        None => around(&std::env::current_dir()?),
    }
}

/// The cargo that runs this, or the one in the search path.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo says here which one it is; this is no setting of the program"
)]
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn around(folder: &Path) -> Result<PathBuf> {
    let is_root =
        |folder: &&Path| folder.join("Cargo.lock").is_file() && folder.join("xtask/Cargo.toml").is_file();
    let found = folder.ancestors().find(is_root).map(Path::to_owned);
    found.with_context(|| {
        format!("{} is in no checkout of Vestibule; go into one, or name it with --root", folder.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_found_from_anywhere_in_it() {
        let here = around(&std::env::current_dir().unwrap()).unwrap();
        assert_eq!(around(&here.join("crates/core/src")).unwrap(), here);
        let outside = around(Path::new("/")).unwrap_err().to_string();
        assert!(outside.contains("--root"), "{outside}");
    }
}
