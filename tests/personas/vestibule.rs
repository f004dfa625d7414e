//! The real program with an installation of its own: what `init` wrote, a configuration, and a server that runs until it is ended.

use std::net::SocketAddr;
use std::process::{Command, ExitStatus};

use super::operator::{BINARY, Operator};
use super::place::{Place, free_address};
use super::running::{Running, Signal};
use super::wire::{Answer, Ask};

pub(crate) struct Vestibule {
    pub(crate) place: Place,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) operator: Operator,
    log_filter: String,
    running: Option<Running>,
}

impl Vestibule {
    /// An installation with its secrets, without accounts, not running.
    pub(crate) fn installed() -> Self {
        let place = Place::new();
        let operator = Operator { config: place.join("vestibule.toml") };
        // The configuration is replaced below: nothing is gained by measuring the machine.
        operator.ok(&["init", "--hash-time", "0", place.path().to_str().unwrap()], "");
        let (public, internal) = (free_address(), free_address());
        Self { place, public, internal, operator, log_filter: "info".into(), running: None }
    }

    pub(crate) fn with_log_filter(mut self, filter: &str) -> Self {
        filter.clone_into(&mut self.log_filter);
        self
    }

    /// Writes the configuration: keys of the top level, then sections.
    pub(crate) fn configure(&self, top: &str, sections: &str) {
        let text = format!(
            "{top}\n\
             [listen]\npublic = \"{}\"\ninternal = \"{}\"\n\
             [secrets]\nseal_key_file = \"secrets/seal.key\"\npepper_file = \"secrets/pepper.key\"\n\
             {sections}\n",
            self.public, self.internal
        );
        self.place.write("vestibule.toml", &text);
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn start(&mut self) {
        self.start_with(|_| {});
    }

    /// The same with something of the story's own about it.
    pub(crate) fn start_with(&mut self, change: impl FnOnce(&mut Command)) {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--log-format", "json"]).env("VESTIBULE_CONFIG", &self.operator.config);
        command.env("RUST_LOG", &self.log_filter).current_dir(self.place.path());
        change(&mut command);
        self.start_as(command);
    }

    /// Starts the server by a command of the story's own.
    pub(crate) fn start_as(&mut self, command: Command) {
        let log = self.place.join("vestibule.log");
        // The log of an earlier life must not be taken for this one's.
        let _ = std::fs::rename(&log, self.place.join("vestibule.log.earlier"));
        let mut running = Running::start("vestibule", command, log);
        running.wait_for("\"ready\"");
        self.running = Some(running);
    }

    pub(crate) fn running(&mut self) -> &mut Running {
        self.running.as_mut().unwrap()
    }

    /// All that it has logged.
    pub(crate) fn logged(&self) -> String {
        self.running.as_ref().map_or_else(String::new, Running::logged)
    }

    /// Asks the server to end, and waits.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let mut running = self.running.take().unwrap();
        running.end()
    }

    /// Ends the server where it stands.
    pub(crate) fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Has the configuration read anew, and waits until that is said.
    pub(crate) fn reload(&mut self, says: &str) {
        self.running().signal(Signal::HUP);
        self.running().wait_for(says);
    }

    /// `/check` as nginx asks it, about GET on a path of a host.
    pub(crate) fn check(&self, ask: impl FnOnce(Ask) -> Ask, url: &str) -> Answer {
        let question = Ask::get("/check").header("X-Original-Method", "GET").header("X-Original-URL", url);
        ask(question).send(self.internal)
    }

    /// A number out of `/metrics`: the sum over all lines of a name whose labels contain `label`.
    pub(crate) fn metric(&self, name: &str, label: &str) -> f64 {
        let text = Ask::get("/metrics").send(self.internal).text();
        let lines = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']) && rest.contains(label))
        });
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Holds that `requests` move none of these counters. The server reads its store by the clock as well, at its start and twice a
    /// minute: where a counter moved, it is measured again. Requests that read or sign do so each time.
    #[track_caller]
    pub(crate) fn assert_unmoved(&self, counters: &[&str], mut requests: impl FnMut()) {
        let read = || counters.iter().map(|name| self.metric(name, "")).collect::<Vec<_>>();
        let mut measured = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let before = read();
            requests();
            measured = (before, read());
            if measured.0 == measured.1 {
                return;
            }
        }
        assert_eq!(measured.1, measured.0, "{counters:?}");
    }

    pub(crate) fn is_ready(&self) -> bool {
        Ask::get("/readyz").send(self.internal).status == 200
    }
}
