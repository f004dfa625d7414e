//! The end of a server that balancers are to notice first.

use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::place::*;

const READY: &str = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const PAGE: &str = "GET /auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn a_server_says_that_it_will_end_before_it_takes_no_more() {
    let place = Place::new();
    let [public, internal] = free_addresses();
    let notice = "[listen]\ndrain_notice = \"2s\"\n";
    place.write_config(&routes(public, internal, "/orders/").replace("[listen]\n", notice));
    let log = place.folder.path().join("log");
    let child = Command::new(BINARY)
        .arg("serve")
        .env("VESTIBULE_CONFIG", place.config())
        .env_remove("RUST_LOG")
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut server = Server { child, public, internal, log };
    server.wait_for("\"ready\"");
    assert!(exchange(internal, READY).starts_with("HTTP/1.1 200"));

    let began = Instant::now();
    server.signal("TERM");
    server.wait_for("until balancers had time to notice");
    assert!(exchange(internal, READY).starts_with("HTTP/1.1 503"));
    assert!(exchange(public, PAGE).starts_with("HTTP/1.1 200"), "new requests are taken as ever");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() >= Duration::from_secs(2), "it ended after {:?}", began.elapsed());
    assert!(TcpStream::connect(public).is_err());

    place.write_config("[listen]\ndrain_notice = \"10m\"");
    place.fails(2, &["config", "check"], "", "listen.drain_notice: 10m is too long; 5m is the most");
}
