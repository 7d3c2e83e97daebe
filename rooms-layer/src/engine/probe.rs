//! A WebSocket beside a session that polls: it asks, is answered, and takes over, or is closed.

use super::{EngineConfig, Mailbox, Pipe};
use crate::wire::{
    Limits,
    engine_io::{PROBE_PONG_FRAME, Packet},
    websocket::{self, Decoder, Incoming},
};
use std::{
    future::poll_fn,
    io::{self, IoSlice},
    sync::Arc,
};
use tokio::time::timeout;

/// The longest message of a probe, so that one costs nothing: `2probe`, and some leniency.
const MAX_PROBE: usize = 125;
/// How much is read at once. What is more belongs to the connection already.
const READ_BUFFER: usize = 512;

/// Lets a WebSocket take over a session, or closes it. `received` was read from it already.
pub(super) async fn run(
    config: &EngineConfig,
    mailbox: &Mailbox,
    pipe: Arc<dyn Pipe>,
    received: &[u8],
) {
    // The second one is told nothing but goodbye, and the session is not touched.
    if let Some(claim) = Claim::new(mailbox) {
        let probing = converse(&claim, &pipe, received, &config.limits);
        match timeout(config.upgrade_timeout, probing).await {
            Ok(Ok(true)) => return tracing::debug!("changed to websocket"),
            Ok(Ok(false)) => tracing::debug!("a websocket did not take over"),
            Ok(Err(error)) => {
                return tracing::debug!(%error, "a websocket was lost while it probed");
            }
            Err(_) => tracing::debug!("a websocket did not take over in time"),
        }
    }
    // Ends when the client has closed too, or for its own time.
    let _ = timeout(config.close_timeout, close(&*pipe)).await;
}

/// The right to take over a session, which one WebSocket has at a time.
struct Claim<'a>(&'a Mailbox);

impl<'a> Claim<'a> {
    fn new(mailbox: &'a Mailbox) -> Option<Self> {
        mailbox.begin_change().then_some(Self(mailbox))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.end_change();
    }
}

/// Talks with the client until it changes over (true), or does anything else.
async fn converse(
    claim: &Claim<'_>,
    pipe: &Arc<dyn Pipe>,
    received: &[u8],
    limits: &Limits,
) -> io::Result<bool> {
    let limits = Limits {
        max_payload: MAX_PROBE,
        ..limits.clone()
    };
    let mut decoder = Decoder::new();
    let mut unread = received.to_vec();
    loop {
        let mut at = 0;
        loop {
            let Ok((count, incoming)) = decoder.decode(&mut unread[at..], &limits) else {
                return Ok(false);
            };
            at += count;
            match incoming {
                None => break,
                Some(Incoming::Ping(payload)) => {
                    let pong = websocket::pong_frame(payload);
                    write(&**pipe, &pong).await?;
                }
                Some(Incoming::Pong(_)) => {}
                Some(Incoming::Text(text)) => match Packet::decode(text) {
                    Ok(Packet::Ping("probe")) => {
                        write(&**pipe, &PROBE_PONG_FRAME).await?;
                        claim.0.probed();
                    }
                    Ok(Packet::Upgrade) => {
                        let rest = &unread[at..];
                        return Ok(poll_fn(|cx| claim.0.poll_change(cx, pipe, rest)).await);
                    }
                    _ => return Ok(false),
                },
                Some(Incoming::Binary(_) | Incoming::Close { .. }) => return Ok(false),
            }
        }
        unread.resize(READ_BUFFER, 0);
        let count = poll_fn(|cx| pipe.poll_read(cx, &mut unread)).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        unread.truncate(count);
    }
}

/// Says goodbye, and waits for the client's end of the stream.
async fn close(pipe: &dyn Pipe) -> io::Result<()> {
    write(pipe, &websocket::close_frame(None)).await?;
    let mut buffer = vec![0; READ_BUFFER];
    while poll_fn(|cx| pipe.poll_read(cx, &mut buffer)).await? > 0 {}
    poll_fn(|cx| pipe.poll_shutdown(cx)).await
}

async fn write(pipe: &dyn Pipe, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = poll_fn(|cx| pipe.poll_write(cx, &[IoSlice::new(bytes)])).await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
    }
    poll_fn(|cx| pipe.poll_flush(cx)).await
}
