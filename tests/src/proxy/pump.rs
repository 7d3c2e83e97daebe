//! One direction of one connection.

use super::{Faults, Flow};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time::sleep,
};

pub(super) struct Pump {
    pub(super) faults: watch::Receiver<Faults>,
    /// What of the faults concerns this direction.
    pub(super) flow: fn(&Faults) -> Flow,
    /// How many resets there had been when the connection was made.
    pub(super) resets: u64,
    /// How often connections had been forgotten.
    pub(super) forgets: u64,
    /// By both directions together, since cutting was last asked for.
    pub(super) carried: Arc<AtomicU64>,
}

/// How a direction ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Whoever wrote has said goodbye, and that was passed on.
    End,
    /// The connection is to be reset.
    Reset,
}

impl Pump {
    pub(super) async fn run(
        mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Stopped {
        let mut buffer = vec![0; 16 * 1024];
        let mut has_lost = false;
        loop {
            let faults = self.faults.borrow_and_update().clone();
            let flow = match faults.forgets > self.forgets {
                true => Flow::Swallow,
                false => (self.flow)(&faults),
            };
            if faults.resets > self.resets || (has_lost && flow != Flow::Swallow) {
                return Stopped::Reset;
            }
            if faults.cut_after.is_none() {
                self.carried.store(0, Ordering::Relaxed);
            }
            let read = tokio::select! {
                changed = self.faults.changed() => match changed {
                    Ok(()) => continue,
                    // The proxy is gone.
                    Err(_) => return Stopped::Reset,
                },
                read = from.read(&mut buffer), if flow != Flow::Stall => read,
            };
            let piece = match read {
                // A goodbye that is thrown away is not seen either.
                Ok(0) if flow == Flow::Swallow => {
                    if self.faults.changed().await.is_err() {
                        return Stopped::Reset;
                    }
                    has_lost = true;
                    continue;
                }
                Ok(0) => {
                    to.shutdown().await.ok();
                    return Stopped::End;
                }
                Ok(length) => &buffer[..length],
                Err(_) => return Stopped::Reset,
            };
            if flow == Flow::Swallow {
                has_lost = true;
                continue;
            }
            sleep(faults.delay).await;
            let (piece, is_last) = self.allowed(piece, &faults);
            if to.write_all(piece).await.is_err() || is_last {
                return Stopped::Reset;
            }
        }
    }

    /// As much of a piece as may still pass, and whether the connection is cut behind it.
    fn allowed<'a>(&self, piece: &'a [u8], faults: &Faults) -> (&'a [u8], bool) {
        let Some(limit) = faults.cut_after else {
            return (piece, false);
        };
        let before = self
            .carried
            .fetch_add(piece.len() as u64, Ordering::Relaxed);
        let left = limit.saturating_sub(before);
        match usize::try_from(left) {
            Ok(left) if left <= piece.len() => (&piece[..left], true),
            _ => (piece, false),
        }
    }
}
