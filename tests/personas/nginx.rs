//! A real nginx with the file that the documentation shows: `examples/nginx/nginx.conf`, only ports exchanged.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use super::installed::program;
use super::place::{Place, free_address};
use super::running::Running;

const EXAMPLE: &str = include_str!("../../examples/nginx/nginx.conf");
const README: &str = include_str!("../../README.md");
const SET_COOKIE: &str = include_str!("../../examples/nginx/set-cookie.js");
const INTROSPECTING: &str = include_str!("../../examples/nginx-introspection/nginx.conf");

pub(crate) struct Nginx {
    _running: Running,
    _place: Place,
}

/// A throw-away certificate.
pub(crate) struct Certificate {
    place: Place,
    hosts: String,
}

impl Certificate {
    /// For these host names, signed by itself.
    pub(crate) fn for_hosts(hosts: &[&str]) -> Self {
        let place = Place::new();
        let names: Vec<String> = hosts.iter().map(|host| format!("DNS:{host}")).collect();
        let made = program("openssl", "openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=story", "-addext"])
            .arg(format!("subjectAltName={}", names.join(",")))
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(place.join("key.pem"))
            .arg("-out")
            .arg(place.join("certificate.pem"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        Self { place, hosts: hosts.join(" ") }
    }

    fn key(&self) -> PathBuf {
        self.place.join("key.pem")
    }

    /// Where it is, for those who are to trust it.
    pub(crate) fn chain(&self) -> PathBuf {
        self.place.join("certificate.pem")
    }
}

impl Nginx {
    /// In front of Vestibule's two listeners and a service.
    pub(crate) fn start(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
    ) -> Self {
        Self::start_with(&configuration(front, public, internal, service))
    }

    /// The same behind TLS, as the file says for production.
    pub(crate) fn start_tls(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
        certificate: &Certificate,
    ) -> Self {
        let (listen, listen_default) =
            (format!("listen {front};"), format!("listen {front} default_server;"));
        let tls = format!(
            "ssl_certificate {}; ssl_certificate_key {};",
            certificate.chain().display(),
            certificate.key().display()
        );
        Self::start_with(&exchange(
            &configuration(front, public, internal, service),
            &[
                (&listen, &format!("listen {front} ssl; {tls}")),
                (&listen_default, &format!("listen {front} ssl default_server; {tls}")),
                ("app.example.com", &certificate.hosts),
            ],
        ))
    }

    /// The same with more in it, as somebody would add it who starts from the file.
    pub(crate) fn start_extended(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
        changes: &[(&str, &str)],
    ) -> Self {
        Self::start_with(&exchange(&configuration(front, public, internal, service), changes))
    }

    /// The other file that the documentation shows, `examples/nginx-introspection/nginx.conf`, for a client with this proof.
    pub(crate) fn introspecting(
        front: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
        proof: &str,
    ) -> Self {
        let place = Place::new();
        place.write("client.conf", &format!("proxy_set_header Authorization \"{proof}\";"));
        let (front, internal, service) = (front.to_string(), internal.to_string(), service.to_string());
        let pairs = [
            ("error_log error.log;", ""),
            ("127.0.0.1:8000", front.as_str()),
            ("127.0.0.1:8081", &internal),
            ("127.0.0.1:9000", &service),
        ];
        Self::start_in(place, &exchange(INTROSPECTING, &pairs))
    }

    /// The few lines that the README shows, in a server of their own.
    pub(crate) fn of_readme(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
    ) -> Self {
        let (_, shown) = README.split_once("```nginx\n").unwrap();
        let (shown, _) = shown.split_once("```").unwrap();
        let (public, internal, service) = (public.to_string(), internal.to_string(), service.to_string());
        let addresses = [
            ("127.0.0.1:8080", public.as_str()),
            ("127.0.0.1:8081", internal.as_str()),
            ("127.0.0.1:9000", service.as_str()),
        ];
        let locations = exchange(shown, &addresses);
        Self::start_with(&format!(
            "pid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\nserver {{\nlisten {front};\n{locations}}}\n}}\n"
        ))
    }

    fn start_with(configuration: &str) -> Self {
        let place = Place::new();
        place.write("set-cookie.js", SET_COOKIE);
        Self::start_in(place, configuration)
    }

    fn start_in(place: Place, configuration: &str) -> Self {
        let file = place.write("nginx.conf", configuration);
        let mut command = program("nginx", "nginx");
        command.arg("-p").arg(place.path()).arg("-c").arg(file).args(["-e", "error.log"]);
        // For a test: in the foreground, and saying so when it has begun.
        command.args(["-g", "daemon off; error_log stderr notice;"]);
        let mut running = Running::start("nginx", command, place.join("said.log"));
        running.wait_for("start worker process ");
        Self { _running: running, _place: place }
    }
}

fn configuration(front: SocketAddr, public: SocketAddr, internal: SocketAddr, service: SocketAddr) -> String {
    let (front, public) = (front.to_string(), public.to_string());
    let (internal, service) = (internal.to_string(), service.to_string());
    exchange(
        EXAMPLE,
        &[
            ("error_log error.log;", ""),
            ("127.0.0.1:8000", &front),
            ("127.0.0.1:8080", &public),
            ("127.0.0.1:8081", &internal),
            ("127.0.0.1:8002", &free_address().to_string()),
            ("127.0.0.1:9000", &service),
        ],
    )
}

/// Exchanges exact texts, each of which must be there.
pub(crate) fn exchange(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the example no longer says {from:?}");
        text.replace(from, to)
    })
}
