//! The form of `@socket.io/redis-adapter`: broadcasts on channels of their own, requests and responses on others.

mod broadcast;
mod request;
mod response;

pub(crate) use self::{
    broadcast::{is_of, read_broadcast, write_broadcast},
    request::{read_request, write_request},
    response::{read_response, write_response},
};

/// What requests and responses are.
mod kind {
    pub(super) const SOCKETS: u64 = 0;
    pub(super) const ALL_ROOMS: u64 = 1;
    pub(super) const REMOTE_JOIN: u64 = 2;
    pub(super) const REMOTE_LEAVE: u64 = 3;
    pub(super) const REMOTE_DISCONNECT: u64 = 4;
    pub(super) const REMOTE_FETCH: u64 = 5;
    pub(super) const SERVER_SIDE_EMIT: u64 = 6;
    pub(super) const BROADCAST: u64 = 7;
    pub(super) const BROADCAST_CLIENT_COUNT: u64 = 8;
    pub(super) const BROADCAST_ACK: u64 = 9;
}

#[cfg(test)]
mod tests;
