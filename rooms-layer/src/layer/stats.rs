use crate::{engine::Count, namespace::Hub};
use std::collections::BTreeMap;

/// What a server is doing and what has happened on it: [`RoomsLayer::stats`](super::RoomsLayer::stats).
///
/// All of it is about this server alone. What is counted is counted since the layer was made.
///
/// ```
/// # use rooms_layer::RoomsLayer;
/// let rooms = RoomsLayer::new();
/// let stats = rooms.stats();
/// if stats.closed.get("slow_client").is_some_and(|closed| *closed > 100) {
///     println!("{} bytes wait for clients that do not keep up", stats.queued_bytes);
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Open connections that poll.
    pub polling: usize,
    /// Open connections over WebSocket.
    pub websocket: usize,
    /// Namespaces, the dynamic ones of this moment among them.
    pub namespaces: usize,
    /// Sockets in all namespaces.
    pub sockets: usize,
    /// Rooms that somebody has joined, in all namespaces. A socket's own room is not counted.
    pub rooms: usize,
    /// Packets that wait in the queues of clients, of all together.
    pub queued_packets: usize,
    /// Their bytes. A broadcast is counted for each client, although all share it in memory.
    pub queued_bytes: usize,
    /// Bytes of messages that clients have begun to send and not ended.
    pub held_bytes: usize,
    /// Connections that were opened.
    pub opened: u64,
    /// Events that clients sent.
    pub events_in: u64,
    /// Emits of this server, to however many sockets, on whichever servers.
    pub events_out: u64,
    /// Packets that emits queued for sockets of this server, those of other servers included.
    pub deliveries: u64,
    /// Volatile packets that clients could not take.
    pub dropped: u64,
    /// Connections that have ended, by what ended them: `client_closed`, `transport_failed`, `bad_frame`, `bad_packet`,
    /// `ping_timeout`, `protocol_violation`, `connect_timeout`, `slow_client`, `overloaded`, `server_closed`,
    /// `shutting_down`, `task_dropped`.
    pub closed: BTreeMap<&'static str, u64>,
    /// What was refused, by reasons. Requests: `transport_unknown`, `session_unknown`,
    /// `session_elsewhere` (it grows where a load balancer is not sticky), `bad_method`, `bad_upgrade`,
    /// `other_transport`, `unsupported_protocol`, `foreign_origin`, `no_upgrade`, `overlapping_request`. Clients that asked to
    /// be let into a namespace: `no_such_namespace`, `too_many_namespaces`, `too_many_connects`, `not_authorized`. Events of
    /// clients: `event_rejected`. What the application asked for: `room_not_joined`, `too_many_acks`. Events of other
    /// servers: `too_many_server_events`.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Stats {
    pub(super) fn of(hub: &Hub) -> Self {
        let engine = hub.engine();
        let (queues, counters) = (engine.queues(), engine.counters());
        let namespaces = hub.all();
        let sizes = namespaces.iter().map(|namespace| namespace.sizes());
        let (sockets, rooms) = sizes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        Self {
            polling: queues.polling,
            websocket: queues.websocket,
            namespaces: namespaces.len(),
            sockets,
            rooms,
            queued_packets: queues.packets,
            queued_bytes: queues.bytes,
            held_bytes: engine.held(),
            opened: counters.opened(),
            events_in: counters.get(Count::EventsIn),
            events_out: counters.get(Count::EventsOut),
            deliveries: counters.get(Count::Deliveries),
            dropped: counters.get(Count::Dropped),
            closed: counters.closed(),
            refused: counters.refused(),
        }
    }
}
