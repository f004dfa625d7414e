//! The command line. In: arguments. Out: one command run, and how it went: 1 refused or not found, 2 bad usage or
//! configuration, 3 could not tell.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use vestibule_core::Fault;

use crate::config::{ConfigError, Settings, Source};
use crate::control::client::Desk;
use crate::control::{Answer, Ask};
use crate::host::file_size;
use crate::telemetry::{self, LogFormat};

mod account;
mod client;
mod config;
mod dev;
mod explain;
mod init;
mod input;
mod key;
mod output;
mod serve;
mod session;
mod terminal;
mod token;

/// Sessions outside, short-lived JWTs inside: an authentication server and gateway.
#[derive(Parser)]
#[command(name = "vestibule", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Configuration file; without it ./vestibule.toml, if there is one, else defaults
    #[arg(long, global = true, env = "VESTIBULE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How log lines look; without it human on a terminal, else json
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it: server, gateway and a demo service on loopback, with a demo account
    Dev(dev::Dev),
    /// Run the server
    Serve,
    /// Write a commented configuration and the secrets it needs
    Init(init::Init),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Accounts: who may sign in, and what services are told about them
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// OAuth clients: programs that prove who they are, and what each may ask for
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Live sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// The signing key ring
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Read or verify a JWT
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// The decision path for one request
    Explain(explain::Explain),
}

/// Why a command did not do what was asked: one line on stderr, and an exit code.
pub(crate) enum Failure {
    /// 1: the answer is no, or there is no such thing.
    Refused(String),
    /// 3: it could not be told.
    Unknown(String),
    /// 2: the command or the configuration is wrong.
    Usage(String),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), Failure> {
        file_size::fail_by_error()
            .map_err(|error| Failure::Unknown(format!("signals cannot be received: {error}")))?;
        let context = Context { source: Source::find(self.config), log_format: self.log_format };
        match self.command {
            Command::Account(command) => command.run(&context),
            Command::Client(command) => command.run(&context),
            Command::Config(command) => command.run(&context),
            Command::Dev(command) => command.run(&context),
            Command::Explain(command) => command.run(&context),
            Command::Init(command) => command.run(),
            Command::Key(command) => command.run(&context),
            Command::Serve => serve::run(&context),
            Command::Session(command) => command.run(&context),
            Command::Token(command) => command.run(&context),
        }
    }
}

/// Says on stderr what is wrong with the arguments.
pub(crate) fn report_usage(usage: &str) {
    output::usage_lines(usage);
}

/// What every command may need.
struct Context {
    source: Source,
    log_format: Option<LogFormat>,
}

impl Context {
    fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.source.load()?)
    }

    /// Asks the running server, or the store where none runs, as often as `asks` wants.
    fn ask<T>(&self, asks: impl AsyncFnOnce(&Desk) -> Result<T, Failure>) -> Result<T, Failure> {
        let _log = telemetry::log(self.log_format, "warn")?;
        let settings = self.settings()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Unknown(format!("the runtime cannot start: {error}")))?;
        runtime.block_on(async {
            let desk = Desk::find(settings, &self.source).await?;
            if let Some(store) = desk.store() {
                output::note(&format!("no server runs here; this works on the store {store}"));
            }
            let answer = asks(&desk).await;
            desk.close().await?;
            answer
        })
    }
}

/// Asks one thing; what is refused or could not be told is a failure.
async fn ask_one(desk: &Desk, ask: Ask) -> Result<Answer, Failure> {
    match desk.ask(ask).await? {
        Answer::Fault { what } => Err(Failure::Unknown(what)),
        Answer::Refused { what } => Err(Failure::Refused(what)),
        answer => Ok(answer),
    }
}

impl Failure {
    /// The server's answer was of another kind than the question.
    fn mismatch() -> Self {
        Self::Unknown("the running server answered something else; is it of another version?".to_owned())
    }

    /// What is said of it.
    fn what(&self) -> &str {
        match self {
            Self::Refused(what) | Self::Unknown(what) | Self::Usage(what) => what,
        }
    }

    /// The same, with what followed from it.
    fn and(mut self, then: &str) -> Self {
        let (Self::Refused(what) | Self::Unknown(what) | Self::Usage(what)) = &mut self;
        what.push_str("; ");
        what.push_str(then);
        self
    }

    /// Says it on stderr.
    pub(crate) fn report(self) -> ExitCode {
        ExitCode::from(self.say())
    }

    /// Says it on stderr; the exit code.
    fn say(self) -> u8 {
        let (code, what) = match self {
            Self::Refused(what) => (1, what),
            Self::Unknown(what) => (3, what),
            Self::Usage(what) => (2, what),
        };
        output::error_line(&what);
        code
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Unknown(fault.report())
    }
}

/// What went wrong on the way, with its causes: a fault could not be told, all else is the operator's to put right.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Fault>() {
            Ok(fault) => fault.into(),
            Err(error) => Self::Usage(format!("{error:#}")),
        }
    }
}
