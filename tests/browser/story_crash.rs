//! The server is killed while people sign in and out, end sessions and change passwords. Whatever was acknowledged holds after the next
//! start: nobody who was told that they are signed in is a stranger, and nobody who was told that it is over is let in.

use std::ops::Add;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::lives::{self, Person, Tally};
use crate::load;
use crate::personas::{CHEAP_HASH, Vestibule};

const ROUNDS: usize = 50;

/// Those of one group live in a round. One account may not sign in so often that it could in every one.
const GROUPS: usize = 8;

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
fn killed_fifty_times_under_load_it_keeps_what_it_acknowledged_and_does_nothing_by_halves() {
    let mut vestibule = installation();
    let names = (0..GROUPS * load::PEOPLE.len()).map(|number| format!("person-{number}@example.com"));
    let names: Vec<&'static str> = names.map(|name| &*name.leak()).collect();
    let accounts =
        names.iter().map(|name| format!("{{\"identifier\":\"{name}\",\"password_hash\":\"{CHEAP_HASH}\"}}"));
    vestibule.operator.ok(&["account", "import"], &accounts.collect::<Vec<_>>().join("\n"));
    let mut people: Vec<Person> = names.into_iter().map(Person::new).collect();
    for round in 0..ROUNDS {
        vestibule.start();
        for person in &mut people {
            person.holds(&vestibule);
        }
        let id = vestibule.running().id();
        let group = people.chunks_mut(load::PEOPLE.len()).nth(round % GROUPS).unwrap();
        lives::until(&vestibule, group, |acknowledged| {
            let began = Instant::now();
            while acknowledged.load(Ordering::Relaxed) < 16 {
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
    for person in &mut people {
        person.holds(&vestibule);
    }
    let all = people.iter().map(|person| person.tally).fold(Tally::default(), Tally::add);
    eprintln!("{all:?}");
    let least = all.logins.min(all.logouts).min(all.ends).min(2 * all.password_changes);
    assert!(least >= ROUNDS / 2, "too little of something was acknowledged to show anything: {all:?}");
    assert!(vestibule.end().success());
}
