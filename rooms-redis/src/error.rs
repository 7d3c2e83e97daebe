//! What can be wrong before the first message.

/// Tells why an adapter could not be put together.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A URL is not one of Redis.
    #[error(
        "not the URL of a Redis server, which looks like `redis://user:password@host:6379/`: {cause}"
    )]
    Url {
        /// What is wrong with it. The URL itself may hold a password, and is left out.
        cause: String,
    },
    /// A URL asks for encryption, which is not compiled in.
    #[error(
        "`rediss://` needs the feature `tls` of this crate: rooms-redis = {{ version = \"0.1\", features = [\"tls\"] }}"
    )]
    NoTls,
    /// There is no address.
    #[error("no address of a Redis server was given: name at least one")]
    NoAddress,
    /// What was given for encrypted connections can't be used.
    #[error("`{setting}` can't be used: {cause}")]
    Certificate {
        /// What was given.
        setting: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// Redis can't be reached, or does not let us in.
    #[error("could not connect to Redis: {cause}")]
    Unreachable {
        /// What the network or Redis said.
        cause: String,
    },
    /// Redis lacks what the adapter is made of.
    #[error("this Redis has no {missing}, which needs version {since} or newer: {instead}")]
    TooOld {
        /// What it lacks.
        missing: &'static str,
        /// Since when there is such a thing.
        since: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A setting makes no sense.
    #[error("the setting `{setting}` {fault}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl ConnectError {
    pub(crate) fn unreachable(cause: impl ToString) -> Self {
        Self::Unreachable {
            cause: cause.to_string(),
        }
    }
}
