//! A service that is a CGI program behind a real lighttpd: it prints its environment. In: an address. Out: a server whose answers are the
//! variables that the server has made of the headers (RFC 3875 section 4.1.18).

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::installed::program;
use super::place::{Place, free_address};
use super::running::Running;

const PROGRAM: &str = "printf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n";

pub(crate) struct Lighttpd {
    pub(crate) address: SocketAddr,
    _running: Running,
    _place: Place,
}

impl Lighttpd {
    pub(crate) fn start() -> Self {
        let (place, address) = (Place::new(), free_address());
        place.write("who.cgi", PROGRAM);
        let configuration = format!(
            "server.document-root = \"{}\"\n\
             server.bind = \"{}\"\n\
             server.port = {}\n\
             server.modules = ( \"mod_rewrite\", \"mod_cgi\" )\n\
             url.rewrite-once = ( \".*\" => \"/who.cgi\" )\n\
             cgi.assign = ( \".cgi\" => \"/bin/sh\" )\n",
            place.path().display(),
            address.ip(),
            address.port()
        );
        let file = place.write("lighttpd.conf", &configuration);
        let mut command = program("lighttpd", "lighttpd");
        command.arg("-D").arg("-f").arg(file);
        let running = Running::start("lighttpd", command, place.join("said.log"));
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "lighttpd does not listen:\n{}",
                running.logged()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { address, _running: running, _place: place }
    }
}
