use super::{
    line::{Arrived, Line},
    patience::patiently,
};
use crate::{
    api::Socket,
    contract::{
        DynamicNamespace, Event, Fallible, Io, Namespace, Reply,
        bounds::{
            AcceptedBy, AckShape, DecodeAck, DecodeArgs, DecodeOwned, Emits, EncodeArgs,
            StaticNamespace, WithAck, WithoutAck,
        },
    },
    engine::Mailbox,
    layer::RoomsLayer,
    rooms::{AckError, Adapter, SocketId},
    session::DisconnectReason,
    transport::stream_pipe,
    wire::{
        Args, Data, DataWriter, Value, engine_io,
        socket_io::{self, Kind, Packet},
        websocket::text_frame,
    },
};
use serde::Serialize;
use std::{collections::VecDeque, fmt, marker::PhantomData, sync::Arc};

/// A client in namespace `N`, without a socket. See the [module](super).
pub struct Client<N: Namespace> {
    line: Line,
    id: SocketId,
    io: Io<N>,
    mailbox: Arc<Mailbox>,
    /// Events that came while something else was waited for.
    events: VecDeque<Packet>,
    next_ack: u64,
    kind: PhantomData<fn() -> N>,
}

/// Why a client was not let in: what a browser reads in `connect_error`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Refused {
    /// `err.message`.
    pub message: String,
    /// `err.data`.
    pub data: Option<Value>,
}

impl<N: Namespace> Client<N> {
    /// Connects with an auth payload: an object, or `()` for none.
    ///
    /// # Errors
    ///
    /// Fails when the server refuses.
    ///
    /// # Panics
    ///
    /// Panics when the layer was not put together rightly, or `auth` can't be encoded.
    pub async fn connect<A: Adapter>(
        rooms: &RoomsLayer<A>,
        auth: impl Serialize,
    ) -> Result<Self, Refused>
    where
        N::Contract: StaticNamespace,
    {
        Self::connect_to(rooms, rooms.io(), auth).await
    }

    /// [`connect`](Self::connect) to one of the namespaces `N`. The client holds a handle to it.
    ///
    /// # Errors
    ///
    /// Fails when the server refuses.
    ///
    /// # Panics
    ///
    /// Panics when the layer was not put together rightly, when there are too many dynamic namespaces, and when `auth` can't be
    /// encoded.
    pub async fn connect_at<A: Adapter>(
        rooms: &RoomsLayer<A>,
        namespace: N,
        auth: impl Serialize,
    ) -> Result<Self, Refused>
    where
        N: DynamicNamespace,
    {
        match rooms.at(namespace) {
            Ok(io) => Self::connect_to(rooms, io, auth).await,
            Err(error) => panic!("{error}"),
        }
    }

    async fn connect_to<A: Adapter>(
        rooms: &RoomsLayer<A>,
        io: Io<N>,
        auth: impl Serialize,
    ) -> Result<Self, Refused> {
        let (line, server) = Line::new();
        let (connection, mailbox) = rooms.test_connection(stream_pipe(server));
        tokio::spawn(connection);
        let mut client = Self {
            line,
            id: SocketId::from(""),
            io,
            mailbox,
            events: VecDeque::new(),
            next_ack: 0,
            kind: PhantomData,
        };
        let auth = to_data(&auth);
        let frame = connect_frame(client.io.core().path(), &auth);
        client.line.send(&frame).await;
        let answer = client.packet("an answer to CONNECT").await;
        let answer = answer.expect("a server answers before it closes");
        let reply: Value = answer.args().get(0).expect("an answer is an object");
        let field = |name| reply.get(name).and_then(Value::as_str).unwrap_or_default();
        match answer.kind() {
            Kind::Connect => client.id = SocketId::from(field("sid")),
            _ => {
                return Err(Refused {
                    message: field("message").to_owned(),
                    data: reply.get("data").cloned(),
                });
            }
        }
        Ok(client)
    }

    /// Returns the public id of the socket.
    pub fn id(&self) -> &SocketId {
        &self.id
    }

    /// Returns the server's end.
    ///
    /// # Panics
    ///
    /// Panics when the client is disconnected.
    pub fn server_socket(&self) -> Socket<N> {
        let peer = self.io.core().peer(&self.id);
        Socket::new(peer.expect("the client is connected"))
    }

    /// Emits an event to the server.
    ///
    /// # Panics
    ///
    /// Panics when the event can't be encoded.
    pub async fn emit<E>(&mut self, event: E)
    where
        E: Event + WithoutAck + EncodeArgs + AcceptedBy<N::Contract>,
    {
        let packet = socket_io::frame_event(encode(&event), self.io.core().path(), None);
        self.line.send(&packet).await;
    }

    /// Emits an event to the server and waits for the acknowledgement.
    ///
    /// # Errors
    ///
    /// Fails when the server closes the connection instead, or answers in another form than the event declares.
    ///
    /// # Panics
    ///
    /// Panics when the event can't be encoded, and when no answer comes: where a bad payload can't be told in the event's
    /// acknowledgement, the server is silent.
    pub async fn emit_with_ack<E>(
        &mut self,
        event: E,
    ) -> Result<<E::Ack as AckShape>::Out, AckError>
    where
        E: Event + WithAck + EncodeArgs + AcceptedBy<N::Contract>,
        E::Ack: DecodeAck,
    {
        let args = self.ask(encode(&event)).await?;
        Ok(E::Ack::decode(&args)?)
    }

    /// Emits what a client without types could: the name of `E` with any arguments.
    ///
    /// # Errors
    ///
    /// See [`emit_with_ack`](Self::emit_with_ack).
    ///
    /// # Panics
    ///
    /// See [`emit_with_ack`](Self::emit_with_ack).
    pub async fn emit_raw<E>(
        &mut self,
        arguments: impl IntoIterator<Item = Value>,
    ) -> Result<<E::Ack as AckShape>::Out, AckError>
    where
        E: Event + WithAck,
        E::Ack: DecodeAck,
    {
        let mut data = DataWriter::event(E::NAME);
        for argument in arguments {
            data.push(&argument).expect("a value can be encoded");
        }
        let args = self.ask(data.finish()).await?;
        Ok(E::Ack::decode(&args)?)
    }

    async fn ask(&mut self, data: Data) -> Result<Args, AckError> {
        let id = self.next_ack;
        self.next_ack += 1;
        let packet = socket_io::frame_event(data, self.io.core().path(), Some(id));
        self.line.send(&packet).await;
        loop {
            let packet = self.packet("an acknowledgement").await;
            let packet = packet.ok_or(AckError::Disconnected)?;
            match packet.kind() {
                Kind::Ack if packet.id() == Some(id) => return Ok(packet.into_args()),
                Kind::Event => self.events.push_back(packet),
                _ => return Err(AckError::Disconnected),
            }
        }
    }

    /// Waits for the next event, which is an `E`.
    ///
    /// # Panics
    ///
    /// Panics when it is another one, when its arguments have another form, and when none comes.
    pub async fn expect<E>(&mut self) -> E
    where
        E: Event + DecodeOwned,
        N: Emits<E>,
    {
        decode(&self.event(E::NAME).await)
    }

    /// Waits for the next `E`, and drops the events before it.
    ///
    /// # Panics
    ///
    /// Panics when its arguments have another form, and when none comes.
    pub async fn until<E>(&mut self) -> E
    where
        E: Event + DecodeOwned,
        N: Emits<E>,
    {
        loop {
            let packet = self.event(E::NAME).await;
            if packet.event() == E::NAME {
                return decode(&packet);
            }
        }
    }

    /// Waits for the next event, whatever it is. What borrows can be read from it.
    ///
    /// # Panics
    ///
    /// Panics when none comes.
    pub async fn receive(&mut self) -> Received {
        Received {
            packet: self.event("an event").await,
        }
    }

    /// Waits for the next event, which is an `E`, and acknowledges it with what `answer` makes of it.
    ///
    /// # Panics
    ///
    /// Panics like [`expect`](Self::expect), and when the answer can't be encoded.
    pub async fn answer<E>(&mut self, answer: impl FnOnce(E) -> <E::Ack as AckShape>::Out)
    where
        E: Event + DecodeOwned + WithAck,
        E::Ack: DecodeAck,
        <E::Ack as AckShape>::Out: Answerable<E::Ack>,
        N: Emits<E>,
    {
        let packet = self.event(E::NAME).await;
        let event = decode(&packet);
        let id = packet
            .id()
            .expect("an event with an acknowledgement has an id");
        let data = answer(event).answer();
        let packet = socket_io::frame_ack(data, self.io.core().path(), id);
        self.line.send(&packet).await;
    }

    /// Makes sure that nothing emitted to this client until now has been left unread.
    ///
    /// # Panics
    ///
    /// Panics with the name of the event that has.
    pub async fn expect_nothing(&mut self) {
        // What was emitted before this mark was queued before it.
        self.mailbox
            .push(&engine_io::NOOP_FRAME.clone().into(), false);
        self.mailbox.flush();
        while let Some(Arrived::Packet(packet)) =
            patiently("the end of what was sent", self.line.next()).await
        {
            self.events.push_back(packet);
        }
        if let Some(packet) = self.events.front() {
            panic!("`{}` was sent to this client", packet.event());
        }
    }

    /// Waits until the server has disconnected this client from the namespace, or closed its connection. Events are dropped.
    pub async fn disconnected(&mut self) {
        while let Some(packet) = self.packet("the server to disconnect").await {
            if packet.kind() == Kind::Disconnect {
                break;
            }
        }
    }

    /// Leaves the namespace as a browser does whose `socket.disconnect()` is called, or, for
    /// [`TransportClose`](DisconnectReason::TransportClose), whose tab is closed. Returns when the server has noticed.
    ///
    /// # Panics
    ///
    /// Panics for reasons that are not the client's to give.
    pub async fn disconnect(mut self, reason: DisconnectReason) {
        match reason {
            DisconnectReason::ClientNamespaceDisconnect => {
                let packet = socket_io::disconnect_frame(self.io.core().path());
                self.line.send(&packet).await;
            }
            DisconnectReason::TransportClose => {}
            other => panic!("a client does not disconnect with `{other}`"),
        }
        // The connection ends when its hooks have run.
        patiently("the server to let go", self.line.close()).await;
    }

    async fn event(&mut self, name: &str) -> Packet {
        if let Some(packet) = self.events.pop_front() {
            return packet;
        }
        let packet = self.packet(name).await;
        let packet = packet.unwrap_or_else(|| panic!("the server closed before `{name}` came"));
        let kind = packet.kind();
        assert_eq!(kind, Kind::Event, "something else came before `{name}`");
        packet
    }

    async fn packet(&mut self, what: &str) -> Option<Packet> {
        loop {
            if let Arrived::Packet(packet) = patiently(what, self.line.next()).await? {
                return Some(packet);
            }
        }
    }
}

/// An event that a [`Client`] has received.
#[derive(Debug)]
pub struct Received {
    packet: Packet,
}

impl Received {
    /// Returns the name of the event.
    pub fn name(&self) -> &str {
        self.packet.event()
    }

    /// Reads the event, which may borrow from what was received.
    ///
    /// # Panics
    ///
    /// Panics when it is another event, or its arguments have another form.
    pub fn decode<'de, E>(&'de self) -> E
    where
        E: Event + DecodeArgs<'de>,
    {
        decode(&self.packet)
    }
}

/// How a client answers an event of the server.
pub trait Answerable<A> {
    /// The answer as it travels.
    fn answer(self) -> Data;
}

impl<T: Serialize + 'static> Answerable<Reply<T>> for T {
    fn answer(self) -> Data {
        to_data(&self)
    }
}

impl<T: Serialize + 'static, E: Serialize + 'static> Answerable<Fallible<T, E>> for Result<T, E> {
    fn answer(self) -> Data {
        #[derive(Serialize)]
        struct Success<T> {
            ok: bool,
            value: T,
        }
        #[derive(Serialize)]
        struct Failure<E> {
            ok: bool,
            error: E,
        }
        match self {
            Ok(value) => to_data(&Success { ok: true, value }),
            Err(error) => to_data(&Failure { ok: false, error }),
        }
    }
}

fn encode<E: Event + EncodeArgs>(event: &E) -> Data {
    let mut data = DataWriter::event(E::NAME);
    event.encode(&mut data).expect("the event can be encoded");
    data.finish()
}

fn decode<'de, E: Event + DecodeArgs<'de>>(packet: &'de Packet) -> E {
    assert_eq!(packet.event(), E::NAME, "another event came");
    match E::decode(packet.args()) {
        Ok(event) => event,
        Err(rejection) => panic!("`{}` has another form: {rejection}", E::NAME),
    }
}

fn to_data<T: Serialize>(value: &T) -> Data {
    let mut data = DataWriter::ack();
    data.push(value).expect("the value can be encoded");
    data.finish()
}

/// A CONNECT packet; `()` is no payload.
fn connect_frame(path: &str, auth: &Data) -> Vec<u8> {
    let auth = auth.json().trim_start_matches('[').trim_end_matches(']');
    let auth = if auth == "null" { "" } else { auth };
    let namespace = match path {
        "/" => String::new(),
        path => format!("{path},"),
    };
    text_frame(&format!("40{namespace}{auth}")).to_vec()
}

impl<N: Namespace> fmt::Debug for Client<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
