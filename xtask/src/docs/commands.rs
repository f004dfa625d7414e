//! The commands and options that the program has, as its own help says. In: a line that names one. Out: what it names that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

const NAME: &str = "vestibule";

/// What the program answers to `--help`, asked once for each command.
pub(super) struct Commands {
    program: Option<PathBuf>,
    known: BTreeMap<String, Help>,
}

#[derive(Clone, Default)]
struct Help {
    commands: BTreeSet<String>,
    options: BTreeSet<String>,
}

impl Commands {
    /// Of a program that was built.
    pub(super) fn asked_of(program: PathBuf) -> Self {
        Self { program: Some(program), known: BTreeMap::new() }
    }

    #[cfg(test)]
    pub(super) fn of(helps: &[(&str, &str)]) -> Self {
        let known = helps.iter().map(|(command, help)| ((*command).to_owned(), Help::read(help)));
        Self { program: None, known: known.collect() }
    }

    /// What a line names that the program does not have; `None` for a line about something else.
    pub(super) fn refuses(&mut self, line: &str) -> Result<Option<String>> {
        let Some(rest) = line.trim_start().strip_prefix(NAME).filter(|rest| rest.starts_with(' ')) else {
            return Ok(None);
        };
        let mut path = String::new();
        let mut options = self.help(&path)?.options;
        let (mut walks, mut takes_a_value) = (true, false);
        for word in rest.split_whitespace().take_while(|word| !word.starts_with(['#', '>', '<'])) {
            if std::mem::take(&mut takes_a_value) || word == "|" {
                continue;
            }
            if let Some(option) = word.trim_start_matches('[').strip_prefix("--") {
                let option: String =
                    option.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
                if !option.is_empty() && !options.contains(&option) {
                    return Ok(Some(format!("{} has no option --{option}", full(&path))));
                }
                takes_a_value = walks && option == "config";
                continue;
            }
            let here = self.help(&path)?;
            walks &= !here.commands.is_empty() && word.starts_with(|c: char| c.is_ascii_lowercase());
            if !walks {
                continue;
            }
            let alternatives: Vec<&str> = word.trim_end_matches([',', '.', ':', ';']).split('|').collect();
            if let Some(odd) = alternatives.iter().find(|it| !here.commands.contains(**it)) {
                return Ok(Some(format!("{} has no command {odd}", full(&path))));
            }
            // Of several, none is the one that options belong to.
            let [one] = alternatives.as_slice() else { return Ok(None) };
            path = if path.is_empty() { (*one).to_owned() } else { format!("{path} {one}") };
            options.extend(self.help(&path)?.options);
        }
        Ok(None)
    }

    fn help(&mut self, path: &str) -> Result<Help> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        let program = self.program.as_ref().with_context(|| format!("{path} was not asked for"))?;
        let output = Command::new(program).args(path.split_whitespace()).arg("--help").output()?;
        if !output.status.success() {
            bail!("{NAME} {path} --help fails");
        }
        let help = Help::read(&String::from_utf8(output.stdout)?);
        self.known.insert(path.to_owned(), help.clone());
        Ok(help)
    }
}

impl Help {
    /// As clap prints it: commands under their heading, options wherever a line begins with them.
    fn read(text: &str) -> Self {
        let mut help = Self::default();
        let mut section = "";
        for line in text.lines() {
            if let Some(heading) = line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
                section = heading;
                continue;
            }
            let entry = line.trim_start();
            let indent = line.len() - entry.len();
            if section == "Commands" && indent == 2 {
                help.commands.extend(entry.split_whitespace().next().map(str::to_owned));
            } else if entry.starts_with('-') {
                let long = entry.split_whitespace().find_map(|word| word.strip_prefix("--"));
                help.options.extend(long.map(|it| it.trim_end_matches([',', '.']).to_owned()));
            }
        }
        help.options.insert("help".to_owned());
        help
    }
}

fn full(path: &str) -> String {
    if path.is_empty() { NAME.to_owned() } else { format!("{NAME} {path}") }
}
