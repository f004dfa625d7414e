//! Settings: read once, at start and at SIGHUP. In: a TOML file and `VESTIBULE__…` variables. Out: [`Settings`], which cannot
//! be half-valid, or one [`ConfigError`] that names the place, the key, what is wrong and what would be right.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::host::text_file;

mod claim;
pub(crate) mod environment;
mod hint;
pub(crate) mod raw;
pub(crate) mod reload;
mod settings;
pub(crate) mod span;
mod text;

pub(crate) use settings::sense::warnings;
pub(crate) use settings::{Danger, Look, SecretFiles, Settings};

use raw::Raw;
use text::Text;

#[cfg(test)]
mod tests;

/// The file that is read when none is named and it is there.
const DEFAULT_FILE: &str = "vestibule.toml";
/// No configuration of ours is near this long.
const MAX_BYTES: usize = 1024 * 1024;

/// Permission bits of a file or folder: others may write it; only its owner may replace a file in it.
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Why a configuration is refused.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// `vestibule.toml:3:1`, or which variable.
    place: String,
    /// `route[0].path`; empty when the whole file is meant.
    key: String,
    /// What is wrong and what would be right; never a secret.
    what: String,
}

/// A setting that does not make sense, before its place is known.
#[derive(Debug)]
pub(crate) struct Wrong {
    key: String,
    what: String,
}

/// Where settings come from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    file: Option<PathBuf>,
}

impl Source {
    /// The file named, or `./vestibule.toml` if it is there, or defaults alone.
    pub(crate) fn find(named: Option<PathBuf>) -> Self {
        let file = named.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()));
        Self { file }
    }

    /// The file; none where defaults are in force.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is said where others can change the file or put another in its place: it names the secrets and the proxies that are trusted.
    pub(crate) fn exposed(&self) -> Option<String> {
        let file = self.file()?;
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = |path: &Path| fs::metadata(path).map_or(0, |it| it.mode() & 0o7777);
        let told = |path: &Path, mode: u32| {
            format!(
                "{} has mode {mode:o} and can be written by others on this machine, who could change the configuration; run: chmod o-w {}",
                path.display(),
                path.display()
            )
        };
        match (mode(file), mode(folder)) {
            (mode, _) if mode & OTHERS_WRITE != 0 => Some(told(file, mode)),
            (_, mode) if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 => Some(told(folder, mode)),
            _ => None,
        }
    }

    /// Reads settings as they are now.
    pub(crate) fn load(&self) -> Result<Settings, ConfigError> {
        self.load_with(&environment::variables())
    }

    fn load_with(&self, variables: &[(String, String)]) -> Result<Settings, ConfigError> {
        match &self.file {
            Some(file) => {
                let text = read_file(file)?;
                let base = file.parent().unwrap_or(Path::new(""));
                read(&text, &file.display().to_string(), base, variables)
            }
            None => read("", "the default configuration", Path::new(""), variables),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display()),
            None => f.write_str("defaults"),
        }
    }
}

/// Reads settings from a text; relative paths in it start at `base`.
pub(crate) fn read(
    text: &str,
    name: &str,
    base: &Path,
    variables: &[(String, String)],
) -> Result<Settings, ConfigError> {
    let places = Text::read(text);
    // The file by itself first: its errors know their places.
    if let Err(error) = toml::from_str::<Raw>(text) {
        let at = error.span().map(|span| span.start);
        let place = at.map_or_else(|| name.to_owned(), |at| format!("{name}:{}", places.place_at(at)));
        if error.message().starts_with("duplicate key")
            && let Some((key, first)) = at.and_then(|at| places.first_of(text, at))
        {
            let what = format!("is set twice; it is set before at {name}:{first}");
            return Err(ConfigError { place, key, what });
        }
        let key = at.and_then(|at| places.key_at(at)).unwrap_or_default().to_owned();
        let mut what = clean(error.message());
        if what.starts_with("invalid type") {
            what.push_str(&hint::for_key(&key));
        } else if what.starts_with("wanted ") {
            what = format!("is of the wrong kind{}", hint::for_key(&key));
        }
        return Err(ConfigError { place, key, what });
    }
    let overrides = environment::read(variables)?;
    let whole = |what: String| ConfigError { place: name.to_owned(), key: String::new(), what };
    let mut table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| whole(clean(error.message())))?;
    environment::apply(&overrides, &mut table);
    let raw: Raw = table.try_into().map_err(|error: toml::de::Error| whole(clean(error.message())))?;
    Settings::from_raw(raw, base).map_err(|Wrong { key, what }| {
        let place = match overrides.iter().find(|one| one.sets(&key)) {
            Some(one) => format!("environment variable {}", one.name()),
            None => places.place_of(&key).map_or_else(|| name.to_owned(), |place| format!("{name}:{place}")),
        };
        ConfigError { place, key, what }
    })
}

fn read_file(file: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let wrong = |what: String| ConfigError { place: file.display().to_string(), key: String::new(), what };
    text_file::read(file, MAX_BYTES).map_err(wrong)
}

/// A parser's message on one line.
fn clean(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Wrong {
    pub(crate) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ConfigError {}
