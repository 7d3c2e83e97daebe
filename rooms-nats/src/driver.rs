//! The task of a server: it alone speaks with NATS, so that what it says keeps its order.

use crate::{
    NatsConfig, answering,
    cluster::Cluster,
    connection::{Connection, confirm},
    inbox::{Inbox, Subscribed},
    outbox::{Out, WeakOutbox, log_bad},
    protocol::{self, Body, Message, Plain},
    recovery::Sessions,
};
use async_nats::Client;
use bytes::Bytes;
use rooms_layer::rooms::adapter::{AdapterError, Health};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

/// All that the task has.
pub(crate) struct Driver {
    client: Client,
    connection: Arc<Connection>,
    cluster: Arc<Cluster>,
    outbox: WeakOutbox,
    out: mpsc::Receiver<Out>,
    inbox: Inbox,
    /// Those that are there as long as the server is.
    always: Vec<Subscribed>,
    namespaces: HashMap<Arc<str>, Subscriptions>,
    /// Those of clients that may come back, where they are kept.
    sessions: Option<Arc<Sessions>>,
    is_probing: Arc<AtomicBool>,
    heartbeat: Duration,
    silence: Duration,
}

/// What a server hears of one namespace.
struct Subscriptions {
    _all: Subscribed,
    rooms: HashMap<Box<str>, Subscribed>,
}

impl Driver {
    pub(crate) fn new(
        client: Client,
        connection: Arc<Connection>,
        cluster: Arc<Cluster>,
        outbox: WeakOutbox,
        out: mpsc::Receiver<Out>,
        config: &NatsConfig,
    ) -> Self {
        Self {
            client,
            connection,
            cluster,
            outbox,
            out,
            inbox: Inbox::new(),
            always: Vec::new(),
            namespaces: HashMap::new(),
            sessions: None,
            is_probing: Arc::default(),
            heartbeat: config.heartbeat,
            silence: config.silence,
        }
    }

    /// Has it know the sessions that other servers may claim.
    pub(crate) fn with_sessions(mut self, sessions: Arc<Sessions>) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Subscribes to what every server hears, and makes itself known. When this returns, the others can reach this server.
    pub(crate) async fn begin(&mut self) -> Result<(), AdapterError> {
        let shared = self.outbox.shared();
        let subjects = shared.subjects();
        for subject in [subjects.servers(), subjects.server(shared.own())] {
            let subscribed = self.subscribe(subject).await?;
            self.always.push(subscribed);
        }
        self.confirm().await.map_err(AdapterError::new)?;
        self.announce(Plain::Hello).await;
        self.confirm().await.map_err(AdapterError::new)
    }

    /// Runs until the server closes, or nobody holds anything of the adapter any more.
    pub(crate) async fn run(mut self) {
        let mut ticks = interval(self.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let told = loop {
            tokio::select! {
                out = self.out.recv() => {
                    // Who is asked of something, or told of it, may rely on what changed before.
                    self.follow_interest().await;
                    match out {
                        Some(Out::Publish(parcel)) => parcel.publish(&self.client).await,
                        Some(Out::Confirm(tell)) => self.confirm_to(tell),
                        Some(Out::Close(tell)) => break Some(tell),
                        None => break None,
                    }
                }
                messages = self.inbox.batch() => self.receive(&messages),
                () = self.cluster.interest_changed() => self.follow_interest().await,
                () = self.connection.back() => self.come_back().await,
                _ = ticks.tick() => self.tick().await,
            }
        };
        self.announce(Plain::Bye).await;
        self.connection.closed();
        let confirmed = self.confirm().await;
        if let Some(tell) = told {
            tell.send(confirmed).ok();
        }
    }

    /// Says something of this server to all others.
    async fn announce(&self, what: Plain) {
        let shared = self.outbox.shared();
        let message = protocol::plain(shared.header(), what);
        let sent = self
            .client
            .publish(shared.subjects().servers(), message)
            .await;
        if let Err(error) = sent {
            tracing::warn!(%error, ?what, "the other servers are not told");
        }
    }

    /// Waits until NATS has everything that was sent to it.
    async fn confirm(&self) -> Result<(), String> {
        confirm(&self.client, self.nobody(), self.silence).await
    }

    fn confirm_to(&self, tell: oneshot::Sender<Result<(), String>>) {
        let (client, subject, silence) = (self.client.clone(), self.nobody(), self.silence);
        if let Health::Down { cause } = &*self.connection.health().borrow() {
            // Whoever asked may have gone.
            tell.send(Err(cause.to_string())).ok();
            return;
        }
        tokio::spawn(async move {
            tell.send(confirm(&client, subject, silence).await).ok();
        });
    }

    fn nobody(&self) -> String {
        let shared = self.outbox.shared();
        shared.subjects().nobody(shared.own())
    }

    /// Makes the subscriptions what they should be.
    async fn follow_interest(&mut self) {
        let changed = self.cluster.take_interest();
        for namespace in changed.namespaces {
            if !self.cluster.is_open(&namespace) {
                self.namespaces.remove(&namespace);
            } else if !self.namespaces.contains_key(&namespace) {
                let subject = self.outbox.shared().subjects().namespace(&namespace);
                if let Some(all) = self.try_subscribe(subject).await {
                    let rooms = HashMap::new();
                    let subscriptions = Subscriptions { _all: all, rooms };
                    self.namespaces.insert(namespace, subscriptions);
                }
            }
        }
        for (namespace, room) in changed.rooms {
            self.follow_room(&namespace, room).await;
        }
    }

    async fn follow_room(&mut self, namespace: &Arc<str>, room: Box<str>) {
        let local = self.cluster.local(namespace);
        let is_wanted = local.is_some_and(|local| local.has_room(&room));
        let Some(subscriptions) = self.namespaces.get_mut(namespace) else {
            return;
        };
        if !is_wanted {
            subscriptions.rooms.remove(&room);
        } else if !subscriptions.rooms.contains_key(&room)
            && let Some(subject) = self.outbox.shared().subjects().room(namespace, &room)
            && let Some(subscribed) = self.try_subscribe(subject).await
            && let Some(subscriptions) = self.namespaces.get_mut(namespace)
        {
            subscriptions.rooms.insert(room, subscribed);
        }
    }

    async fn try_subscribe(&mut self, subject: String) -> Option<Subscribed> {
        let subscribed = self.subscribe(subject).await;
        subscribed
            .inspect_err(|error| tracing::error!(%error, "what goes there is missed"))
            .ok()
    }

    async fn subscribe(&mut self, subject: String) -> Result<Subscribed, AdapterError> {
        let subscribed = self.client.subscribe(subject.clone()).await;
        let subscriber = subscribed.map_err(|error| {
            AdapterError::new(format_args!("{subject} can't be subscribed to: {error}"))
        })?;
        Ok(self.inbox.add(subscriber))
    }

    /// The connection is there again, and NATS knows our subscriptions.
    async fn come_back(&mut self) {
        self.outbox
            .shared()
            .set_max_payload(self.client.max_payload());
        self.cluster.presence().excuse(Instant::now());
        self.announce(Plain::Hello).await;
        self.follow_interest().await;
        self.connection.up();
    }

    async fn tick(&mut self) {
        self.announce(Plain::Alive).await;
        self.connection.look_at_lost();
        self.probe();
        let is_up = self.connection.health().borrow().is_up();
        if is_up {
            let gone = self.cluster.presence().expire(self.silence, Instant::now());
            for server in gone {
                tracing::warn!(
                    server = &*server,
                    "another server has gone silent, and is not waited for any more"
                );
                self.cluster.questions.gone(&server, false);
            }
        }
    }

    /// Finds out whether NATS hears us. The client of NATS takes whatever comes for a sign that it does.
    fn probe(&self) {
        if self.is_probing.swap(true, Ordering::Relaxed) {
            return;
        }
        let (client, connection) = (self.client.clone(), self.connection.clone());
        let (nobody, silence, is_probing) = (self.nobody(), self.silence, self.is_probing.clone());
        tokio::spawn(async move {
            let is_lost = connection.health().borrow().is_up()
                && confirm(&client, nobody, silence).await.is_err()
                && connection.health().borrow().is_up();
            if is_lost {
                connection.unanswered();
                // It fails where the client is gone.
                client.force_reconnect().await.ok();
            }
            is_probing.store(false, Ordering::Relaxed);
        });
    }

    /// Deals with all messages of a batch, those of each server in its order.
    fn receive(&self, messages: &[async_nats::Message]) {
        let mut read: Vec<_> = messages
            .iter()
            .filter_map(|message| self.read(message))
            .collect();
        read.sort_by(|one, other| (&one.from, one.number).cmp(&(&other.from, other.number)));
        for message in read {
            self.deal_with(message);
        }
    }

    fn read(&self, message: &async_nats::Message) -> Option<Message> {
        let payload: &Bytes = &message.payload;
        match protocol::read(payload) {
            // NATS is asked not to send us our own; a forger may.
            Ok(message) => (*message.from != *self.outbox.shared().own()).then_some(message),
            Err(error) => {
                log_bad(&error, &message.subject, payload.len());
                None
            }
        }
    }

    fn deal_with(&self, message: Message) {
        let Message { from, body, .. } = message;
        let cluster = &self.cluster;
        match body {
            Body::Hello => {
                cluster.presence().heard(&from, Instant::now());
                self.greet();
            }
            Body::Alive => {
                cluster.presence().heard(&from, Instant::now());
            }
            Body::Bye => {
                cluster.presence().bye(&from);
                cluster.questions.gone(&from, true);
            }
            Body::Broadcast {
                namespace,
                to,
                broadcast,
            } => {
                if let Some(local) = cluster.local(&namespace) {
                    local.deliver(&to, broadcast);
                }
            }
            Body::Command {
                namespace,
                to,
                command,
            } => {
                if let Some(local) = cluster.local(&namespace) {
                    local.obey(&to, &command);
                }
            }
            Body::Tell { namespace, event } => {
                if let Some(local) = cluster.local(&namespace) {
                    // It runs whether or not anybody waits.
                    drop(local.hear(event));
                }
            }
            Body::Ask(ask) => {
                let local = cluster.local(&ask.namespace);
                if let Some(outbox) = self.outbox.upgrade() {
                    answering::answer(outbox, &from, ask, local);
                }
            }
            Body::Answers {
                id,
                last,
                asked,
                answers,
            } => cluster.questions.answered(id, &from, asked, answers, last),
            Body::Evict {
                namespace,
                socket,
                revision,
            } => {
                let sessions = self.sessions.as_ref();
                if sessions.is_some_and(|sessions| sessions.evicted(&socket, revision))
                    && let Some(local) = cluster.local(&namespace)
                {
                    local.evict(&socket);
                }
            }
            // That is read from the log, and comes nowhere else.
            Body::Logged { .. } => {}
        }
    }

    /// Tells a new server that this one is there.
    fn greet(&self) {
        if let Some(outbox) = self.outbox.upgrade() {
            let message = protocol::plain(outbox.header(), Plain::Alive);
            // Otherwise the next heartbeat tells.
            outbox.try_send(outbox.subjects().servers(), message).ok();
        }
    }
}
