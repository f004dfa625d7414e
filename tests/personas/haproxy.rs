//! A real HAProxy with the files that the documentation shows: `examples/haproxy`, only ports exchanged.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::installed::{example_path, program};
use super::nginx::exchange;
use super::place::Place;
use super::running::Running;

const EXAMPLE: &str = include_str!("../../examples/haproxy/haproxy.cfg");
const ACTION: &str = include_str!("../../examples/haproxy/vestibule.lua");

pub(crate) struct HaProxy {
    _running: Running,
    _place: Place,
}

impl HaProxy {
    /// In front of Vestibule's two listeners and a service.
    pub(crate) fn start(
        front: SocketAddr,
        public: SocketAddr,
        internal: SocketAddr,
        service: SocketAddr,
    ) -> Self {
        let place = Place::new();
        let (front_text, public) = (front.to_string(), public.to_string());
        let (internal, service) = (internal.to_string(), service.to_string());
        let configuration = exchange(
            EXAMPLE,
            &[
                ("127.0.0.1:8000", &front_text),
                ("app.example.com:8000", &format!("app.example.com:{}", front.port())),
                ("127.0.0.1:8080", &public),
                ("127.0.0.1:8081", &internal),
                ("127.0.0.1:9000", &service),
            ],
        );
        let file = place.write("haproxy.cfg", &configuration);
        place.write("vestibule.lua", ACTION);
        std::fs::create_dir(place.join("pages")).unwrap();
        for page in std::fs::read_dir(example_path("haproxy/pages")).unwrap() {
            let page = page.unwrap();
            std::fs::copy(page.path(), place.join("pages").join(page.file_name())).unwrap();
        }
        let mut command = program("haproxy", "haproxy");
        command.arg("-db").arg("-f").arg(file).current_dir(place.path());
        let running = Running::start("haproxy", command, place.join("said.log"));
        // It says nothing when it has begun.
        let began = Instant::now();
        while TcpStream::connect(front).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "haproxy does not listen:\n{}",
                running.logged()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { _running: running, _place: place }
    }
}
