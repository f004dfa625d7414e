//! A real Caddy with the file that the documentation shows: `examples/caddy/Caddyfile`, only ports exchanged.

use std::net::SocketAddr;

use super::installed::program;
use super::nginx::exchange;
use super::place::{Place, free_address};
use super::running::Running;

const EXAMPLE: &str = include_str!("../../examples/caddy/Caddyfile");

pub(crate) struct Caddy {
    _running: Running,
    _place: Place,
}

impl Caddy {
    /// In front of Vestibule's two listeners and a service.
    pub(crate) fn start(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
    ) -> Self {
        Self::start_extended(front, public, internal, service, &[])
    }

    /// The same with changes, as an operator makes them who starts from the file.
    pub(crate) fn start_extended(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
        changes: &[(&str, &str)],
    ) -> Self {
        let place = Place::new();
        let example = exchange(EXAMPLE, changes);
        let configuration = exchange(
            &example,
            &[
                ("127.0.0.1:8000", &front.to_string()),
                ("app.example.com:8000", &format!("app.example.com:{}", front.port())),
                ("127.0.0.1:8080", &public.to_string()),
                ("127.0.0.1:8081", &internal.to_string()),
                ("127.0.0.1:8002", &free_address().to_string()),
                ("127.0.0.1:9000", &service.to_string()),
            ],
        );
        let file = place.write("Caddyfile", &configuration);
        let mut command = program("caddy", "caddy");
        command.arg("run").arg("--config").arg(file).args(["--adapter", "caddyfile"]);
        // It keeps state of its own: here, and not in anybody's home.
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, place.path());
        }
        let mut running = Running::start("caddy", command, place.join("said.log"));
        running.wait_for("serving initial configuration");
        Self { _running: running, _place: place }
    }
}
