//! A TCP proxy that breaks connections in the ways that networks do.

mod pump;
#[cfg(test)]
mod tests;

use self::pump::{Pump, Stopped};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Stands between clients and a server, and does to their connections what it is told. Without faults it passes everything on.
///
/// Connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    faults: Arc<watch::Sender<Faults>>,
    accepting: JoinHandle<()>,
}

/// What is wrong with the network.
#[derive(Debug, Clone, Default)]
struct Faults {
    /// How long each piece is held back.
    delay: Duration,
    /// What happens to bytes on their way to the server, and to those on their way back.
    up: Flow,
    down: Flow,
    /// How many bytes a connection carries in both directions together before it is reset.
    cut_after: Option<u64>,
    /// Connections older than this are reset.
    resets: u64,
    /// Connections older than this carry nothing any more.
    forgets: u64,
    /// No connection is made.
    refusing: bool,
}

/// What happens to the bytes of one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Pass,
    /// Nothing is read: buffers fill up, and nothing is lost.
    Stall,
    /// Everything is read and thrown away.
    Swallow,
}

/// One of the ways through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From clients to the server.
    Up,
    /// From the server to clients.
    Down,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// Panics when no port is free.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let faults = Arc::new(watch::Sender::new(Faults::default()));
        let accepting = tokio::spawn(accept(listener, server, faults.clone()));
        Self {
            address,
            faults,
            accepting,
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds each piece back for so long, in both directions. Their order stays.
    pub fn delay(&self, delay: Duration) {
        self.change(|faults| faults.delay = delay);
    }

    /// Holds everything back, in both directions, until it is healed. Nothing is lost: it is a network that has become very slow.
    pub fn stall(&self) {
        self.change(|faults| (faults.up, faults.down) = (Flow::Stall, Flow::Stall));
    }

    /// Throws away what goes in one direction, while the other still works. Connections that have lost something are reset
    /// when it is healed, as they are by a network that forgets them.
    pub fn swallow(&self, direction: Direction) {
        self.change(|faults| match direction {
            Direction::Up => faults.up = Flow::Swallow,
            Direction::Down => faults.down = Flow::Swallow,
        });
    }

    /// Resets the connections that there are. New ones can be made.
    pub fn reset(&self) {
        self.change(|faults| faults.resets += 1);
    }

    /// Forgets the connections that there are, as a firewall does: they carry nothing any more, and nobody is told, not even when it
    /// is healed. New ones can be made.
    pub fn forget(&self) {
        self.change(|faults| faults.forgets += 1);
    }

    /// Resets each connection, also each new one, when it has carried so many bytes from now on, in both directions together.
    pub fn cut_after(&self, bytes: u64) {
        self.change(|faults| faults.cut_after = Some(bytes));
    }

    /// Resets the connections that there are, and lets no new one through.
    pub fn refuse(&self) {
        self.change(|faults| {
            faults.resets += 1;
            faults.refusing = true;
        });
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.change(|faults| {
            *faults = Faults {
                resets: faults.resets,
                forgets: faults.forgets,
                ..Faults::default()
            };
        });
    }

    fn change(&self, change: impl FnOnce(&mut Faults)) {
        self.faults.send_modify(change);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.reset();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, faults: Arc<watch::Sender<Faults>>) {
    loop {
        // A connection that can't be accepted is gone already.
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, server, faults.subscribe()));
        }
    }
}

/// Carries one connection until it ends.
async fn carry(client: TcpStream, server: SocketAddr, faults: watch::Receiver<Faults>) {
    let (refusing, resets, forgets) = {
        let faults = faults.borrow();
        (faults.refusing, faults.resets, faults.forgets)
    };
    if refusing {
        return reset(&client);
    }
    let Ok(server) = TcpStream::connect(server).await else {
        return reset(&client);
    };
    for stream in [&client, &server] {
        // A test that waits for delayed acknowledgements is slow for no reason.
        stream.set_nodelay(true).ok();
    }
    let carried = Arc::default();
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let pump = |flow| Pump {
        faults: faults.clone(),
        flow,
        resets,
        forgets,
        carried: Arc::clone(&carried),
    };
    let up = run(pump(|faults| faults.up), &mut from_client, &mut to_server);
    let down = run(pump(|faults| faults.down), &mut from_server, &mut to_client);
    // Either both directions end, each by itself, or one of them ends the connection.
    let is_reset = tokio::try_join!(up, down).is_err();
    if is_reset {
        reset(&from_client.unsplit(to_client));
        reset(&from_server.unsplit(to_server));
    }
}

/// A connection is reset.
struct Reset;

async fn run(
    pump: Pump,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Reset> {
    match pump.run(from, to).await {
        Stopped::End => Ok(()),
        Stopped::Reset => Err(Reset),
    }
}

/// Has the connection end with a reset when it is dropped, instead of a goodbye.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}
