//! A process of this very test program that works on the store until it is killed.
//! In: what it begins with, and when it is to die. Out: what it has said until then.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::world::Home;

/// Marks the child's lines among those of the test harness.
pub(crate) const MARK: &str = "child:";

/// Runs the test `child_that_is_killed` as a process and kills it when it has worked for so long. Its lines since it was ready, each a
/// word and a number.
pub(crate) fn said_until_killed(home: &Home, first: u64, works: Duration) -> Vec<(String, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_is_killed", "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", home.database().display()).unwrap();
    writeln!(stdin, "{first}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map(Result::unwrap).find(|line| line.ends_with("ready"));
    assert!(ready.is_some(), "the child ended before it began");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(works);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    // The last line may have been cut by the kill; its end marks a whole one.
    let whole = |line: String| {
        let (word, number) = line.strip_prefix(MARK)?.strip_suffix('.')?.split_once(' ')?;
        Some((word.to_owned(), number.parse().unwrap()))
    };
    let said = lines.map(Result::unwrap).filter_map(whole).collect();
    killer.join().unwrap();
    said
}

/// In the child: which database, and what it begins with.
pub(crate) fn told_by_the_parent() -> (String, u64) {
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let database = lines.next().unwrap();
    (database, lines.next().unwrap().parse().unwrap())
}
