//! `vestibule init [DIR]`: a commented configuration, and the secrets it needs. What is there already stays as it is.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use vestibule_store::StoreUrl;

use super::Failure;
use super::output::say_done;
use crate::assemble::App;
use crate::config::{self, Settings, environment};
use crate::host::calibration::{Calibrated, calibrate};
use crate::host::entropy::SystemEntropy;
use crate::host::secret_file::{self, Sharing};
use crate::secrets::Unchecked;

const TEMPLATE: &str = include_str!("../config/template.toml");

#[derive(Args)]
pub(super) struct Init {
    /// Where to write; made if need be
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// How long hashing one password may take on this machine; what it can do in that time is written down as `[passwords]`
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=2000))]
    hash_time: u64,
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
        let calibrated = calibrate(Duration::from_millis(self.hash_time))?;
        let text = configuration(&calibrated);
        // As it will be read: what the environment makes wrong is said before anything is written.
        let settings =
            config::read(&text, &file.display().to_string(), &self.dir, &environment::variables())?;
        if !settings.store.is_missing() {
            let what = format!(
                "the store {} exists already, and new secrets would not fit it; nothing was written",
                shown(&settings.store)
            );
            return Err(Failure::Refused(what));
        }
        let store = settings.store.clone();
        std::fs::create_dir_all(&self.dir)
            .map_err(|error| Failure::Usage(format!("cannot create {}: {error}", self.dir.display())))?;
        secret_file::private_dir(&secrets, Sharing::Refused)?;
        secret_file::create(&secrets.join("seal.key"), &SystemEntropy)?;
        secret_file::create(&secrets.join("pepper.key"), &SystemEntropy)?;
        let written = OpenOptions::new().write(true).create_new(true).open(&file).and_then(|mut it| {
            it.write_all(text.as_bytes())?;
            it.sync_all()
        });
        written.map_err(|error| Failure::Usage(format!("cannot write {}: {error}", file.display())))?;
        make_store(settings)?;
        say_done(&format!(
            "Wrote {} and {}/{{seal,pepper}}.key. Back the two secrets up, apart from the database.\n\
             Made the store {}.\n\
             Hashing a password takes {} ms here, with memory_kib = {} and iterations = {}.\n\
             Next:  vestibule account add you@example.com --password-stdin --config {}\n\
             then:  vestibule serve --config {}",
            file.display(),
            secrets.display(),
            shown(&store),
            calibrated.took.as_millis(),
            calibrated.cost.memory_kib(),
            calibrated.cost.iterations(),
            file.display(),
            file.display()
        ))
    }
}

/// A file as it was configured, which is how its folder was named on the command line.
fn shown(store: &StoreUrl) -> String {
    store.file().map_or_else(|| store.place(), |file| file.display().to_string())
}

/// Commands make no store, and the first account is added before the first start.
fn make_store(settings: Settings) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Unknown(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(async {
        let app = App::open(settings, Unchecked::Keep).await?;
        Ok(app.stores.upkeep.close().await?)
    })
}

/// The template, with the secrets' lines in force and the cost that suits this machine.
fn configuration(calibrated: &Calibrated) -> String {
    let cost = calibrated.cost;
    TEMPLATE
        .replace("# seal_key_file", "seal_key_file")
        .replace("# pepper_file", "pepper_file")
        .replace("\nmemory_kib = 19456\n", &format!("\nmemory_kib = {}\n", cost.memory_kib()))
        .replace("\niterations = 2\n", &format!("\niterations = {}\n", cost.iterations()))
}

#[cfg(test)]
mod tests {
    use vestibule_core::account::password::PasswordCost;

    use super::*;

    #[test]
    fn the_cost_of_this_machine_is_in_the_configuration() {
        let cost = PasswordCost::new(65_536, 3, 1).unwrap();
        let text = configuration(&Calibrated { cost, took: Duration::ZERO });
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["passwords"]["memory_kib"].as_integer(), Some(65_536));
        assert_eq!(table["passwords"]["iterations"].as_integer(), Some(3));
        assert_eq!(table["passwords"]["lanes"].as_integer(), Some(1));
    }
}
