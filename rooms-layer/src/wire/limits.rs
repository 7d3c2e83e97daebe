//! The ceilings that a decoder is given.

/// The ceilings for what one peer may send.
///
/// Every decoder checks its ceilings before it allocates. Zero is never "unlimited": it refuses everything that the
/// ceiling counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The length of one WebSocket message, or of one long-polling body, in bytes.
    ///
    /// The default is 1,000,000, as in Node, and it is announced to clients as `maxPayload`. Too low, and honest
    /// clients are cut off with close code 1009; too high, and each connection may hold that much memory.
    pub max_payload: usize,

    /// The number of Engine.IO packets in one long-polling body.
    ///
    /// The default is 65,536. The stock client puts all that waits into one body, up to `max_payload`, so too low a
    /// ceiling cuts off honest clients that emit in a burst; without one, a body could be a million packets of nothing.
    pub max_packets_per_post: usize,

    /// The number of frames that one WebSocket message may be split into.
    ///
    /// The default is 16,384. At 1 every fragmented message is refused, although clients behind proxies may send
    /// them; without a ceiling a peer could have us handle frames without end that carry nothing.
    pub max_fragments: usize,

    /// The number of binary attachments of one packet.
    ///
    /// The default is 10, as in Node. At 0 every binary packet is refused; the ceiling for their sum is
    /// [`max_pending_bytes`](Self::max_pending_bytes).
    pub max_attachments: usize,

    /// The length of all attachments of one packet together, in bytes.
    ///
    /// The default is 4,000,000, four times `max_payload`. A packet waits in memory until its last attachment is
    /// there, so this, with the packet's text on top, is what a peer can make each connection hold. Below
    /// `max_payload`, it bounds the single attachment too.
    pub max_pending_bytes: usize,

    /// The number of arguments of one event or acknowledgement, the event's name not counted.
    ///
    /// The default is 1,000. At 0 only bare events pass. Arguments cost a few words of memory each, so even a very
    /// high ceiling is bounded by `max_payload`.
    pub max_args: usize,

    /// The depth of nested arrays and objects in a packet, the array of the arguments itself counted.
    ///
    /// The default is 128, which is also the deepest that typed arguments are read; a higher ceiling only lets text
    /// through that [`Args::raw`](super::Args::raw) alone can make use of. At 1 arguments are plain values.
    pub max_depth: usize,

    /// The length of an event's name, in bytes.
    ///
    /// The default is 1,024. Names are looked up and logged, so they are kept short; at 0 no event passes.
    pub max_event_name: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload: 1_000_000,
            max_packets_per_post: 65_536,
            max_fragments: 16_384,
            max_attachments: 10,
            max_pending_bytes: 4_000_000,
            max_args: 1_000,
            max_depth: 128,
            max_event_name: 1_024,
        }
    }
}
