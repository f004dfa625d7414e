//! An installation of its own, as `init` makes it, and its running server. In: commands. Out: how they ended.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

/// An installation of its own, as `init` makes it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let ended = place.run(&["init", "--hash-time", "0", place.folder.path().to_str().unwrap()], "");
        assert_eq!(ended.code, 0, "{ended:?}");
        place
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("vestibule.toml")
    }

    pub(crate) fn write_config(&self, text: &str) {
        let secrets =
            "[secrets]\nseal_key_file = \"secrets/seal.key\"\npepper_file = \"secrets/pepper.key\"\n";
        fs::write(self.config(), format!("{text}\n{secrets}")).unwrap();
    }

    /// Runs a command to its end. One that does not end within two minutes is ended, with code 124.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Ended {
        let mut child = Command::new("timeout")
            .args(["--kill-after=5", "120", BINARY])
            .args(arguments)
            .env("VESTIBULE_CONFIG", self.config())
            .env_remove("RUST_LOG")
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that wants no input may be gone already.
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str], stdin: &str) -> String {
        let ended = self.run(arguments, stdin);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.out
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat(), "")).unwrap()
    }

    /// A command that fails says why in one line, and what to do.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, arguments: &[&str], stdin: &str, says: &str) {
        let ended = self.run(arguments, stdin);
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        let line = ended.err.lines().find(|line| line.starts_with("vestibule: ")).unwrap_or_default();
        assert!(line.contains(says), "{arguments:?} should say {says:?}: {ended:?}");
        assert_eq!(ended.err.lines().filter(|line| line.starts_with("vestibule: ")).count(), 1, "{ended:?}");
        assert!(!ended.err.contains(PASSWORD) && !ended.out.contains(PASSWORD), "{ended:?}");
    }
}

/// A running server; ended by its own process id.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) log: PathBuf,
}

impl Server {
    pub(crate) fn start(place: &Place) -> Self {
        Self::start_with(place, "")
    }

    /// Starts with more in the configuration than one route.
    pub(crate) fn start_with(place: &Place, more: &str) -> Self {
        let [public, internal] = free_addresses();
        place.write_config(&format!("{}{more}", routes(public, internal, "/orders/")));
        let log = place.folder.path().join("log");
        let child = Command::new(BINARY)
            .arg("serve")
            .env("VESTIBULE_CONFIG", place.config())
            .env_remove("RUST_LOG")
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, public, internal, log };
        server.wait_for("\"ready\"");
        server
    }

    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_for_line(&[text]);
    }

    /// Waits for a line in the log with all of these: it is written beside the answers, not before them.
    pub(crate) fn wait_for_line(&self, texts: &[&str]) {
        let began = Instant::now();
        while !self.logged().lines().any(|line| texts.iter().all(|text| line.contains(text))) {
            assert!(began.elapsed() < Duration::from_secs(20), "no {texts:?}: {}", self.logged());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn end(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Signs in as a program does; the session token.
    pub(crate) fn sign_in(&self, identifier: &str) -> String {
        let answer = self.try_to_sign_in(identifier, PASSWORD);
        let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1)
            .unwrap_or_else(|_| panic!("{answer}"));
        json["session_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Tries to sign in as a program does; the whole answer.
    pub(crate) fn try_to_sign_in(&self, identifier: &str, password: &str) -> String {
        let body = format!(r#"{{"identifier":"{identifier}","password":"{password}","deliver":"body"}}"#);
        let head = format!(
            "POST /auth/api/v1/login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.public,
            body.len()
        );
        exchange(self.public, &head)
    }

    /// Asks /check as nginx does.
    pub(crate) fn check(&self, session_token: &str, path: &str) -> String {
        let head = format!(
            "GET /check HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {session_token}\r\n\
             X-Original-Method: GET\r\nX-Original-URL: http://app.test{path}\r\n\r\n"
        );
        exchange(self.internal, &head)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn free_addresses() -> [SocketAddr; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

pub(crate) fn routes(public: SocketAddr, internal: SocketAddr, path: &str) -> String {
    format!(
        "[listen]\npublic = \"{public}\"\ninternal = \"{internal}\"\n\
         [[audience]]\nname = \"orders\"\nclaims = {{ department = \"account.traits.department\" }}\n\
         [[route]]\npath = \"{path}\"\naudience = \"orders\"\n"
    )
}
