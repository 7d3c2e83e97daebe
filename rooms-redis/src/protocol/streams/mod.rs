//! The form of `@socket.io/redis-streams-adapter`: entries of a stream, and sessions.

mod entry;
mod id;
mod session;

pub(crate) use self::{
    entry::{Entry, read_entry, write_entry},
    id::StreamId,
    session::{SavedSession, SavedStay, read_session, write_session},
};

#[cfg(test)]
mod tests;
