//! The programs that servers of a cluster talk through: each is started for a test, on free ports and in a folder of its own, and
//! stopped when its handle is dropped.

pub mod nats;
mod process;
pub mod redis;
#[cfg(test)]
mod tests;
pub mod tls;

pub use process::Process;

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// How long a program may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Finds a port that nobody listens on, below those of outgoing connections, so that none of these can take it meanwhile; and so
/// low that programs that take another one 10,000 above it can.
///
/// # Panics
///
/// Panics when there is none.
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 11_000;
    const COUNT: u16 = 9_000;
    // Test processes that run side by side begin at different places.
    let begin = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + begin.wrapping_add(step) % COUNT;
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
    panic!("no port is free");
}

/// Writes a line to a server and reads until its answer ends with `end`; asks again until it does.
async fn await_answer(
    address: SocketAddr,
    ask: impl AsRef<[u8]>,
    end: &str,
) -> Result<String, String> {
    let begun = Instant::now();
    let mut last = String::new();
    while begun.elapsed() < PATIENCE {
        match timeout(PATIENCE, answer(address, ask.as_ref(), end)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = error,
            Err(_) => last = "no answer".to_owned(),
        }
        // Only a question in a loop tells when a program has started.
        sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{address} did not get ready: {last}"))
}

/// One question and its answer.
async fn answer(address: SocketAddr, ask: &[u8], end: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address)
        .await
        .map_err(|error| error.to_string())?;
    let asked = stream.write_all(ask).await;
    asked.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    loop {
        let read = stream.read_buf(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        if text.ends_with(end) {
            return Ok(text.into_owned());
        }
        match read {
            Ok(0) => return Err(text.into_owned()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
