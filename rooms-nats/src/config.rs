use std::time::Duration;

/// How servers talk through NATS.
///
/// ```
/// use rooms_nats::NatsConfig;
///
/// let mut config = NatsConfig::default();
/// config.prefix = "shop.rooms".to_owned();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NatsConfig {
    /// What the subjects of the cluster begin with: one or more tokens of NATS. Servers with the same prefix are one cluster.
    /// Default `rooms`.
    pub prefix: String,

    /// How often a server says that it is there. Default 2 s.
    ///
    /// Shorter finds a server that has vanished sooner; each time costs a small message to every server.
    pub heartbeat: Duration,

    /// After how long without such a message a server is taken for gone, so that questions do not wait for it any more.
    /// Default 6 s.
    ///
    /// Until then questions that it does not answer end at their deadline. Below two heartbeats, one that is late makes
    /// servers look gone that are there.
    pub silence: Duration,

    /// How many messages may wait for NATS. Default 16,384. What comes when it is full is not sent, and whoever awaits it is
    /// told.
    pub max_waiting: usize,

    /// How many bytes of messages may wait for NATS. Default 64 MiB.
    pub max_waiting_bytes: usize,
}

impl Default for NatsConfig {
    fn default() -> Self {
        Self {
            prefix: "rooms".to_owned(),
            heartbeat: Duration::from_secs(2),
            silence: Duration::from_secs(6),
            max_waiting: 16_384,
            max_waiting_bytes: 64 * 1024 * 1024,
        }
    }
}

impl NatsConfig {
    /// What can't be, and what to do about it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if crate::subjects::Subjects::new(&self.prefix).is_none() {
            return Some(
                "`prefix` must be tokens of letters, digits, `-` and `_`, with dots between them: `shop.rooms`",
            );
        }
        if self.heartbeat.is_zero() || self.silence < 2 * self.heartbeat {
            return Some("`silence` must be two heartbeats at least, and `heartbeat` not zero");
        }
        if self.max_waiting == 0 || self.max_waiting_bytes == 0 {
            return Some(
                "`max_waiting` and `max_waiting_bytes` must not be zero: nothing could be sent",
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_is_told() {
        assert_eq!(NatsConfig::default().problem(), None);
        type Change = fn(&mut NatsConfig);
        let cases: [(Change, &str); 5] = [
            (|config| config.prefix = "a b".to_owned(), "`prefix`"),
            (|config| config.heartbeat = Duration::ZERO, "`silence`"),
            (
                |config| config.silence = Duration::from_secs(3),
                "`silence`",
            ),
            (|config| config.max_waiting = 0, "`max_waiting`"),
            (|config| config.max_waiting_bytes = 0, "`max_waiting`"),
        ];
        for (change, expected) in cases {
            let mut config = NatsConfig::default();
            change(&mut config);
            let problem = config.problem().expect("a problem");
            assert!(problem.starts_with(expected), "{problem}");
        }
    }
}
