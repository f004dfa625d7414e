//! The program itself as a server to be measured: `vestibule serve` on a filled data folder. In: the program's file. Out: a process
//! and the addresses of its listeners.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::app::{LIFETIME, ORIGIN};
use crate::child::Started;
use crate::home::Home;

/// A program that answers, until it is dropped.
pub(super) struct Running {
    pub(super) process: Started,
    pub(super) public: SocketAddr,
    pub(super) internal: SocketAddr,
}

/// Starts it with one thread for requests, to be compared with a server that has one.
pub(super) fn start(program: &Path, home: &Home) -> Result<(Started, SocketAddr)> {
    let mut command = Command::new(program);
    let running = started(command.env("TOKIO_WORKER_THREADS", "1"), home)?;
    Ok((running.process, running.internal))
}

/// Starts it as an operator would.
pub(super) fn start_whole(program: &Path, home: &Home) -> Result<Running> {
    started(&mut Command::new(program), home)
}

fn started(command: &mut Command, home: &Home) -> Result<Running> {
    let configuration = home.folder().join("vestibule.toml");
    fs::write(&configuration, text(home)?)?;
    command.args(["--log-format", "json", "--config"]).arg(&configuration).arg("serve");
    let (process, mut said) = Started::other(command)?;
    loop {
        let line = said.next().context("the program did not start")?;
        let line: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let address = |name: &str| line.get(name).and_then(Value::as_str);
        if let (Some(internal), Some(public)) = (address("internal"), address("public")) {
            let (internal, public) = (internal.parse()?, public.parse()?);
            // What it logs from here on must not fill the pipe and hold it up.
            std::thread::spawn(move || while said.next().is_ok() {});
            return Ok(Running { process, public, internal });
        }
    }
}

fn text(home: &Home) -> Result<String> {
    let folder = home.folder().to_str().context("the temporary folder has no plain name")?;
    let lifetime = LIFETIME.as_secs();
    Ok(format!(
        r#"data_dir = "{folder}"
public_url = "{ORIGIN}"
[listen]
public = "127.0.0.1:0"
internal = "127.0.0.1:0"
[secrets]
seal_key_file = "{folder}/seal.key"
pepper_file = "{folder}/pepper.key"
[trusted_proxies]
forward_auth = ["127.0.0.1/32"]
public = ["127.0.0.1/32"]
[[audience]]
name = "orders"
lifetime = "{lifetime}s"
claims = {{ department = "account.traits.department", email = "account.identifier" }}
[[route]]
host = "app.example.com"
path = "/orders/"
audience = "orders"
headers = {{ "x-auth-department" = "department" }}
[[route]]
host = "app.example.com"
path = "/reports/"
audience = "orders"
headers = {{ "x-auth-department" = "department" }}
"#
    ))
}
