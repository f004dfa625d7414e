//! Tells the program which compiler built it: figures are quoted with it.

use std::io::Write;
use std::process::Command;

fn main() -> std::io::Result<()> {
    let compiler = option("RUSTC");
    let said = Command::new(compiler).arg("--version").output()?;
    let version = String::from_utf8_lossy(&said.stdout);
    // "rustc 1.95.0 (59807616e 2026-04-14)": the version is enough.
    let short: Vec<&str> = version.split_whitespace().take(2).collect();
    writeln!(std::io::stdout(), "cargo::rustc-env=VESTIBULE_BENCH_RUSTC={}", short.join(" "))?;
    writeln!(std::io::stdout(), "cargo::rerun-if-changed=build.rs")
}

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything through the environment")]
fn option(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| "rustc".to_owned())
}
