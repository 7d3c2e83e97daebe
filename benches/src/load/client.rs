//! One client: a socket, how far its handshake is, and what of a frame has not arrived or left.

use super::frame;
use rustix::{
    fd::OwnedFd,
    net::{SendFlags, send},
};

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

/// A client: about 64 bytes, and no heap while no frame is split.
#[derive(Debug)]
pub struct Client {
    pub(super) socket: Option<OwnedFd>,
    pub(super) state: State,
    /// Sequence number that the next event should carry.
    pub next_event: u32,
    /// Ack id of the next request.
    pub next_request: u32,
    /// Start of a frame whose rest has not arrived.
    pub(super) partial: Vec<u8>,
    /// Bytes that the socket has not taken.
    pub(super) unsent: Vec<u8>,
}

impl Client {
    pub(super) fn free() -> Client {
        Client {
            socket: None,
            state: State::Free,
            next_event: 0,
            next_request: 0,
            partial: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// How far the client has come.
    pub fn state(&self) -> State {
        self.state
    }

    /// Sends one text message.
    pub fn send(&mut self, text: &[u8]) {
        self.send_frame(frame::TEXT, text);
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

    /// Sends what is left. Neither a full socket nor a broken one is an error here: epoll reports both.
    pub(super) fn flush(&mut self) {
        let Some(socket) = self.socket.as_ref().filter(|_| !self.unsent.is_empty()) else {
            return;
        };
        if let Ok(sent) = send(socket, &self.unsent, SendFlags::NOSIGNAL) {
            self.unsent.drain(..sent);
        }
    }
}
