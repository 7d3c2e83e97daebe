//! The official JavaScript client against the fixture app, on each framework.

use rooms_tests::node;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

#[test]
fn javascript_on_axum() {
    check_javascript(env!("CARGO_BIN_EXE_fixture-axum"));
}

#[test]
fn javascript_on_hyper() {
    check_javascript(env!("CARGO_BIN_EXE_fixture-hyper"));
}

#[test]
fn javascript_on_warp() {
    check_javascript(env!("CARGO_BIN_EXE_fixture-warp"));
}

fn check_javascript(program: &str) {
    let server = Server::start(program);
    node::run_suite("clients/js", &server.url);
}

/// A fixture app in a process of its own, which ends with this value.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(program: &str) -> Self {
        let mut process = Command::new(program)
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo has built the fixture");
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut server = Self {
            process,
            url: String::new(),
        };
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the fixture prints text");
        let address = line.trim_end().strip_prefix("listening on ");
        server.url = address
            .unwrap_or_else(|| panic!("{program} began with {line:?} instead of its address"))
            .to_owned();
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself, and then there is nothing left to do.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
