//! `vestibule dev` as its first visitor meets it: signs in, sees what the service behind was given, tries what must not work, ends
//! the session, and finds nothing left behind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running `vestibule dev`, and what it printed.
struct Dev {
    child: Child,
    address: SocketAddr,
    password: String,
    config: PathBuf,
    greeting: String,
}

impl Dev {
    fn start(more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["dev", "--port", "0"])
            .args(more)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut printed = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let is_last = line.starts_with("A line for each");
            printed.push(line);
            if is_last {
                break;
            }
        }
        let said = |name: &str| {
            let line = printed.iter().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {printed:?}")).trim().to_owned()
        };
        Self {
            address: said("Open").trim_start_matches("http://").trim_end_matches('/').parse().unwrap(),
            password: said("Password"),
            config: PathBuf::from(said("Ask it").rsplit_once(' ').unwrap().1),
            greeting: said("Vestibule runs on this machine alone."),
            child,
        }
    }

    /// One request; head and body of the answer.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// Signs in; the Cookie header of a browser.
    fn sign_in(&self) -> String {
        let body = format!(r#"{{"identifier":"ada@example.com","password":"{}"}}"#, self.password);
        let (head, body) =
            self.ask("POST", "/auth/api/v1/login", "Content-Type: application/json\r\n", &body);
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: vestibule="));
        let value = cookie.unwrap_or_else(|| panic!("{head}{body}")).split(';').next().unwrap();
        format!("Cookie: vestibule={value}\r\n")
    }

    fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "Ctrl-C is the way to end it, and no error");
        let is_said_to_go = self.greeting == "Ctrl-C ends it and removes what it wrote.";
        assert!(is_said_to_go || self.greeting == "Ctrl-C ends it.", "{}", self.greeting);
        let is_there = self.config.parent().unwrap_or(Path::new("/")).exists();
        assert_ne!(is_there, is_said_to_go, "it keeps or removes what it wrote, as it said");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n";

#[test]
fn the_demo_shows_the_swap_and_what_must_not_work_does_not() {
    let dev = Dev::start(&[]);
    let navigation = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n";
    let (head, _) = dev.ask("GET", "/", navigation, "");
    assert!(head.starts_with("HTTP/1.1 302") && head.contains("/auth/login?return_to=/"), "{head}");

    let cookie = dev.sign_in();
    let (head, page) = dev.ask("GET", "/", &cookie, "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for shown in [
        "ada@example.com",
        "&quot;typ&quot;: &quot;at+jwt&quot;",
        "&quot;department&quot;: &quot;R&amp;D&quot;",
    ] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }
    let secret = cookie.trim().rsplit_once('=').unwrap().1;
    assert!(!page.contains(secret), "the service saw the session");

    let forged = "X-Auth-Subject: mallory\r\nX_Auth_Subject: mallory\r\nX-Auth-Department: mallory\r\n";
    let (_, received) = dev.ask("GET", "/demo/received", &format!("{cookie}{forged}"), "");
    assert!(received.contains("x-auth-subject") && !received.contains("mallory"), "{received}");

    let token = page.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let (head, body) = dev.ask("POST", "/demo/lines", &format!("{cookie}{FORM}"), "line=forged");
    assert!(head.starts_with("HTTP/1.1 403") && body.contains("\"csrf\""), "{head}{body}");
    let written = format!("line=%3Cb%3Ehello&csrf_token={token}");
    let (head, _) = dev.ask("POST", "/demo/lines", &format!("{cookie}{FORM}"), &written);
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let (_, page) = dev.ask("GET", "/", &cookie, "");
    assert!(page.contains("&lt;b&gt;hello") && !page.contains("<b>hello") && !page.contains("<li>forged"));

    let ending = format!("csrf_token={token}&return_to=%2F");
    let (head, _) = dev.ask("POST", "/auth/logout", &format!("{cookie}{FORM}"), &ending);
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let (head, _) = dev.ask("GET", "/", &format!("{cookie}{navigation}"), "");
    assert!(head.starts_with("HTTP/1.1 302") && head.contains("/auth/login"), "{head}");
    let config = dev.config.clone();
    dev.end();
    assert!(!config.exists());
}

#[test]
fn a_folder_of_ones_own_stays() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Dev::start(&["--data-dir", data.to_str().unwrap()]).end();
    assert!(data.join("vestibule.db").exists());
}

#[test]
fn commands_reach_it_by_the_file_it_names() {
    let dev = Dev::start(&[]);
    dev.sign_in();
    let sessions = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["session", "list", "--json", "--config"])
        .arg(&dev.config)
        .output()
        .unwrap();
    let sessions = String::from_utf8(sessions.stdout).unwrap();
    assert!(sessions.starts_with("[{\"session\""), "{sessions}");
    dev.end();
}
