//! `vestibule init [DIR]`: a commented configuration, and the secrets it needs. What is there already stays as it is.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::output::say;
use crate::host::entropy::SystemEntropy;
use crate::host::secret_file;

const TEMPLATE: &str = include_str!("../config/template.toml");

#[derive(Args)]
pub(super) struct Init {
    /// Where to write; made if need be
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.dir.join("vestibule.toml");
        let secrets = self.dir.join("secrets");
        for path in [&file, &secrets.join("seal.key"), &secrets.join("pepper.key")] {
            if path.exists() {
                let what = format!("{} is there already; nothing was written", path.display());
                return Err(Failure::Refused(what));
            }
        }
        std::fs::create_dir_all(&self.dir)
            .map_err(|error| Failure::Usage(format!("cannot create {}: {error}", self.dir.display())))?;
        secret_file::private_dir(&secrets)?;
        secret_file::create(&secrets.join("seal.key"), &SystemEntropy)?;
        secret_file::create(&secrets.join("pepper.key"), &SystemEntropy)?;
        let written = OpenOptions::new().write(true).create_new(true).open(&file).and_then(|mut it| {
            it.write_all(configuration().as_bytes())?;
            it.sync_all()
        });
        written.map_err(|error| Failure::Usage(format!("cannot write {}: {error}", file.display())))?;
        say(&format!(
            "Wrote {} and {}/{{seal,pepper}}.key. Back the two secrets up, apart from the database.\n\
             Next:  vestibule account add you@example.com --password-stdin --config {}\n\
             then:  vestibule serve --config {}",
            file.display(),
            secrets.display(),
            file.display(),
            file.display()
        ));
        Ok(())
    }
}

/// The template, with the secrets' lines in force.
fn configuration() -> String {
    TEMPLATE.replace("# seal_key_file", "seal_key_file").replace("# pepper_file", "pepper_file")
}
