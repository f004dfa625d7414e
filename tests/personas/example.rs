//! Services behind in other languages as their authors would write them: the examples of `examples/`, as they stand.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use super::installed::{example_path, oracles, program, python_of, script_path};
use super::place::{Place, free_address};
use super::running::Running;

/// Which example.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Example {
    Express,
    /// Flask with CSRF tokens of its own.
    FlaskWtf,
    /// Express as it comes: it takes `/ADMIN/` for `/admin/`.
    LenientExpress,
    Starlette,
}

pub(crate) struct ExampleService {
    pub(crate) address: SocketAddr,
    _running: Running,
    _place: Place,
}

impl ExampleService {
    /// Starts it for the audience `orders`; it looks for the keys where the issuer says they are.
    pub(crate) fn start(example: Example, issuer: &str) -> Self {
        Self::start_with(example, issuer, |_| {})
    }

    /// The same with something of the story's own about it.
    pub(crate) fn start_with(example: Example, issuer: &str, change: impl FnOnce(&mut Command)) -> Self {
        let (place, address) = (Place::new(), free_address());
        let mut command = match example {
            Example::Express | Example::LenientExpress => {
                // Beside its libraries, as `npm install` would put them.
                let script = place.join("service.mjs");
                let original = match example {
                    Example::LenientExpress => script_path("lenient_express.mjs"),
                    _ => example_path("express/service.mjs"),
                };
                std::fs::copy(original, &script).unwrap();
                let libraries = oracles("node").join("node_modules");
                std::os::unix::fs::symlink(libraries, place.join("node_modules")).unwrap();
                let mut command = program("node", "nodejs");
                command.arg(script);
                command
            }
            Example::FlaskWtf => python_of(&script_path("flask_wtf_service.py")),
            Example::Starlette => {
                let mut command = Command::new(oracles("python").join("bin/python"));
                command.arg("-u").arg(example_path("starlette/service.py"));
                command
            }
        };
        command.args([issuer, "orders", &address.port().to_string()]);
        change(&mut command);
        let name = match example {
            Example::Express | Example::LenientExpress => "the service on Express",
            Example::FlaskWtf => "the service on Flask",
            Example::Starlette => "the service on Starlette",
        };
        let running = Running::start(name, command, place.join("service.log"));
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not listen: {}", running.logged());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { address, _running: running, _place: place }
    }
}
