//! Secrets and folders as container engines and service managers make them: real files with those owners and modes, and the program as
//! an account that is not root. Where the tests do not run as root, the forms that need another owner are left to CI, and the rest runs.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::place::{BINARY, Ended};

/// The program's account in these stories, and a group of its own beside it.
const USER: u32 = 61_234;
const GROUP: u32 = 61_235;
/// Another account.
const OTHER: u32 = 61_236;

/// An installation that a container's file systems hold.
struct Installation {
    folder: tempfile::TempDir,
    is_root: bool,
}

impl Installation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
        let this = Self { folder, is_root };
        chmod(this.folder.path(), 0o755);
        // The checkout may be where another account cannot look. By a process of its own: a file that is open for writing here while another
        // test starts a program could not be executed.
        let copied = Command::new("cp").arg(BINARY).arg(this.at("vestibule")).status().unwrap();
        assert!(copied.success());
        for name in ["data", "secrets"] {
            fs::create_dir(this.at(name)).unwrap();
        }
        let secret = |byte: u8| {
            let bytes: Vec<u8> = (0..32).map(|at| byte.wrapping_mul(31).wrapping_add(at * 7)).collect();
            format!("{}\n", data_encoding::BASE64URL_NOPAD.encode(&bytes))
        };
        fs::write(this.at("secrets/seal.key"), secret(1)).unwrap();
        fs::write(this.at("secrets/pepper.key"), secret(2)).unwrap();
        this.configure("");
        this.give("data", (USER, USER), 0o700);
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, more: &str) {
        let [public, internal] = crate::place::free_addresses();
        let text = format!(
            "data_dir = \"data\"\n{more}\n[listen]\npublic = \"{public}\"\ninternal = \"{internal}\"\n\
             [secrets]\nseal_key_file = \"secrets/seal.key\"\npepper_file = \"secrets/pepper.key\"\n"
        );
        fs::write(self.at("vestibule.toml"), text).unwrap();
    }

    /// Where /readyz is, of what was configured last.
    fn internal(&self) -> std::net::SocketAddr {
        let text = fs::read_to_string(self.at("vestibule.toml")).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix("internal = ")).unwrap();
        value.trim_matches('"').parse().unwrap()
    }

    fn give(&self, name: &str, (user, group): (u32, u32), mode: u32) {
        if self.is_root {
            chown(self.at(name), Some(user), Some(group)).unwrap();
        }
        chmod(&self.at(name), mode);
    }

    fn secrets(&self, owner: (u32, u32), mode: u32) {
        self.give("secrets/seal.key", owner, mode);
        self.give("secrets/pepper.key", owner, mode);
    }

    /// Runs a script as the account of these stories; `before` is what the container's engine does first.
    fn run(&self, before: &str, script: &str) -> Ended {
        let script = if self.is_root {
            format!(
                "{before}\nexec setpriv --reuid {USER} --regid {USER} --groups {USER},{GROUP} --no-new-privs sh -euc '{script}'"
            )
        } else {
            script.to_owned()
        };
        let mut command = if before.is_empty() {
            Command::new("sh")
        } else {
            let mut own_mounts = Command::new("unshare");
            own_mounts.args(["--mount", "sh"]);
            own_mounts
        };
        let output = command
            .args(["-euc", &script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A server starts, makes its store and keys, and answers a command; then another one opens what the first has made.
    #[track_caller]
    fn works(&self, before: &str) {
        let served = "./vestibule serve --config vestibule.toml & server=$!
            for _ in $(seq 300); do [ -S data/control.sock ] && break; kill -0 $server || break; sleep 0.1; done
            ./vestibule key list --config vestibule.toml
            kill $server; wait $server";
        for _ in 0..2 {
            let ended = self.run(before, served);
            assert!(ended.code == 0 && ended.out.contains("active"), "{ended:?}");
        }
    }

    #[track_caller]
    fn is_refused(&self, before: &str, says: &str) {
        let ended = self.run(before, "exec ./vestibule serve --config vestibule.toml");
        assert!(ended.code != 0 && ended.err.contains(says), "should say {says:?}: {ended:?}");
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What the engine mounts for secrets: a file system in memory, read-only, with the files of this owner and mode.
fn mounted(owner: &str, mode: &str) -> String {
    format!(
        "mkdir kept; cp secrets/* kept; mount -t tmpfs -o mode=755 secrets secrets; cp kept/* secrets; rm -r kept\n\
         chown {owner} secrets/*; chmod {mode} secrets/*; mount -o remount,ro secrets"
    )
}

#[test]
fn secrets_as_containers_mount_them_are_read() {
    let place = Installation::new();
    if !place.is_root {
        place.secrets((0, 0), 0o400);
        return place.works("");
    }
    // A Secret of Kubernetes with fsGroup and defaultMode 0440, here on a file system that can be written.
    place.secrets((0, GROUP), 0o440);
    place.works("");
    // The same as Kubernetes mounts it, and with its default mode; Docker Swarm.
    place.works(&mounted(&format!("0:{GROUP}"), "0440"));
    place.works(&mounted("0:0", "0644"));
    place.works(&mounted("0:0", "0444"));
    // Kubernetes swaps folders by a symbolic link.
    let by_link = "mkdir secrets/..1; mv secrets/*.key secrets/..1; ln -s ..1 secrets/..data\n\
                   ln -s ..data/seal.key secrets/seal.key; ln -s ..data/pepper.key secrets/pepper.key";
    place.secrets((0, GROUP), 0o440);
    let linked =
        Command::new("sh").args(["-euc", by_link]).current_dir(place.folder.path()).status().unwrap();
    assert!(linked.success());
    place.works("");
}

/// `LoadCredential=`: root's file, closed to its group, with an access list that lets the service's account read it. The list's mask
/// shows in the group's place.
#[test]
fn a_credential_of_systemd_is_read() {
    let place = Installation::new();
    place.secrets((0, 0), 0o400);
    if place.is_root {
        for name in ["secrets/seal.key", "secrets/pepper.key"] {
            let_read(&place.at(name), USER);
            assert_eq!(fs::metadata(place.at(name)).unwrap().mode() & 0o777, 0o440);
        }
    }
    place.works("");
}

/// Sets `user:UID:r--` on a file of mode 0400, in the kernel's form of an access list (linux/posix_acl_xattr.h).
fn let_read(file: &Path, user: u32) {
    const NOBODY: u32 = u32::MAX;
    let mut list = 2_u32.to_le_bytes().to_vec();
    // Tag, permissions and id of: the owner, the user, the group, the mask, and all others.
    for (tag, permissions, id) in
        [(1_u16, 4_u16, NOBODY), (2, 4, user), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY)]
    {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    rustix::fs::setxattr(file, "system.posix_acl_access", &list, rustix::fs::XattrFlags::empty()).unwrap();
}

#[test]
fn secrets_that_others_reach_are_refused_unless_it_is_said() {
    let place = Installation::new();
    let who = if place.is_root { (0, 0) } else { (USER, USER) };
    place.secrets(who, 0o444);
    place.is_refused("", "danger_shared_files");
    place.configure("danger_shared_files = true");
    place.works("");
    let shown = place.run("", "./vestibule config show --config vestibule.toml");
    assert!(shown.out.contains("# danger: danger_shared_files"), "{shown:?}");
    place.configure("");
    if place.is_root {
        place.secrets((0, GROUP), 0o460);
        place.is_refused("", "can be written by its group");
        place.secrets((0, GROUP + 1), 0o440);
        // The operating system refuses it before we do.
        place.is_refused("", "cannot read");
        place.secrets((USER + 1, GROUP), 0o440);
        place.is_refused("", "belongs to the account with uid");
    }
}

#[test]
fn data_folders_as_volumes_and_service_managers_make_them_are_taken() {
    let place = Installation::new();
    place.secrets((USER, USER), 0o600);
    let forms = [
        // A volume of Kubernetes with fsGroup; OpenShift's, by group alone; StateDirectory= of systemd.
        ((0, GROUP), 0o2775),
        ((0, GROUP), 0o770),
        ((USER, GROUP), 0o2770),
        ((USER, USER), 0o755),
    ];
    for (owner, mode) in forms {
        if !place.is_root && owner.0 == 0 {
            continue;
        }
        fs::remove_dir_all(place.at("data")).unwrap();
        fs::create_dir(place.at("data")).unwrap();
        place.give("data", owner, mode);
        place.works("");
        // fsGroup opens every file to the group, at each mount.
        place.give("data/vestibule.db", (USER, GROUP), 0o660);
        place.works("");
        assert_eq!(fs::metadata(place.at("data/vestibule.db")).unwrap().mode() & 0o777, 0o600, "{mode:o}");
        let now = fs::metadata(place.at("data")).unwrap().mode() & 0o7777;
        let expected = if owner.0 == 0 { mode } else { mode & 0o7755 };
        assert_eq!(now, expected, "{mode:o}: the owner closes it, and nobody else can");
    }
    place.give("data", (USER, USER), 0o777);
    place.is_refused("", "can be written by others");
    place.configure("danger_shared_files = true");
    place.works("");
}

/// A server in a folder that a group may enter answers commands, by a socket that is its own account's alone; its danger is told.
#[test]
fn a_server_on_a_volume_tells_of_shared_files() {
    let place = Installation::new();
    place.secrets((USER, USER), 0o600);
    place.give("data", (if place.is_root { 0 } else { USER }, GROUP), 0o2775);
    place.configure("danger_shared_files = true");
    let internal = place.internal();
    let mut server = serve(&place);
    let began = Instant::now();
    let ready = loop {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not start");
        if let Some(answer) = ask(internal, "/readyz") {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(ready.contains("danger_shared_files"), "{ready}");
    let socket = fs::metadata(place.at("data/control.sock")).unwrap();
    assert_eq!(socket.mode() & 0o777, 0o600);
    let listed = place.run("", "./vestibule key list --config vestibule.toml");
    assert!(listed.code == 0 && listed.out.contains("active"), "{listed:?}");
    server.kill().unwrap();
    server.wait().unwrap();
    let log = fs::read_to_string(place.at("log")).unwrap();
    assert!(log.contains("danger_shared_files"), "{log}");
}

/// The socket's mode is not all that keeps other accounts away, and a command shows nothing to a server of another account.
#[test]
fn the_control_socket_is_for_its_account_and_root() {
    let place = Installation::new();
    place.secrets((USER, USER), 0o600);
    let mut server = serve(&place);
    let socket = place.at("data/control.sock");
    let began = Instant::now();
    while ask(place.internal(), "/readyz").is_none() || !socket.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let list = "./vestibule key list --config vestibule.toml";
    let listed = place.run("", list);
    assert!(listed.code == 0 && listed.out.contains("active"), "{listed:?}");
    if place.is_root {
        let of_root = shell(&place, list);
        assert!(of_root.code == 0 && of_root.out.contains("active"), "{of_root:?}");
        // As on a file system without modes.
        chmod(&place.at("data"), 0o755);
        chmod(&socket, 0o666);
        let other = format!("exec setpriv --reuid {OTHER} --regid {OTHER} --clear-groups");
        let refused = shell(&place, &format!("{other} {list}"));
        let says = format!("runs as uid {USER}, and this command as uid {OTHER}");
        assert!(refused.code == 2 && refused.err.contains(&says), "{refused:?}");
        let spoken = r#"
import socket
it = socket.socket(socket.AF_UNIX)
it.connect("data/control.sock")
it.sendall(b'{"version":2,"body":{"ask":"key-list"}}\n')
print(it.recv(65536).decode())"#;
        let said = by_other(&place, spoken).output().unwrap();
        let said = format!("{said:?}");
        assert!(said.contains("refused") && said.contains("root alone"), "{said:?}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
    if !place.is_root {
        return;
    }
    let log = fs::read_to_string(place.at("log")).unwrap();
    assert!(log.contains("a command on the control socket is refused"), "{log}");
    // Another account listens in the server's place.
    fs::remove_file(&socket).unwrap();
    chmod(&place.at("data"), 0o777);
    let script = r#"
import socket
it = socket.socket(socket.AF_UNIX)
it.bind("data/control.sock")
it.listen()
while True:
    peer, _ = it.accept()
    open("data/told", "ab").write(peer.recv(65536))"#;
    let mut false_server = by_other(&place, script).spawn().unwrap();
    let began = Instant::now();
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    chmod(&socket, 0o666);
    let ended = [place.run("", list), shell(&place, list)];
    false_server.kill().unwrap();
    false_server.wait().unwrap();
    for ended in ended {
        assert!(ended.code == 2 && ended.err.contains(&format!("runs as uid {OTHER}")), "{ended:?}");
    }
    let told = fs::read(place.at("data/told")).unwrap_or_default();
    assert!(told.is_empty(), "{told:?}");
}

/// A script in Python, by another account.
fn by_other(place: &Installation, script: &str) -> Command {
    let other = OTHER.to_string();
    let mut command = Command::new("setpriv");
    command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["--reuid", &other, "--regid", &other, "--clear-groups", "python3", "-c", script])
        .current_dir(place.folder.path());
    command
}

/// Runs a script as the account of the tests.
fn shell(place: &Installation, script: &str) -> Ended {
    let output = Command::new("sh").args(["-euc", script]).current_dir(place.folder.path()).output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn serve(place: &Installation) -> std::process::Child {
    let log = fs::File::create(place.at("log")).unwrap();
    let mut command = if place.is_root {
        let mut command = Command::new("setpriv");
        let (user, groups) = (USER.to_string(), format!("{USER},{GROUP}"));
        command.args(["--reuid", &user, "--regid", &user, "--groups", &groups, "./vestibule"]);
        command
    } else {
        Command::new("./vestibule")
    };
    command
        .args(["serve", "--config", "vestibule.toml"])
        .current_dir(place.folder.path())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn ask(address: std::net::SocketAddr, path: &str) -> Option<String> {
    use std::io::{Read, Write};

    let mut stream = std::net::TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// A folder may be deeper than a socket's address holds.
#[test]
fn a_control_socket_in_a_deep_folder_works() {
    let place = crate::place::Place::new();
    let deep = format!("{}/{}", "d".repeat(100), "e".repeat(100));
    let [public, internal] = crate::place::free_addresses();
    place.write_config(&format!(
        "data_dir = \"{deep}\"\n[listen]\npublic = \"{public}\"\ninternal = \"{internal}\"\n"
    ));
    let mut server = Command::new(BINARY)
        .arg("serve")
        .env("VESTIBULE_CONFIG", place.config())
        .stderr(fs::File::create(place.folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let socket = place.folder.path().join(&deep).join("control.sock");
    let began = Instant::now();
    while !socket.exists() || ask(internal, "/readyz").is_none() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    // By the server: the store itself is locked.
    let listed = place.run(&["key", "list"], "");
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(listed.code == 0 && listed.out.contains("active"), "{listed:?}");
}
