//! The server is killed while people sign in and out. Whatever was acknowledged holds after the next start: nobody who was told that
//! they are signed in is a stranger, and nobody who was told that they are signed out is let in.

use std::time::{Duration, Instant};

use crate::load::{self, Ledger};
use crate::personas::Vestibule;

const ROUNDS: usize = 12;

/// An installation with one route and many places to sign in from; not running.
pub(crate) fn installation() -> Vestibule {
    let vestibule = Vestibule::installed();
    let top = format!("public_url = \"http://{}\"", vestibule.public);
    vestibule.configure(
        &top,
        "[trusted_proxies]\nforward_auth = [\"127.0.0.1/32\"]\npublic = [\"127.0.0.1/32\"]\n\
         [[audience]]\nname = \"orders\"\n[[route]]\npath = \"/\"\naudience = \"orders\"\n",
    );
    for identifier in load::PEOPLE {
        vestibule.operator.add_account(identifier);
    }
    vestibule
}

#[test]
fn killed_under_load_it_keeps_every_login_and_every_logout_that_it_acknowledged() {
    let mut vestibule = installation();
    let mut ledger = Ledger::default();
    for round in 0..ROUNDS {
        vestibule.start();
        ledger.holds(&vestibule);
        let before = ledger.acknowledged();
        let id = vestibule.running().id();
        load::until(&vestibule, &mut ledger, |acknowledged| {
            let began = Instant::now();
            while acknowledged() < before + 8 {
                assert!(began.elapsed() < Duration::from_secs(30), "nothing is acknowledged");
                std::thread::sleep(Duration::from_millis(1));
            }
            // Never at the same point of what it is doing.
            std::thread::sleep(Duration::from_micros((round as u64 * 7919) % 40_000));
            let id = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        });
        vestibule.kill();
    }
    vestibule.start();
    ledger.holds(&vestibule);
    assert!(ledger.alive.len() >= ROUNDS && ledger.over.len() >= ROUNDS, "{}", ledger.acknowledged());
    assert!(vestibule.end().success());
}
