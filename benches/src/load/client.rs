//! One client: a socket, how far its handshake is, and what of a frame has not arrived or left.

use super::{frame, msgpack, polling::Polling, stream::Stream};

/// How far a client has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// No connection; its place may be taken.
    Free,
    /// TCP is connecting.
    Connecting,
    /// The HTTP upgrade is under way.
    Upgrading,
    /// Waiting for the Engine.IO open packet.
    Opening,
    /// Waiting for the namespace to let it in.
    Namespace,
    /// Waiting for the answer to its entry packet.
    Joining,
    /// In; messages go to the mode's handler.
    Ready,
    /// Sent a close frame, waits for the end.
    Closing,
}

/// A client: about 100 bytes, and no heap while it speaks WebSocket in the clear and no frame is split.
#[derive(Debug)]
pub struct Client {
    pub(super) stream: Option<Stream>,
    pub(super) state: State,
    /// Its place among all clients.
    pub index: u32,
    /// Sequence number that the next event should carry.
    pub next_event: u32,
    /// Ack id of the next request.
    pub next_request: u32,
    /// Does not read what arrives, until it is ended.
    pub stuck: bool,
    /// Waits for the attachment of an event.
    pub(super) halfway: bool,
    pub(super) msgpack: bool,
    pub(super) polling: Option<Box<Polling>>,
    /// Start of a frame whose rest has not arrived.
    pub(super) partial: Vec<u8>,
    /// Bytes that the socket has not taken.
    pub(super) unsent: Vec<u8>,
}

impl Client {
    pub(super) fn free(index: usize) -> Client {
        Client {
            stream: None,
            state: State::Free,
            index: index as u32,
            next_event: 0,
            next_request: 0,
            stuck: false,
            halfway: false,
            msgpack: false,
            polling: None,
            partial: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// How far the client has come.
    pub fn state(&self) -> State {
        self.state
    }

    /// Sends one text message. One that polls sends it with the next POST, once its GET is answered.
    ///
    /// # Panics
    ///
    /// When the text is no packet and this client speaks msgpack.
    pub fn send(&mut self, text: &[u8]) {
        if let Some(polling) = &mut self.polling {
            polling.send(text);
        } else if self.msgpack && text.starts_with(b"4") {
            let packet = msgpack::encode(text).expect("modes send whole packets");
            self.send_frame(frame::BINARY, &packet);
        } else {
            self.send_frame(frame::TEXT, text);
        }
    }

    /// Sends a close frame; the server is then expected to end the connection.
    pub fn close(&mut self) {
        self.send_frame(frame::CLOSE, &1000u16.to_be_bytes());
        self.state = State::Closing;
    }

    pub(super) fn send_frame(&mut self, opcode: u8, payload: &[u8]) {
        frame::encode(&mut self.unsent, opcode, payload);
        self.flush();
    }

    pub(super) fn flush(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.send(&mut self.unsent);
        }
    }
}
