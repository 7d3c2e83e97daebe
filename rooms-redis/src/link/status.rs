//! How the connections are, as one answer.

use rooms_layer::rooms::adapter::{BoxFuture, Health};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The connections of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What is sent goes through this one.
    Commands,
    /// What others publish comes through this one.
    Subscriptions,
    /// The stream is read through this one.
    Reader,
}

impl Part {
    const COUNT: usize = 3;

    fn name(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Subscriptions => "subscriptions",
            Self::Reader => "stream",
        }
    }
}

/// The health of a link: up while each of its parts is.
pub(crate) struct Status {
    adapter: &'static str,
    faults: Mutex<[Option<Arc<str>>; Part::COUNT]>,
    health: watch::Sender<Health>,
}

impl Status {
    pub(crate) fn new(adapter: &'static str) -> Self {
        Self {
            adapter,
            faults: Mutex::default(),
            health: watch::Sender::new(Health::Up),
        }
    }

    /// A part works.
    pub(crate) fn up(&self, part: Part) {
        if self.set(part, None) {
            tracing::info!(
                adapter = self.adapter,
                connection = part.name(),
                "Redis is back"
            );
        }
    }

    /// A part does not work. What it said is logged when it is news.
    pub(crate) fn down(&self, part: Part, cause: &dyn std::fmt::Display) {
        let cause: Arc<str> = cause.to_string().into();
        if self.set(part, Some(cause.clone())) {
            tracing::warn!(
                adapter = self.adapter,
                connection = part.name(),
                %cause,
                "Redis is out of reach; trying to get it back"
            );
        }
    }

    /// Whether the part has changed between up and down.
    fn set(&self, part: Part, fault: Option<Arc<str>>) -> bool {
        let mut faults = self.faults.lock().expect("no code panics under this lock");
        let changed = faults[part as usize].is_some() != fault.is_some();
        faults[part as usize] = fault;
        let health = match faults.iter().flatten().next() {
            Some(cause) => Health::Down {
                cause: cause.clone(),
            },
            None => Health::Up,
        };
        self.health.send_if_modified(|seen| {
            let news = *seen != Health::Closed && *seen != health;
            if news {
                *seen = health;
            }
            news
        });
        changed
    }

    pub(crate) fn close(&self) {
        self.health.send_replace(Health::Closed);
    }

    pub(crate) fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Tells of each change from now on.
    pub(super) fn watch(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    pub(crate) fn changed(&self, seen: Health) -> BoxFuture<Health> {
        let mut health = self.health.subscribe();
        Box::pin(async move {
            match health.wait_for(|health| *health != seen).await {
                Ok(health) => health.clone(),
                // The adapter is gone, and with it every change.
                Err(_) => Health::Closed,
            }
        })
    }
}
