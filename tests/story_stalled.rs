//! Somebody begins forms and never ends them, until every place is taken. Who comes then is served all the same, straight and through a
//! proxy, which speaks for both.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::personas::{Ask, Door, Scene, Vestibule};

/// A quarter of the files that the process may have open are places.
const FILES: usize = 256;
const PLACES: usize = FILES / 4;

/// DS-02: a stalled body keeps no place that somebody needs.
#[test]
fn forms_that_never_end_keep_nobody_from_the_login_page() {
    for door in [Door::BuiltIn, Door::Caddy] {
        let mut scene = Scene::with(door, Vestibule::installed(), "", "");
        with_few_files(&mut scene);
        let stalled: Vec<_> = (0..PLACES + 10).map(|_| stall(&scene)).collect();
        std::thread::sleep(Duration::from_millis(1500));
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            let began = Instant::now();
            let page = Ask::get("/auth/login").send(scene.front);
            assert_eq!(page.status, 200, "{door:?}: {page:?}");
            slowest = slowest.max(began.elapsed());
        }
        eprintln!("{door:?}: the slowest of 5 login pages took {slowest:?}");
        assert!(slowest < Duration::from_secs(6), "{door:?}: a login page took {slowest:?}");
        drop(stalled);
    }
}

fn with_few_files(scene: &mut Scene) {
    scene.vestibule.end();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -n {FILES}; exec \"$0\" serve --log-format json")])
        .arg(env!("CARGO_BIN_EXE_vestibule"))
        .env("VESTIBULE_CONFIG", &scene.vestibule.operator.config)
        .env("RUST_LOG", "info")
        .current_dir(scene.vestibule.place.path());
    scene.vestibule.start_as(command);
}

/// The head of a form, and its first byte.
fn stall(scene: &Scene) -> TcpStream {
    let mut stream = TcpStream::connect(scene.front).unwrap();
    let head = Ask::post("/auth/login")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Content-Length", "500");
    let mut bytes = head.bytes(scene.front);
    bytes.push(b'a');
    stream.write_all(&bytes).unwrap();
    stream
}
