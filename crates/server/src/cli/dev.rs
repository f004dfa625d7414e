//! `vestibule dev`: the main job on one command. Server, gateway and a small demo service on loopback, on a database of its own, with
//! a demo account whose password is drawn anew at every start. Out: how to sign in, then a line per swap.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use data_encoding::BASE32_DNSSEC;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use vestibule_core::account::password;
use vestibule_core::port::Entropy;
use vestibule_core::secret::Password;
use vestibule_verify::{KeySet, Verifier};
use zeroize::Zeroizing;

use super::output::say_once;
use super::serve::{HangUp, Server, block_on};
use super::{Context, Failure};
use crate::assemble::App;
use crate::config;
use crate::control::{Answer, Ask};
use crate::demo::{self, Demo};
use crate::host::entropy::SystemEntropy;
use crate::host::secret_file::{self, Sharing};
use crate::listen;
use crate::operator::Operator;
use crate::telemetry::{self, LogFormat};

const IDENTIFIER: &str = "ada@example.com";
const TRAITS: &str =
    r#"{"name":"Ada Lovelace","department":"R&D","address":{"city":"London","country":"GB"}}"#;
/// Security events and one line per swap; nothing else of what goes well.
const LOG_FILTER: &str = "warn,vestibule::event=info,vestibule::swap=debug";

#[derive(Args)]
pub(super) struct Dev {
    /// Port of the pages and the gateway, on loopback; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keep everything in this folder; without it in one that is removed at the end
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Dev {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        let _log = telemetry::log(context.log_format.or(Some(LogFormat::Human)), LOG_FILTER)?;
        let counters = telemetry::count()?;
        block_on(async {
            let public = listen::bind(([127, 0, 0, 1], self.port).into(), "--port").await?;
            let internal = listen::bind(([127, 0, 0, 1], 0).into(), "the internal listener").await?;
            let behind = listen::bind(([127, 0, 0, 1], 0).into(), "the demo service").await?;
            let folder = Folder::make(self.data_dir.as_deref())?;
            let file = folder.path.join("dev.toml");
            let text = configuration(port_of(&public)?, port_of(&internal)?, port_of(&behind)?);
            fs::write(&file, &text).map_err(|error| cannot("write", &file, &error))?;
            let settings = config::read(&text, &file.display().to_string(), &folder.path, &[])?;
            let server = Server::open_on(settings, counters, public, internal).await?;
            let password = demo_account(&server.app).await?;
            welcome(&server, &folder, &file, &password)?;
            drop(password);
            let demo = tokio::spawn(serve_demo(Arc::clone(&server.app), behind));
            let ended = server.run(HangUp::Ends).await;
            demo.abort();
            ended
        })
    }
}

/// The data folder; a temporary one goes when it is dropped.
struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    fn make(asked: Option<&Path>) -> Result<Self, Failure> {
        let path = match asked {
            Some(path) => path.to_owned(),
            None => {
                let mut random = [0; 10];
                SystemEntropy.fill(&mut random)?;
                std::env::temp_dir().join(format!("vestibule-dev-{}", BASE32_DNSSEC.encode(&random)))
            }
        };
        secret_file::private_dir(&path, Sharing::Refused)?;
        // Commands are started from elsewhere: the file they are pointed to must be found from there.
        let path = path.canonicalize().map_err(|error| cannot("find", &path, &error))?;
        Ok(Self { path, is_temporary: asked.is_none() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), error = %error, "the temporary folder stays behind");
        }
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot {what} {}: {error}", path.display()))
}

fn port_of(listener: &TcpListener) -> Result<u16, Failure> {
    let address = listener.local_addr();
    address
        .map(|it| it.port())
        .map_err(|error| Failure::Unknown(format!("a listener has no address: {error}")))
}

fn configuration(public: u16, internal: u16, behind: u16) -> String {
    format!(
        "# Written by `vestibule dev` at every start.\n\
         data_dir = \".\"\n\
         public_url = \"http://127.0.0.1:{public}\"\n\n\
         [listen]\n\
         public = \"127.0.0.1:{public}\"\n\
         internal = \"127.0.0.1:{internal}\"\n\n\
         [[audience]]\n\
         name = \"{audience}\"\n\
         claims = {{ email = \"account.identifier\", name = \"account.traits.name\", department = \"account.traits.department\", address = \"account.traits.address\" }}\n\n\
         [[route]]\n\
         path = \"/\"\n\
         audience = \"{audience}\"\n\
         headers = {{ \"x-auth-department\" = \"department\" }}\n\
         upstream = \"http://127.0.0.1:{behind}\"\n",
        audience = demo::AUDIENCE,
    )
}

/// Makes the demo account, or gives it a new password where a kept folder has it already.
async fn demo_account(app: &Arc<App>) -> Result<Zeroizing<String>, Failure> {
    let typed = random_password()?;
    let password =
        Password::parse(&typed).ok_or_else(|| Failure::Unknown("a drawn password is none".into()))?;
    let mut salt = [0; 16];
    SystemEntropy.fill(&mut salt)?;
    let hash = password::hash(&password, &salt, app.settings.passwords.cost)?.reveal().to_owned();
    let operator = Operator::new(Arc::clone(app));
    let traits = Some(TRAITS.to_owned());
    let add = Ask::AccountAdd {
        identifier: IDENTIFIER.to_owned(),
        traits: traits.clone(),
        password_hash: Some(hash.clone()),
    };
    let set =
        Ask::AccountSet { who: IDENTIFIER.to_owned(), identifier: None, traits, password_hash: Some(hash) };
    let answer = match operator.answer(add).await {
        Answer::Refused { .. } => operator.answer(set).await,
        answer => answer,
    };
    match answer {
        Answer::Refused { what } | Answer::Fault { what } => Err(Failure::Unknown(what)),
        _ => Ok(typed),
    }
}

/// 125 bits in five groups of five: short enough to type, long enough that nobody guesses it.
fn random_password() -> Result<Zeroizing<String>, Failure> {
    let mut random = Zeroizing::new([0; 16]);
    SystemEntropy.fill(&mut *random)?;
    let text = Zeroizing::new(BASE32_DNSSEC.encode(&*random));
    let groups: Vec<&str> = (0..5).filter_map(|group| text.get(group * 5..group * 5 + 5)).collect();
    Ok(Zeroizing::new(groups.join("-")))
}

/// Says how to sign in. The password is said nowhere else: without it there is nothing to try.
fn welcome(server: &Server, folder: &Folder, file: &Path, password: &str) -> Result<(), Failure> {
    let settings = &server.app.settings;
    say_once(&format!(
        "\nVestibule runs on this machine alone. Ctrl-C ends it{}.\n\n  \
           Open       {url}/\n  \
           Sign in    {IDENTIFIER}\n  \
           Password   {password}\n\n  \
           Keys       {url}/.well-known/jwks.json\n  \
           Metrics    http://{internal}/metrics\n  \
           Ask it     {program} session list --config {file}\n\n\
         A line for each session that is swapped for a JWT:\n",
        if folder.is_temporary { " and removes what it wrote" } else { "" },
        url = settings.public_url.as_str(),
        internal = server.internal_address(),
        // As it was started: whoever tries it has not installed it.
        program = std::env::args().next().unwrap_or_else(|| "vestibule".to_owned()),
        file = file.display(),
    ))
}

/// The service behind: it verifies with public keys alone, those that are published.
async fn serve_demo(app: Arc<App>, listener: TcpListener) {
    let demo = Demo {
        verifier: Verifier::new(app.minter.issuer(), demo::AUDIENCE, KeySet::default()),
        clock: Arc::clone(&app.clock),
        cookie: app.settings.session_cookie.as_str().to_owned(),
        portal: app.settings.paths.prefix().to_owned(),
        lines: Mutex::new(HashMap::new()),
        published: Box::new(move || app.minter.ring().published(app.clock.now()).unwrap_or_default()),
    };
    demo::serve(Arc::new(demo), listener).await;
}
