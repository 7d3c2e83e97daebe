//! A fixture app in a process of its own.

use crate::framework::Framework;
use std::{
    net::{SocketAddr, TcpListener},
    process::{self, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    time::timeout,
};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// The process ends with this value.
pub(crate) struct Server {
    framework: Framework,
    recovery: bool,
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts on a port of its own.
    pub(crate) async fn start(framework: Framework, recovery: bool) -> Result<Self, String> {
        let (process, address) = spawn(framework, free_port(), recovery).await?;
        Ok(Self {
            framework,
            recovery,
            process,
            address,
        })
    }

    /// Stops as a server does that is replaced, and starts a new one on the same port.
    pub(crate) async fn restart(&mut self) -> Result<(), String> {
        // That its input ends is how the fixture is told to stop.
        drop(self.process.stdin.take());
        let ended = timeout(PATIENCE, self.process.wait()).await;
        match ended {
            Ok(Ok(status)) if status.success() => (),
            other => return Err(format!("the server did not stop well: {other:?}")),
        }
        let port = self.address.port();
        (self.process, _) = spawn(self.framework, port, self.recovery).await?;
        Ok(())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A free port that stays so while a server is replaced: it is below those that systems hand out to whoever asks for any, and the
/// processes of this suite begin at different ones.
fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + process::id() % 200 * 100;
    loop {
        let port = first as u16 + TAKEN.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

async fn spawn(
    framework: Framework,
    port: u16,
    recovery: bool,
) -> Result<(Child, SocketAddr), String> {
    let mut process = framework
        .command()
        .arg(port.to_string())
        .args(recovery.then_some("recovery"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the server does not start: {error}"))?;
    let stdout = process.stdout.take().expect("stdout is piped");
    let mut lines = BufReader::new(stdout).lines();
    let said = timeout(PATIENCE, lines.next_line()).await;
    let address = match &said {
        Ok(Ok(Some(line))) => line.strip_prefix("listening on http://"),
        _ => None,
    };
    let address = address
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| format!("the server began with {said:?} instead of its address"))?;
    Ok((process, address))
}
