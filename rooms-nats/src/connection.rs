//! How the connection to NATS is.

use async_nats::{Client, Event, client::RequestErrorKind};
use bytes::Bytes;
use rooms_layer::rooms::adapter::{BoxFuture, Health};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

/// What is known of the connection. The client of NATS makes it again by itself when it breaks.
#[derive(Debug)]
pub(crate) struct Connection {
    health: watch::Sender<Health>,
    /// It was made again.
    back: Notify,
    /// How many messages this server was too slow for.
    lost: AtomicU64,
    /// It is down for that, and for nothing else.
    is_slow: AtomicBool,
}

impl Connection {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            health: watch::Sender::new(Health::Up),
            back: Notify::new(),
            lost: AtomicU64::new(0),
            is_slow: AtomicBool::new(false),
        })
    }

    /// The client of NATS tells what has happened.
    pub(crate) fn event(&self, event: &Event) {
        match event {
            Event::Connected => self.back.notify_one(),
            Event::Disconnected => {
                self.is_slow.store(false, Ordering::Relaxed);
                self.down("the connection to NATS is lost, and is made again");
            }
            Event::SlowConsumer(_) => {
                let is_first = self.lost.fetch_add(1, Ordering::Relaxed) == 0;
                if is_first
                    && self.down("NATS brings more than this server takes, and messages are lost")
                {
                    self.is_slow.store(true, Ordering::Relaxed);
                }
            }
            Event::ServerError(error) => tracing::warn!(%error, "NATS refuses something"),
            Event::ClientError(error) => {
                tracing::warn!(%error, "the connection to NATS is not made")
            }
            Event::LameDuckMode | Event::Draining | Event::Closed => {
                tracing::info!(%event, "NATS");
            }
        }
    }

    /// Waits until the connection was made again.
    pub(crate) async fn back(&self) {
        self.back.notified().await;
    }

    /// Everything works again, or for the first time.
    pub(crate) fn up(&self) {
        let is_back = self.change(Health::Up);
        if is_back {
            tracing::info!("the way to the other servers is up again");
        }
    }

    /// Something does not work; whether that is news.
    fn down(&self, cause: &str) -> bool {
        let is_news = self.change(Health::Down {
            cause: cause.into(),
        });
        if is_news {
            tracing::warn!(cause, "the way to the other servers is down");
        }
        is_news
    }

    /// NATS does not answer, although the connection seems to be there.
    pub(crate) fn unanswered(&self) {
        self.is_slow.store(false, Ordering::Relaxed);
        self.down("NATS does not answer; the connection is made again");
    }

    pub(crate) fn closed(&self) {
        self.change(Health::Closed);
    }

    /// Looks whether this server is fast enough again.
    pub(crate) fn look_at_lost(&self) {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 if self.is_slow.swap(false, Ordering::Relaxed) => self.up(),
            0 => {}
            lost => tracing::error!(
                lost,
                "this server did not take its messages in time, and they are lost"
            ),
        }
    }

    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Waits for another health than one that was seen.
    pub(crate) fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        let mut health = self.health.subscribe();
        Box::pin(async move {
            let other = health.wait_for(|health| *health != seen).await;
            // The adapter is gone, and so is what it was connected to.
            other.map_or(Health::Closed, |other| other.clone())
        })
    }

    /// Sets the health, and tells whether it is another one. A server that has closed stays so.
    fn change(&self, to: Health) -> bool {
        self.health.send_if_modified(|health| {
            let changes = *health != Health::Closed && *health != to;
            if changes {
                *health = to;
            }
            changes
        })
    }
}

/// Asks NATS something that it answers itself. What was sent to it before, it has by then.
pub(crate) async fn confirm(client: &Client, nobody: String, time: Duration) -> Result<(), String> {
    match timeout(time, client.request(nobody, Bytes::new())).await {
        Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) => Err("somebody answers where nobody should".to_owned()),
        Err(_) => Err("NATS does not answer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn health_follows_what_nats_says() {
        let connection = Connection::new();
        let health = || connection.health().borrow().clone();
        assert_eq!(health(), Health::Up);

        let changed = connection.health_changed(Health::Up);
        connection.event(&Event::Disconnected);
        let down = changed.now_or_never().expect("it has changed");
        assert!(matches!(&down, Health::Down { cause } if cause.contains("lost")));
        assert_eq!(health(), down);

        connection.event(&Event::Connected);
        assert_eq!(health(), down, "not before the others were told");
        connection.back().now_or_never().expect("it is back");
        connection.up();
        assert_eq!(health(), Health::Up);

        connection.event(&Event::SlowConsumer(1));
        connection.event(&Event::SlowConsumer(1));
        connection.look_at_lost();
        assert!(!health().is_up(), "messages were lost until now");
        connection.look_at_lost();
        assert!(health().is_up(), "none were");

        connection.event(&Event::SlowConsumer(1));
        connection.unanswered();
        connection.event(&Event::Disconnected);
        connection.look_at_lost();
        connection.look_at_lost();
        assert!(!health().is_up(), "that is not all");

        connection.closed();
        connection.up();
        assert_eq!(health(), Health::Closed, "it stays closed");
    }
}
