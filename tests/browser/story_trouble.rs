//! The disk is full, nothing can be written, or another program holds the database. Who is signed in stays so; what cannot be made
//! sure is answered 503, which is no yes and no logout; and when the trouble is over, everything that was acknowledged still holds.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::load::{self, Ledger, PEOPLE};
use crate::personas::{Answer, Ask, Browser, PASSWORD, Place, Running, Vestibule, oracles, program};
use crate::story_crash::installation;

const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

#[test]
fn a_full_disk_is_no_yes_and_no_logout_and_is_got_over() {
    let vestibule = installation();
    let disk = SmallDisk::under(&vestibule.place);
    let (filler, start) = (disk.path("filler"), disk.start());
    live_through(vestibule, start, |_| {
        let mut file = File::create(&filler).unwrap();
        let full = std::iter::repeat_with(|| file.write_all(&[0; 4096])).find_map(Result::err).unwrap();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
        move || fs::remove_file(&filler).unwrap()
    });
}

#[test]
fn a_disk_that_takes_nothing_more_is_no_yes_and_no_logout_and_is_got_over() {
    // Without the signal that would end the program first: a disk sends none.
    let script = format!("trap '' XFSZ; exec '{BINARY}' serve --log-format json");
    let start = move || {
        let mut command = program("sh", "dash");
        command.arg("-c").arg(&script);
        command
    };
    // No file may grow beyond nothing: neither the database's nor the log.
    live_through(installation(), start, |vestibule| {
        let id = Pid::from_raw(i32::try_from(vestibule.running().id()).unwrap());
        let limit = move |current| prlimit(id, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
        let before = limit(Some(0));
        move || {
            limit(before.current);
        }
    });
}

#[test]
fn a_database_that_another_program_holds_is_no_yes_and_no_logout_and_is_got_over() {
    live_through(installation(), serve, |vestibule| {
        let place = Place::new();
        let mut command = Command::new(oracles("python").join("bin/python"));
        let script = "import sqlite3, sys, time\n\
                      database = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                      database.execute('BEGIN IMMEDIATE')\n\
                      print('held', flush=True)\n\
                      time.sleep(600)";
        command.args(["-c", script]).arg(vestibule.place.join("vestibule-data/vestibule.db"));
        let mut holder = Running::start("who holds the database", command, place.join("log"));
        holder.wait_for("held");
        move || drop((holder, place))
    });
}

/// A log on a full disk, or one whose reader is gone, is a log less and nothing else.
#[test]
fn a_log_that_cannot_be_written_takes_nothing_down() {
    let vestibule = installation();
    let place = Place::new();
    let mut command = program("sh", "dash");
    let script = format!("exec '{BINARY}' serve --log-format json >/dev/full 2>&1");
    command
        .arg("-c")
        .arg(script)
        .env("VESTIBULE_CONFIG", &vestibule.operator.config)
        .env("RUST_LOG", "trace");
    let mut running = Running::start("vestibule without a log", command, place.join("log"));
    let began = Instant::now();
    while Ask::get("/readyz").try_send(vestibule.internal).is_none_or(|answer| answer.status != 200) {
        assert!(began.elapsed() < Duration::from_secs(20), "it never gets ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    let token = load::session_token(&load::sign_in(&vestibule, PEOPLE[0]).unwrap());
    assert_eq!(load::check(&vestibule, &token).status, 200);
    assert_eq!(load::sign_out(&vestibule, &token).unwrap().status, 204);
    assert_eq!(load::check(&vestibule, &token).status, 401);
    assert!(running.end().success());
}

/// The whole story: good times, bad times, good times again, and a kill and a new start at the end.
fn live_through<Mend: FnOnce()>(
    mut vestibule: Vestibule,
    start: impl Fn() -> Command,
    spoil: impl FnOnce(&mut Vestibule) -> Mend,
) {
    let begin = |vestibule: &mut Vestibule| {
        let mut command = start();
        command.env("VESTIBULE_CONFIG", &vestibule.operator.config).env("RUST_LOG", "info");
        vestibule.start_as(command);
    };
    begin(&mut vestibule);
    let mut ledger = Ledger::default();
    let mut leaving = Vec::new();
    for identifier in PEOPLE {
        ledger.alive.push(load::session_token(&load::sign_in(&vestibule, identifier).unwrap()));
        leaving.push(load::session_token(&load::sign_in(&vestibule, identifier).unwrap()));
    }
    let mut browser = Browser::at(&format!("http://{}", vestibule.public));
    browser.sign_in("/auth/login", PEOPLE[0], PASSWORD);
    let cookie = browser.cookies();
    let sign_out = browser.open("/auth/logout");

    let mend = spoil(&mut vestibule);
    // What room there is left may still be used; then it is over.
    let refused = (0..200).find_map(|turn| {
        let answer = load::sign_in(&vestibule, PEOPLE[turn % PEOPLE.len()]).unwrap();
        if answer.status == 200 {
            ledger.alive.push(load::session_token(&answer));
            return None;
        }
        Some(answer)
    });
    is_unavailable(&refused.unwrap());
    assert!(!vestibule.is_ready(), "it says that it is not well");
    assert_eq!(Ask::get("/healthz").send(vestibule.internal).status, 200, "a restart would mend nothing");

    // Nobody is signed out by it.
    ledger.holds(&vestibule);
    let account = browser.look("/auth/account");
    assert!([200, 503].contains(&account.status), "{account:?}");
    let page = browser.submit(&sign_out, "/auth/logout", &[]);
    if page.answer.status == 503 {
        assert_eq!(browser.cookies(), cookie, "what did not happen is not told to the browser");
    } else {
        assert_eq!(page.answer.status, 200, "{:?}", page.answer);
        assert!(browser.cookie("vestibule").is_none());
    }
    for token in leaving {
        let answer = load::sign_out(&vestibule, &token).unwrap();
        if answer.status == 204 {
            ledger.over.push(token);
        } else {
            is_unavailable(&answer);
            ledger.alive.push(token);
        }
    }
    ledger.holds(&vestibule);

    mend();
    let began = Instant::now();
    while !vestibule.is_ready() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not get over it");
        std::thread::sleep(Duration::from_millis(50));
    }
    ledger.holds(&vestibule);
    let late = load::session_token(&load::sign_in(&vestibule, PEOPLE[1]).unwrap());
    ledger.alive.push(late);
    let going = ledger.alive.remove(0);
    assert_eq!(load::sign_out(&vestibule, &going).unwrap().status, 204);
    ledger.over.push(going);
    ledger.holds(&vestibule);

    vestibule.kill();
    begin(&mut vestibule);
    ledger.holds(&vestibule);
}

#[track_caller]
fn is_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.header("set-cookie")), (503, None), "{answer:?}");
    assert!(answer.code() == "unavailable" && answer.header("retry-after").is_some(), "{answer:?}");
    assert!(!answer.text().contains("sqlite") && !answer.text().contains("disk"), "{answer:?}");
}

fn serve() -> Command {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--log-format", "json"]);
    command
}

/// A disk of 2 MiB where the data folder is, in a name space of its own: the mount goes when the last process in there does.
struct SmallDisk {
    holder: Running,
    data: PathBuf,
}

impl SmallDisk {
    fn under(place: &Place) -> Self {
        let data = place.join("vestibule-data");
        let script = "cp -a \"$1\" \"$1.seed\" && mount -t tmpfs -o size=2m,mode=0700 tmpfs \"$1\" && cp -a \"$1.seed/.\" \"$1\" \
                      && echo mounted && exec sleep 600";
        let mut command = program("unshare", "util-linux");
        command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]).arg(&data);
        let mut holder = Running::start(
            "a small disk (as root, or where user name spaces are allowed)",
            command,
            place.join("disk.log"),
        );
        holder.wait_for("mounted");
        Self { holder, data }
    }

    /// A file on it, as seen from here.
    fn path(&self, name: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(self.data.strip_prefix("/").unwrap()).join(name)
    }

    /// Serves with its data there.
    fn start(self) -> impl Fn() -> Command {
        move || {
            let mut command = program("nsenter", "util-linux");
            command.args([
                "--target",
                &self.holder.id().to_string(),
                "--mount",
                "--user",
                "--preserve-credentials",
            ]);
            command.args([BINARY, "serve", "--log-format", "json"]);
            command
        }
    }
}
