//! What the program leaves behind when it is told to end: nothing.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long anything that must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that goes with the test, whatever becomes of that.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_cluster_that_is_told_to_end_takes_its_redis_with_it() {
    for signal in ["INT", "TERM"] {
        let mut cluster = Command::new(env!("CARGO_BIN_EXE_board"));
        let cluster = cluster.args(["cluster", "0"]).stdout(Stdio::piped());
        let mut cluster = Program(cluster.spawn().expect("it can be started"));
        let said = cluster.0.stdout.take().expect("it was piped");
        let mut said = BufReader::new(said).lines();
        let is_up = said.any(|line| line.expect("text").contains("the board is at"));
        assert!(is_up, "it ended before it was up");

        let redis = redis_of(cluster.0.id());
        TcpStream::connect(redis).expect("Redis is there");
        let kill = format!("kill -{signal} {}", cluster.0.id());
        let killed = Command::new("sh").args(["-c", &kill]).status();
        assert!(killed.expect("a shell").success());
        let ended = cluster.0.wait().expect("it is our child");
        assert!(ended.success(), "SIG{signal}: {ended}");
        let begun = Instant::now();
        while TcpStream::connect(redis).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "SIG{signal} leaves Redis");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Where the Redis of this process listens, which it says in its own name: `redis-server 127.0.0.1:6379`.
fn redis_of(parent: u32) -> SocketAddr {
    let processes = fs::read_dir("/proc").expect("a list of processes");
    let addresses = processes.filter_map(|process| {
        let folder = process.ok()?.path();
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let is_child = status
            .lines()
            .any(|line| line == format!("PPid:\t{parent}"));
        let name = fs::read_to_string(folder.join("cmdline")).ok()?;
        let address = name.strip_prefix("redis-server ")?;
        let address = address.split([' ', '\0']).next()?.parse().ok()?;
        is_child.then_some(address)
    });
    let addresses: Vec<_> = addresses.collect();
    assert_eq!(addresses.len(), 1, "one Redis of its own");
    addresses[0]
}
