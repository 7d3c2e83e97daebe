//! The load generator: many Socket.IO clients over WebSocket on one thread, cheaper than the server they measure.
//!
//! A [mode](modes) decides what the clients do; [`Clients`] carries them through the handshake and hands on what they
//! receive; a meter reads the server's CPU time and memory around the measured phase, and the
//! [`Report`] is printed as one line of JSON.

mod client;
mod clients;
mod events;
mod frame;
mod joined;
mod latency;
mod meter;
pub mod modes;
mod msgpack;
mod polling;
mod report;
mod stream;
mod taker;

pub use client::{Client, State};
pub use clients::{Clients, Entry, Handler, Ignore, join_bench, stay_outside};
pub use joined::Joined;
pub use modes::Mode;
pub use report::Report;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{AddrParseError, Ipv4Addr, SocketAddrV4};

const PATH: &str = "/socket.io/";
const WINDOW: usize = 64;
const SOURCES: u8 = 32;
const STALL: u64 = 10;

/// What every mode needs to know.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Server: 127.0.0.1:PORT, or any other address of this machine's loopback.
    #[arg(long, global = true, default_value = "127.0.0.1:3000", value_parser = loopback)]
    pub server: SocketAddrV4,
    /// Where the server's Socket.IO endpoint is.
    #[arg(long, global = true, default_value = PATH)]
    pub path: String,
    /// Process whose CPU time and memory to read.
    #[arg(long, global = true)]
    pub pid: Option<u32>,
    /// Connections being opened at a time.
    #[arg(long, global = true, default_value_t = WINDOW)]
    pub window: usize,
    /// Source addresses over which the connections are spread (127.0.0.2 and up).
    #[arg(long, global = true, default_value_t = SOURCES, value_parser = clap::value_parser!(u8).range(1..=200))]
    pub sources: u8,
    /// Speak msgpack, which the server has to speak too.
    #[arg(long, global = true)]
    pub msgpack: bool,
    /// Speak TLS; any certificate will do.
    #[arg(long, global = true)]
    pub tls: bool,
    /// Seconds without any progress after which a run counts as stalled.
    #[arg(long, global = true, default_value_t = STALL)]
    pub stall: u64,
}

impl Options {
    /// The defaults, for a server of this machine's loopback.
    pub fn new(server: SocketAddrV4, pid: u32) -> Options {
        let path = PATH.to_owned();
        Options {
            server,
            path,
            pid: Some(pid),
            window: WINDOW,
            sources: SOURCES,
            msgpack: false,
            tls: false,
            stall: STALL,
        }
    }
}

/// Why a run gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The clients did not all get in.
    #[error("only {ready} of {wanted} clients became ready: {why}")]
    NotReady {
        /// How many did.
        ready: usize,
        /// How many should have.
        wanted: usize,
        /// The first failure.
        why: String,
    },
    /// Clients that were in were lost.
    #[error("{failed} clients failed during the run, the first one: {why}")]
    Failed {
        /// How many.
        failed: usize,
        /// The first failure.
        why: String,
    },
    /// The clients got in, and then nothing more came.
    #[error("no progress for {0} s")]
    Stalled(u64),
    /// The operating system refused something the generator cannot do without.
    #[error("failed to set up the event loop")]
    Setup(#[from] std::io::Error),
    /// TLS could not be set up.
    #[error("failed to set up TLS")]
    Tls(#[from] rustls::Error),
}

/// Appends a text message to `out`, in a masked frame as clients send it.
pub fn masked_text(out: &mut Vec<u8>, text: &[u8]) {
    frame::encode(out, frame::TEXT, text);
}

/// Raises the limit on open files as far as this process may: every client is a descriptor.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Without the raise a large run fails by itself and says why.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

/// An address on which no machine but this one can be hit.
#[derive(Debug, thiserror::Error)]
enum NotLoopback {
    #[error(transparent)]
    Address(#[from] AddrParseError),
    #[error("not a loopback address, and this is a load generator")]
    Elsewhere,
}

fn loopback(text: &str) -> Result<SocketAddrV4, NotLoopback> {
    let address: SocketAddrV4 = text.parse()?;
    if Ipv4Addr::is_loopback(address.ip()) {
        Ok(address)
    } else {
        Err(NotLoopback::Elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use super::loopback;

    #[test]
    fn only_loopback_is_loaded() {
        for (text, fine) in [
            ("127.0.0.1:3000", true),
            ("127.9.9.9:1", true),
            ("10.0.0.1:3000", false),
            ("0.0.0.0:3000", false),
            ("example.com:80", false),
        ] {
            assert_eq!(loopback(text).is_ok(), fine, "{text}");
        }
    }
}
