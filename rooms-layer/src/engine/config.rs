use crate::wire::Limits;
use std::time::Duration;

/// Settings of the connections.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineConfig {
    /// How long after a pong the next ping is sent. Default 25 s. Shorter finds dead clients sooner and costs a packet per
    /// client and interval; longer than the idle timeout of a proxy in front cuts idle clients off.
    pub ping_interval: Duration,
    /// How long a client may take to answer a ping. Default 20 s. Shorter drops clients on slow networks; longer keeps dead
    /// ones in their rooms.
    pub ping_timeout: Duration,
    /// How long a client may take to join its first namespace. Default 45 s. Shorter frees what idle strangers hold; too short
    /// cuts off clients whose `authorize` takes long.
    pub connect_timeout: Duration,
    /// How long a client that polls may take to change to WebSocket once it has begun. Default 10 s. When the time is up, the
    /// WebSocket is closed and the client goes on polling.
    pub upgrade_timeout: Duration,
    /// How long the closing handshake may take before the connection is dropped. Default 5 s. A client that polls has this time
    /// to fetch what is left for it.
    pub close_timeout: Duration,
    /// Packets that may wait for one client. Default 16,384. A client for which one more would wait is disconnected
    /// (`slow client`), so that it never sees a gap; too small a number disconnects healthy clients in a burst. A namespace may
    /// choose otherwise: see [`SlowClients`](crate::SlowClients).
    pub max_queued_packets: usize,
    /// Bytes that may wait for one client, counted in full although a broadcast is shared by its recipients. Default 4 MiB.
    /// One larger packet is still taken when nothing else waits.
    pub max_queued_bytes: usize,
    /// Bytes of messages that are not whole yet (fragments, bodies of POSTs, packets whose attachments are to come) held for all
    /// clients together. Default 256 MiB. Whoever sends more ends its own connection (close code 1013, or 503 for a POST). Too
    /// small, and a few clients that begin and never end keep the others from sending attachments; too large, and they can have
    /// the server hold that much. What one connection may hold is for [`limits`](Self::limits) to say.
    pub max_held_bytes: usize,
    /// Ceilings of the decoders.
    pub limits: Limits,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            max_queued_packets: 16_384,
            max_queued_bytes: 4 * 1024 * 1024,
            max_held_bytes: 256 * 1024 * 1024,
            limits: Limits::default(),
        }
    }
}

impl EngineConfig {
    /// What can't work, in words that name the setting.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let checks = [
            (
                self.ping_interval.is_zero(),
                "`ping_interval` must not be zero",
            ),
            (
                self.ping_timeout.is_zero(),
                "`ping_timeout` must not be zero",
            ),
            (
                self.limits.max_payload == 0,
                "`max_payload` must not be zero",
            ),
            (
                self.max_queued_packets == 0,
                "`max_queued_packets` must not be zero",
            ),
            (
                self.max_queued_bytes == 0,
                "`max_queued_bytes` must not be zero",
            ),
            (
                self.max_held_bytes == 0,
                "`max_held_bytes` must not be zero",
            ),
        ];
        let problem = checks.into_iter().find(|(is_wrong, _)| *is_wrong)?;
        Some(problem.1)
    }
}
