//! `cargo xtask mutants`: changes the guards one operator at a time and runs their crate's tests, which must notice (cargo-mutants). In:
//! names of groups, options of cargo-mutants. Out: what it found; exit 0 every change was noticed, 1 some were not, 2 could not run.
//!
//! On demand only: one change costs a build and a test run. `.cargo/mutants.toml` lists the changes that no test can notice, with reasons.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::checkout;

/// Change the guards one operator at a time; their tests must notice (needs cargo-mutants; takes an hour or more)
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which guards; all when none is named
    groups: Vec<Group>,
    /// Only list the changes, without running tests
    #[arg(long)]
    list: bool,
    /// Options for cargo-mutants, after `--`, such as `--in-place` or `--shard 0/4`
    #[arg(last = true, value_name = "OPTION")]
    passed_on: Vec<String>,
}

/// Guards that belong together, in one crate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Group {
    /// Cookies, bearer credentials, forwarded headers, forms, CSRF tokens and origins
    Wire,
    /// Routes, paths and the decision
    Decide,
    /// Minting, exchange and introspection
    Mint,
    /// Login throttling and the pace of questions
    Throttle,
    /// The gateway's removal of headers
    Scrub,
    /// Verification of JWTs by services
    Verify,
}

impl Group {
    const fn package(self) -> &'static str {
        match self {
            Self::Wire | Self::Decide | Self::Mint | Self::Throttle => "vestibule-core",
            Self::Scrub => "vestibule-gateway",
            Self::Verify => "vestibule-verify",
        }
    }

    /// The files, as globs from the root.
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Wire => &[
                "crates/core/src/wire/*.rs",
                "crates/core/src/wire/cookie/*.rs",
                "crates/core/src/csrf.rs",
                "crates/core/src/csrf/origin.rs",
            ],
            Self::Decide => {
                &["crates/core/src/decide.rs", "crates/core/src/route.rs", "crates/core/src/route/*.rs"]
            }
            Self::Mint => &[
                "crates/core/src/mint.rs",
                "crates/core/src/mint/*.rs",
                "crates/core/src/exchange.rs",
                "crates/core/src/introspect.rs",
                "crates/core/src/token.rs",
            ],
            Self::Throttle => &[
                "crates/core/src/throttle.rs",
                "crates/core/src/throttle/*.rs",
                "crates/core/src/introspect/pace.rs",
            ],
            Self::Scrub => &[
                "crates/gateway/src/scrub.rs",
                "crates/gateway/src/scrub/*.rs",
                "crates/gateway/src/identity.rs",
            ],
            Self::Verify => &[
                "crates/verify/src/hygiene.rs",
                "crates/verify/src/verifier.rs",
                "crates/verify/src/claims.rs",
            ],
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let (root, cargo) = (checkout::root(None)?, checkout::cargo());
    let mut version = Command::new(&cargo);
    version.args(["mutants", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().context("cannot start cargo")?.success() {
        bail!("cargo-mutants is not installed; run: cargo install --locked cargo-mutants");
    }
    let groups = if args.groups.is_empty() { Group::value_variants().to_vec() } else { args.groups.clone() };
    let mut worst = ExitCode::SUCCESS;
    for group in groups {
        let mut command = Command::new(&cargo);
        command.current_dir(&root).arg("mutants").args(["--package", group.package(), "--all-features"]);
        for file in group.files() {
            command.args(["--file", file]);
        }
        if args.list {
            command.arg("--list");
        }
        // cargo-mutants ends with 2 when a change went unnoticed and with 3 when a test ran out of time.
        match command.args(&args.passed_on).status()?.code() {
            Some(0) => {}
            Some(2 | 3) => worst = ExitCode::from(1),
            _ => bail!("cargo-mutants could not run"),
        }
    }
    Ok(worst)
}
