//! Two sites in one browser: ours behind nginx and TLS at `app.test`, and a hostile one that has `evil.test` and even a sibling host,
//! `sub.app.test`. All names lead to this machine; the browser holds them for different sites, as it would outside.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::personas::{
    ADA, Ask, Certificate, Chromium, Decoy, Nginx, PASSWORD, Place, Received, Running, Service, Vestibule,
    free_address, program,
};

/// Somebody who has an account of their own and means no good.
pub(crate) const MALLORY: &str = "mallory@example.com";

/// Ours, with a service behind.
pub(crate) struct Victim {
    /// Ends first: what asks before what answers.
    _nginx: Option<Nginx>,
    pub(crate) vestibule: Vestibule,
    pub(crate) service: Service,
    pub(crate) origin: String,
    /// Ada's subject.
    pub(crate) subject: String,
}

impl Victim {
    /// Behind nginx with TLS, as in production.
    pub(crate) fn over_https() -> Self {
        Self::over_https_with("")
    }

    /// The same with keys of `[sessions]`.
    pub(crate) fn over_https_with(sessions: &str) -> Self {
        let front = free_address();
        let origin = format!("https://app.test:{}", front.port());
        let certificate = Certificate::for_hosts(&["app.test"]);
        Self::build(Vestibule::installed(), origin, sessions, |vestibule, service| {
            let (public, internal) = (vestibule.public, vestibule.internal);
            Some(Nginx::start_tls(front, public, internal, service, &certificate))
        })
    }

    /// The built-in door on plain http, which browsers trust on loopback alone.
    pub(crate) fn on_localhost() -> Self {
        let vestibule = Vestibule::installed();
        let origin = format!("http://localhost:{}", vestibule.public.port());
        Self::build(vestibule, origin, "", |_, _| None)
    }

    fn build(
        mut vestibule: Vestibule,
        origin: String,
        sessions: &str,
        front: impl FnOnce(&Vestibule, SocketAddr) -> Option<Nginx>,
    ) -> Self {
        let service = Service::start();
        let top = format!("public_url = \"{origin}\"");
        let sections = format!(
            "[trusted_proxies]\nforward_auth = [\"127.0.0.1/32\"]\npublic = [\"127.0.0.1/32\"]\n\
             [sessions]\n{sessions}\n[sessions.remember]\nenabled = true\n[[audience]]\nname = \"orders\"\n\
             [[route]]\npath = \"/\"\naudience = \"orders\"\nupstream = \"http://{}\"\n",
            service.address
        );
        vestibule.configure(&top, &sections);
        vestibule.start();
        service.trust(&origin, "orders", vestibule.public);
        let subject = vestibule.operator.add_account(ADA);
        vestibule.operator.add_account(MALLORY);
        let nginx = front(&vestibule, service.address);
        Self { _nginx: nginx, vestibule, service, origin, subject }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Ada signs in and sees a page of the service.
    #[track_caller]
    pub(crate) fn sign_in(&self, chromium: &Chromium) {
        chromium.open(&self.url("/orders/"));
        chromium.sign_in(ADA, PASSWORD);
        chromium.wait_until("a page of the service", |page| page.url() == self.url("/orders/"));
        self.is_adas(chromium);
    }

    /// Ada goes back to her page: it is hers still, and the service heard of nothing but that.
    #[track_caller]
    pub(crate) fn is_adas(&self, chromium: &Chromium) {
        chromium.open(&self.url("/orders/"));
        assert_eq!(chromium.text(), format!("hello {}", self.subject));
        let lines: Vec<String> = self.service.take().into_iter().map(|received| received.line).collect();
        let expected =
            |line: &String| line.starts_with("GET /orders/ ") || line.starts_with("GET /favicon.ico ");
        assert!(!lines.is_empty() && lines.iter().all(expected), "{lines:?}");
    }

    /// Ada looks at a page; what the service received of it.
    #[track_caller]
    pub(crate) fn look(&self, chromium: &Chromium) -> Vec<Received> {
        self.service.take();
        chromium.open(&self.url("/orders/"));
        self.service.take()
    }

    /// A visitor without a session is sent to sign in.
    #[track_caller]
    pub(crate) fn is_a_strangers(&self, chromium: &Chromium) {
        chromium.open(&self.url("/orders/"));
        assert!(chromium.url().starts_with(&self.url("/auth/login")), "{}", chromium.url());
    }

    /// How many requests were refused so far, by the doors and by the pages.
    pub(crate) fn refusals(&self) -> f64 {
        let doors = |outcome| self.vestibule.metric("vestibule_decisions_total", outcome);
        let pages = self.vestibule.metric("vestibule_csrf_refused_total", "");
        doors("outcome=\"challenge\"") + doors("outcome=\"deny\"") + pages
    }

    /// The sessions of one account, as the operator sees them.
    pub(crate) fn sessions_of(&self, identifier: &str) -> usize {
        let subject = self.vestibule.operator.json(&["account", "show", identifier])["subject"].clone();
        let sessions = self.vestibule.operator.json(&["session", "list"]);
        sessions.as_array().unwrap().iter().filter(|session| session["subject"] == subject).count()
    }

    /// Waits for something of the server's.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < Duration::from_secs(20), "never came true: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Mallory's own session, as it stands in a cookie.
    pub(crate) fn mallorys_cookie(&self) -> String {
        let form = serde_json::json!({"identifier": MALLORY, "password": PASSWORD});
        let login = Ask::post("/auth/api/v1/login").json(&form).send(self.vestibule.public);
        assert_eq!(login.status, 200, "{login:?}");
        let line = login.header("set-cookie").unwrap();
        line.split(';').next().unwrap().split_once('=').unwrap().1.to_owned()
    }
}

/// A hostile site over TLS, or plainly on this machine.
pub(crate) struct Attacker {
    nginx: Option<Running>,
    _place: Place,
    decoy: Decoy,
    port: u16,
}

impl Attacker {
    /// At any host name, with valid TLS as far as this browser can tell. `cookies` are set by its page `/toss`; its page `/bounce/…`
    /// redirects with 307, body and method kept, to the same path of `target`.
    pub(crate) fn over_https(target: &str, cookies: &[String]) -> Self {
        let (place, decoy, address) = (Place::new(), Decoy::start(), free_address());
        let made = program("openssl", "openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=evil", "-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(place.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let cookies: String =
            cookies.iter().map(|cookie| format!("add_header Set-Cookie \"{cookie}\" always;\n")).collect();
        let configuration = format!(
            "worker_processes 1; pid nginx.pid; daemon off; error_log stderr notice; events {{}}\n\
             http {{ access_log off; server {{\n\
             listen {address} ssl; ssl_certificate certificate.pem; ssl_certificate_key key.pem;\n\
             location / {{ proxy_pass http://{decoy}; }}\n\
             location = /toss {{ {cookies} proxy_pass http://{decoy}; }}\n\
             location ~ ^/bounce(/.*) {{ return 307 {target}$1; }}\n\
             }} }}\n",
            decoy = decoy.address
        );
        let file = place.write("nginx.conf", &configuration);
        let mut command: Command = program("nginx", "nginx");
        command.arg("-p").arg(place.path()).arg("-c").arg(file).args(["-e", "stderr"]);
        let mut nginx = Running::start("the attacker's nginx", command, place.join("said.log"));
        nginx.wait_for("start worker process ");
        Self { nginx: Some(nginx), _place: place, decoy, port: address.port() }
    }

    /// Another program on the same machine.
    pub(crate) fn plain() -> Self {
        let decoy = Decoy::start();
        let port = decoy.address.port();
        Self { nginx: None, _place: Place::new(), decoy, port }
    }

    /// The request lines that reached it, from the first on.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.decoy.asked().iter().filter_map(|request| Some(request.lines().next()?.to_owned())).collect()
    }

    /// Whether it can redirect with 307.
    pub(crate) fn bounces(&self) -> bool {
        self.nginx.is_some()
    }

    /// Serves a page at one of its hosts; where it is.
    pub(crate) fn page(&self, host: &str, path: &str, html: &str) -> String {
        self.decoy.serve(path, &format!("<!doctype html><title>evil</title>{html}"));
        let scheme = if self.bounces() { "https" } else { "http" };
        format!("{scheme}://{host}:{}{path}", self.port)
    }
}
