//! A service behind as its authors would write it: the example of `vestibule-verify`'s `axum` feature, built and started as it stands.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::place::{Place, free_address};
use super::running::Running;

pub(crate) struct Application {
    pub(crate) address: SocketAddr,
    _place: Place,
    _running: Running,
}

impl Application {
    /// Starts it for the audience `orders`; it looks for the keys where the issuer says they are.
    pub(crate) fn start(issuer: &str) -> Self {
        Self::start_with(issuer, |_| {})
    }

    /// The same with something of the story's own about it.
    pub(crate) fn start_with(issuer: &str, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(built());
        change(&mut command);
        Self::start_by(issuer, command)
    }

    /// The same, trusting this certificate and no other.
    pub(crate) fn start_trusting(certificate: &Path, issuer: &str) -> Self {
        let mut command = Command::new(built());
        command.env("SSL_CERT_FILE", certificate);
        Self::start_by(issuer, command)
    }

    fn start_by(issuer: &str, mut command: Command) -> Self {
        let (place, address) = (Place::new(), free_address());
        command.args([issuer, "orders"]).arg(address.to_string());
        let running = Running::start("the axum application", command, place.join("said.log"));
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not listen: {}", running.logged());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { address, _place: place, _running: running }
    }
}

/// Builds the example with the cargo that built this test, into the same folder.
fn built() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let target = PathBuf::from(env!("CARGO_BIN_EXE_vestibule"));
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--package",
                "vestibule-verify",
                "--features",
                "axum,client",
                "--example",
                "axum",
            ])
            .args(["--message-format", "json-render-diagnostics", "--target-dir"])
            .arg(target.parent().and_then(|it| it.parent()).unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        messages.filter_map(|it| it["executable"].as_str().map(PathBuf::from)).next_back().unwrap()
    };
    BUILT.get_or_init(build).clone()
}
