//! The Socket.IO protocol of one connection: which namespaces it is in, and what its packets set off.

use super::{
    ConnectRequest, Event, Hub, Namespace, Peer, Refuse, Reply, SocketData, dialect,
    hub::NoNamespace,
    in_flight::{Finished, InFlight, Job},
    peer::Wish,
    recover::{Guest, Returning, Shown},
};
use crate::{
    engine::{Batch, Count, Held, Inbound, Mailbox, Message},
    handshake::HandshakeInfo,
    session::{CloseCause, DisconnectReason, Rate},
    token,
    wire::{
        Args, Frames, Limits,
        engine_io::Revision,
        socket_io::{self, Kind, Packet},
    },
};
use smallvec::SmallVec;
use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

/// What one client and this server have said to each other. Driven by the connection's task alone.
pub(crate) struct Conversation {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
    handshake: Arc<HandshakeInfo>,
    decoder: socket_io::Decoder,
    /// What the decoder holds.
    held: Held,
    connects: Rate,
    seats: SmallVec<[Seat; 1]>,
    /// Namespaces whose authorisation is under way.
    knocking: SmallVec<[Arc<Namespace>; 1]>,
    in_flight: InFlight,
    /// Handlers under way, on all seats.
    running: usize,
    /// Hooks under way.
    hooks: usize,
    parked_bytes: usize,
    closed: bool,
}

/// One namespace that the client is in, or has left with events still to be handled.
struct Seat {
    peer: Arc<Peer>,
    left: bool,
    running: usize,
    parked: VecDeque<Event>,
    /// Why it left, where the hooks have to wait until every event is handled.
    farewell: Option<DisconnectReason>,
}

impl Seat {
    fn is_idle(&self) -> bool {
        self.running == 0 && self.parked.is_empty()
    }

    fn one_at_a_time(&self) -> bool {
        let handlers = self.peer.namespace().handlers();
        handlers.is_some_and(|handlers| handlers.one_at_a_time())
    }
}

impl Conversation {
    pub(crate) fn new(hub: Arc<Hub>, mailbox: Arc<Mailbox>, handshake: Arc<HandshakeInfo>) -> Self {
        let parsers = dialect::parsers(mailbox.revision(), hub.config());
        Self {
            decoder: socket_io::Decoder::with_parsers(parsers),
            held: Held::new(hub.engine().clone()),
            connects: Rate::default(),
            hub,
            mailbox,
            handshake,
            seats: SmallVec::new(),
            knocking: SmallVec::new(),
            in_flight: InFlight::default(),
            running: 0,
            hooks: 0,
            parked_bytes: 0,
            closed: false,
        }
    }

    fn packet(&mut self, packet: Packet, cx: &mut Context<'_>) -> Result<(), CloseCause> {
        if packet.kind() == Kind::Connect {
            if self.mailbox.revision() == Revision::V4 {
                // Every conversation begins with a CONNECT, and nothing is sent to the client before.
                self.mailbox.speak(self.decoder.format());
            }
            let limits = &self.hub.engine().config().limits;
            return match dialect::asked(self.mailbox.revision(), packet, limits) {
                Ok((path, auth)) => self.connect(&path, auth, cx),
                Err(error) => violation(error),
            };
        }
        // Whatever else is said to a namespace that the client is not in is against the rules, since clients wait for the
        // reply to their CONNECT.
        let seat = self
            .seats
            .iter()
            .position(|seat| !seat.left && seat.peer.namespace().path() == packet.namespace());
        let Some(seat) = seat else {
            return violation("a packet for a namespace that the client is not in");
        };
        match packet.kind() {
            Kind::Event => self.event(seat, packet, cx),
            Kind::Ack => {
                if let Some(id) = packet.id() {
                    self.seats[seat].peer.acknowledged(id, packet.into_args());
                }
            }
            Kind::Disconnect => {
                self.leave(seat, DisconnectReason::ClientNamespaceDisconnect, cx);
            }
            Kind::Connect | Kind::ConnectError => {
                return violation("a packet that only servers send");
            }
        }
        Ok(())
    }

    fn count_refused(&self, reason: &'static str) {
        self.hub.engine().counters().add_refused(reason);
    }

    /// Sends a packet that belongs to no peer.
    fn send(&self, packet: &Frames) {
        let mut batch = Batch::new(self.hub.engine().flusher());
        self.mailbox.send(packet, &mut batch);
    }
}

/// Coming and going.
impl Conversation {
    fn connect(&mut self, path: &str, auth: Args, cx: &mut Context<'_>) -> Result<(), CloseCause> {
        let now = tokio::time::Instant::now().into_std();
        let limit = self.hub.config().max_connects_per_second;
        if !self.connects.take(limit, now) {
            self.count_refused("too_many_connects");
            tracing::warn!(limit, "refused: too many CONNECT packets in a second");
            return Err(CloseCause::Violation);
        }
        let namespace = match self.hub.open(path) {
            Ok(namespace) => namespace,
            Err(NoNamespace::Unknown) => {
                self.count_refused("no_such_namespace");
                tracing::debug!(namespace = ?path, "refused: no such namespace");
                self.send(&dialect::no_namespace(path, "Invalid namespace"));
                return Ok(());
            }
            Err(NoNamespace::TooMany) => {
                self.count_refused("too_many_namespaces");
                tracing::warn!(namespace = ?path, "refused: there are too many dynamic namespaces");
                self.send(&dialect::no_namespace(path, "too many namespaces"));
                return Ok(());
            }
        };
        let is_in = |seat: &Seat| !seat.left && Arc::ptr_eq(seat.peer.namespace(), &namespace);
        let knocks = |known: &Arc<Namespace>| Arc::ptr_eq(known, &namespace);
        if self.seats.iter().any(is_in) || self.knocking.iter().any(knocks) {
            return violation("a second CONNECT to one namespace");
        }
        // Every packet looks for its seat.
        if self.seats.len() + self.knocking.len() >= self.hub.config().max_joined_namespaces {
            self.count_refused("too_many_namespaces");
            tracing::debug!(namespace = ?path, "refused: the client is in too many namespaces");
            self.send(&dialect::no_namespace(path, "too many namespaces"));
            return Ok(());
        }
        let Some(handlers) = namespace.handlers() else {
            return Ok(());
        };
        // Clients of the former revision know of no such thing.
        let may_return = self.mailbox.revision() == Revision::V4 && namespace.recovery().is_some();
        let shown = may_return.then(|| Shown::read(&auth)).flatten();
        let future = handlers.authorize(ConnectRequest {
            auth,
            namespace: namespace.clone(),
            handshake: self.handshake.clone(),
        });
        self.knocking.push(namespace.clone());
        let job = Job::Authorize {
            namespace,
            shown,
            future,
        };
        self.start(job, cx);
        Ok(())
    }

    fn authorized(
        &mut self,
        namespace: Arc<Namespace>,
        shown: Option<Shown>,
        result: Result<SocketData, Refuse>,
        cx: &mut Context<'_>,
    ) {
        if self.closed {
            return;
        }
        let data = match result {
            Ok(data) => data,
            Err(refusal) => {
                let path = namespace.path();
                self.count_refused("not_authorized");
                tracing::debug!(namespace = ?path, reason = ?refusal.logged(), "refused by `authorize`");
                self.send(&dialect::refused(self.mailbox.revision(), path, &refusal));
                return self.answered(&namespace);
            }
        };
        let guest = Guest {
            namespace: namespace.clone(),
            mailbox: self.mailbox.clone(),
            handshake: self.handshake.clone(),
            data,
        };
        match shown {
            None => self.admit(guest, None, cx),
            Some(shown) => {
                let future = Box::pin(guest.come_back(shown));
                self.start(Job::Return { namespace, future }, cx);
            }
        }
    }

    fn returned(
        &mut self,
        namespace: Arc<Namespace>,
        result: Option<Box<(Guest, Option<Returning>)>>,
        cx: &mut Context<'_>,
    ) {
        match result.map(|result| *result) {
            _ if self.closed => {}
            Some((guest, returning)) => self.admit(guest, returning, cx),
            None => {
                let refusal = Refuse::new("internal error");
                let (revision, path) = (self.mailbox.revision(), namespace.path());
                self.send(&dialect::refused(revision, path, &refusal));
                self.answered(&namespace);
            }
        }
    }

    /// Lets a client in, as what it was or as a new one.
    fn admit(&mut self, guest: Guest, returning: Option<Returning>, cx: &mut Context<'_>) {
        let namespace = guest.namespace.clone();
        self.answered(&namespace);
        let path = namespace.path();
        let revision = self.mailbox.revision();
        let reply =
            |peer: &Peer, token: Option<&str>| dialect::connected(revision, path, peer.id(), token);
        self.mailbox.joined();
        let back = returning.and_then(|back| back.let_in(|peer, token| reply(peer, Some(token))));
        let peer = back.unwrap_or_else(|| {
            let peer = Arc::new(guest.peer());
            let may_return = revision == Revision::V4 && namespace.recovery().is_some();
            let token = may_return.then(token::secret);
            // The reply is queued before anything else can be: from `enter` on the peer receives broadcasts.
            self.send(&reply(&peer, token.as_deref()));
            namespace.enter(&peer, token.as_deref());
            peer
        });
        let recovered = peer.is_recovered();
        tracing::debug!(namespace = ?path, socket = %peer.id(), recovered, "connected");
        self.seats.push(Seat {
            peer: peer.clone(),
            left: false,
            running: 0,
            parked: VecDeque::new(),
            farewell: None,
        });
        let hook = namespace
            .handlers()
            .and_then(|handlers| handlers.connected(&peer));
        if let Some(future) = hook {
            let hook = "connect";
            self.start(Job::Hook { hook, future }, cx);
        }
    }

    /// A client has its answer.
    fn answered(&mut self, namespace: &Arc<Namespace>) {
        self.knocking.retain(|known| !Arc::ptr_eq(known, namespace));
    }

    /// Takes a peer out of its namespace. Whatever it sent before is handled, and begins to be before the hooks run.
    fn leave(&mut self, at: usize, reason: DisconnectReason, cx: &mut Context<'_>) {
        let seat = &mut self.seats[at];
        seat.left = true;
        let peer = seat.peer.clone();
        let namespace = peer.namespace().clone();
        tracing::debug!(namespace = ?namespace.path(), socket = %peer.id(), %reason, "disconnected");
        match reason.keeps_session() {
            true => namespace.linger(),
            false => peer.end_session(),
        }
        peer.begin_leaving();
        if seat.one_at_a_time() && !seat.is_idle() {
            seat.farewell = Some(reason);
        } else {
            // More at a time than otherwise, but no more than may be parked.
            while let Some(event) = self.unpark_one(at) {
                self.handle(at, event, cx);
            }
            self.farewell(peer.clone(), reason, cx);
        }
        // A hook that has to wait, or that panicked, does not keep a gone client in its rooms.
        namespace.exit(&peer);
        peer.abandon();
        self.tidy();
    }

    /// Runs the hooks of a peer that leaves.
    fn farewell(&mut self, peer: Arc<Peer>, reason: DisconnectReason, cx: &mut Context<'_>) {
        let Some(handlers) = peer.namespace().handlers().cloned() else {
            return;
        };
        let future = Box::pin(async move {
            if let Some(disconnecting) = handlers.disconnecting(&peer, reason) {
                disconnecting.await;
            }
            peer.namespace().exit(&peer);
            peer.forget_rooms();
            if let Some(disconnected) = handlers.disconnected(&peer, reason) {
                disconnected.await;
            }
        });
        let hook = "disconnect";
        self.start(Job::Hook { hook, future }, cx);
    }

    fn leave_all(&mut self, reason: DisconnectReason, cx: &mut Context<'_>) {
        while let Some(seat) = self.seats.iter().position(|seat| !seat.left) {
            self.leave(seat, reason, cx);
        }
    }

    /// Does what the application asked for since the last turn.
    fn grant_wishes(&mut self, cx: &mut Context<'_>) {
        let wish = |seat: &Seat| match seat.left {
            true => Wish::Nothing,
            false => seat.peer.wish(),
        };
        if self.seats.iter().any(|seat| wish(seat) == Wish::Close) {
            for seat in self.seats.iter().filter(|seat| !seat.left) {
                seat.peer.disconnect(false);
            }
            self.leave_all(DisconnectReason::ServerNamespaceDisconnect, cx);
            self.mailbox.close(CloseCause::ServerClosed);
        }
        while let Some(seat) = self
            .seats
            .iter()
            .position(|seat| wish(seat) == Wish::Disconnect)
        {
            self.leave(seat, DisconnectReason::ServerNamespaceDisconnect, cx);
        }
    }

    /// Gives up the seats that nothing is left to be done for.
    fn tidy(&mut self) {
        self.seats.retain(|seat| !seat.left || !seat.is_idle());
    }
}

/// Events and their handlers.
impl Conversation {
    fn event(&mut self, seat: usize, packet: Packet, cx: &mut Context<'_>) {
        self.hub.engine().counters().add(Count::EventsIn, 1);
        let reply = packet
            .id()
            .map(|id| Reply::new(self.seats[seat].peer.clone(), id));
        let event = Event { packet, reply };
        if self.seats[seat].parked.is_empty() && self.may_start(seat) {
            self.handle(seat, event, cx);
        } else {
            self.parked_bytes += weight(&event);
            self.seats[seat].parked.push_back(event);
        }
    }

    fn may_start(&self, seat: usize) -> bool {
        let seat = &self.seats[seat];
        self.running < self.hub.config().max_running_handlers
            && (seat.running == 0 || !seat.one_at_a_time())
    }

    fn handle(&mut self, seat: usize, event: Event, cx: &mut Context<'_>) {
        let peer = self.seats[seat].peer.clone();
        let Some(handlers) = peer.namespace().handlers() else {
            return;
        };
        self.running += 1;
        self.seats[seat].running += 1;
        let job = Job::Handle {
            event: event.name().into(),
            reply: event.reply.clone(),
            future: handlers.event(&peer, event),
            peer,
        };
        self.start(job, cx);
    }

    fn handled(
        &mut self,
        peer: &Arc<Peer>,
        panicked: Option<(Box<str>, Option<Reply>)>,
        cx: &mut Context<'_>,
    ) {
        if let (Some((event, reply)), Some(handlers)) = (panicked, peer.namespace().handlers()) {
            handlers.panicked(peer, &event, reply);
        }
        self.running -= 1;
        let mut seats = self.seats.iter_mut();
        let Some(seat) = seats.find(|seat| Arc::ptr_eq(&seat.peer, peer)) else {
            return;
        };
        seat.running -= 1;
        if seat.is_idle()
            && let Some(reason) = seat.farewell.take()
        {
            self.farewell(peer.clone(), reason, cx);
        }
    }

    /// Starts what had to wait and no longer has to.
    fn unpark(&mut self, cx: &mut Context<'_>) {
        while let Some(seat) = (0..self.seats.len())
            .find(|&seat| !self.seats[seat].parked.is_empty() && self.may_start(seat))
            && let Some(event) = self.unpark_one(seat)
        {
            self.handle(seat, event, cx);
        }
    }

    fn unpark_one(&mut self, seat: usize) -> Option<Event> {
        let parked = &mut self.seats[seat].parked;
        let event = parked.pop_front()?;
        if parked.is_empty() {
            // Gives the memory back.
            *parked = VecDeque::new();
        }
        self.parked_bytes -= weight(&event);
        Some(event)
    }

    /// Starts a job. One that is done at once has its consequences at once.
    fn start(&mut self, job: Job, cx: &mut Context<'_>) {
        if let Job::Hook { .. } = job {
            self.hooks += 1;
        }
        if let Some(finished) = self.in_flight.start(job, cx) {
            self.finished(finished, cx);
        }
    }

    fn finished(&mut self, finished: Finished, cx: &mut Context<'_>) {
        match finished {
            Finished::Authorized {
                namespace,
                shown,
                result,
            } => self.authorized(namespace, shown, result, cx),
            Finished::Returned { namespace, result } => self.returned(namespace, result, cx),
            Finished::Handled { peer, panicked } => self.handled(&peer, panicked, cx),
            Finished::Hooked => self.hooks -= 1,
        }
    }
}

impl Inbound for Conversation {
    /// A client of revision 3 is in `/` without having asked for it. Where there is no such namespace it is told nothing, since its
    /// sockets in other namespaces would take that for an answer to them.
    fn opened(&mut self, cx: &mut Context<'_>) {
        if self.mailbox.revision() == Revision::V3 && self.hub.open("/").is_ok() {
            let joined = self.connect("/", Args::default(), cx);
            debug_assert_eq!(joined, Ok(()), "nothing was joined before");
        }
    }

    fn message(&mut self, message: Message<'_>, cx: &mut Context<'_>) -> Result<(), CloseCause> {
        // What the application has ended is ended before the next packet is looked at.
        self.grant_wishes(cx);
        let limits: &Limits = &self.hub.engine().config().limits;
        let packet = match message {
            Message::Text(text) => self.decoder.text(text, limits),
            Message::Binary(data) => self.decoder.binary(data, limits),
        };
        self.held.set(self.decoder.pending_bytes())?;
        match packet {
            Ok(Some(packet)) => self.packet(packet, cx),
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::debug!(%error, "refused a packet");
                Err(CloseCause::Violation)
            }
        }
    }

    fn is_ready(&self) -> bool {
        let config = self.hub.config();
        // Leaving starts what is parked, and coming and going start hooks: a client that does nothing else has to wait for
        // them too.
        let busy = self.running + self.hooks + self.knocking.len();
        self.parked_bytes < config.max_parked_bytes
            && busy < config.max_running_handlers.saturating_mul(2)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.grant_wishes(cx);
            match self.in_flight.poll(cx) {
                Poll::Ready(Some(finished)) => self.finished(finished, cx),
                // Starting what was parked may add to what is in flight, so it is asked again.
                idle if self.parked_bytes > 0 => {
                    let parked = self.parked_bytes;
                    self.unpark(cx);
                    if self.parked_bytes == parked {
                        return idle.map(drop);
                    }
                }
                idle => {
                    self.tidy();
                    return idle.map(drop);
                }
            }
        }
    }

    fn closed(&mut self, reason: DisconnectReason, cx: &mut Context<'_>) {
        self.closed = true;
        // What is not whole will never be, and whoever waits at the door waits in vain.
        self.decoder = socket_io::Decoder::new();
        // Less than before, which is never refused.
        let _ = self.held.set(0);
        self.knocking.clear();
        self.in_flight.forget_authorizations();
        self.leave_all(reason, cx);
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // Where the task is dropped without having come to its end (a runtime that shuts down), no hook runs any more, but
        // nobody is left in a room.
        for seat in self.seats.iter().filter(|seat| !seat.left) {
            seat.peer.begin_leaving();
            seat.peer.namespace().exit(&seat.peer);
            seat.peer.forget_rooms();
            seat.peer.abandon();
        }
    }
}

fn violation(what: impl fmt::Display) -> Result<(), CloseCause> {
    tracing::debug!("refused: {what}");
    Err(CloseCause::Violation)
}

/// What a parked event counts, with something for its own parts, so that tiny events count too.
fn weight(event: &Event) -> usize {
    let attachments: usize = event
        .args()
        .attachments()
        .iter()
        .map(|data| data.len())
        .sum();
    event.args().text_len() + attachments + 128
}
