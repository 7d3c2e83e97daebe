//! Debian's `redis-server`, for as long as the example runs.

use std::{
    env, io,
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// It keeps nothing on disk, and ends when this is dropped.
pub(super) struct RedisServer {
    port: u16,
    _process: Child,
}

impl RedisServer {
    pub(super) async fn start() -> io::Result<Self> {
        let port = free_port()?;
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(not_started)?;

        let said = process.stdout.take().expect("it was piped");
        let mut lines = BufReader::new(said).lines();
        let mut so_far = String::new();
        while let Some(line) = lines.next_line().await? {
            if line.contains("Ready to accept connections") {
                // What it says later is of no interest, but has to go somewhere.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self {
                    port,
                    _process: process,
                });
            }
            so_far.push_str(&line);
            so_far.push('\n');
        }
        Err(io::Error::other(format!("redis-server ended:\n{so_far}")))
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

fn not_started(error: io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => ": install it with `apt install redis-server`",
        _ => "",
    };
    io::Error::new(
        error.kind(),
        format!("can't run redis-server, which joins the two servers: {error}{advice}"),
    )
}

/// Free a moment ago. Redis can't be asked for any port that is.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
