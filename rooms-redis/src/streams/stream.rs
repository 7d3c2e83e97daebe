//! The stream itself: what is appended to it, and what is read from it.

use crate::{
    StreamsConfig,
    link::{Failed, Link},
    protocol::streams::StreamId,
};
use redis::{Cmd, Value};
use rooms_layer::rooms::adapter::AdapterError;
use std::sync::Arc;

/// A stream of Redis, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) link: Arc<Link>,
    pub(crate) name: Arc<str>,
    /// About how many entries it keeps.
    pub(crate) max_len: usize,
}

/// An entry as it came from Redis: its id, and its fields as names and values in turn.
#[derive(Debug)]
pub(crate) struct RawEntry {
    pub(crate) id: StreamId,
    fields: Vec<Value>,
}

impl RawEntry {
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let fields = self.fields.chunks_exact(2);
        fields.filter_map(|pair| match pair {
            [Value::BulkString(name), Value::BulkString(value)] => Some((&name[..], &value[..])),
            _ => None,
        })
    }

    fn read(value: Value) -> Option<Self> {
        let Value::Array(parts) = value else {
            return None;
        };
        let [id, fields] = <[Value; 2]>::try_from(parts).ok()?;
        let Value::BulkString(id) = id else {
            return None;
        };
        let fields = match fields {
            Value::Array(fields) => fields,
            Value::Map(pairs) => pairs
                .into_iter()
                .flat_map(|(name, value)| [name, value])
                .collect(),
            // Deleted by hand.
            _ => Vec::new(),
        };
        let id = std::str::from_utf8(&id).ok()?.parse().ok()?;
        Some(Self { id, fields })
    }
}

/// The entries of a reply.
fn entries(value: Value) -> Vec<RawEntry> {
    match value {
        Value::Array(entries) => entries.into_iter().filter_map(RawEntry::read).collect(),
        _ => Vec::new(),
    }
}

impl Stream {
    pub(crate) fn new(link: Arc<Link>, config: &StreamsConfig) -> Self {
        Self {
            link,
            name: config.stream.as_str().into(),
            max_len: config.max_len,
        }
    }

    /// Appends an entry, and calls `done` with what became of it.
    pub(crate) fn append(
        &self,
        fields: &[(&'static str, String)],
        done: impl FnOnce(Result<Value, Failed>) + Send + 'static,
    ) {
        let mut command = redis::cmd("XADD");
        command.arg(&*self.name).arg("MAXLEN").arg("~");
        command.arg(self.max_len).arg("*");
        for (name, value) in fields {
            command.arg(name).arg(value);
        }
        self.link.send_then(&self.name, command, done);
    }

    /// The command that waits for entries behind `after`.
    pub(crate) fn read_command(&self, after: StreamId, count: usize, block_millis: u128) -> Cmd {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(count);
        command.arg("BLOCK").arg(block_millis.to_string());
        command.arg("STREAMS").arg(&*self.name);
        command.arg(after.to_string()).take()
    }

    /// The entries in the reply to that command; none where the time was up.
    pub(crate) fn read_reply(reply: Value) -> Vec<RawEntry> {
        match reply {
            Value::Map(streams) => streams
                .into_iter()
                .flat_map(|(_, value)| entries(value))
                .collect(),
            Value::Array(streams) => {
                let of_stream = |stream| match stream {
                    Value::Array(mut pair) => pair.pop().map(entries).unwrap_or_default(),
                    _ => Vec::new(),
                };
                streams.into_iter().flat_map(of_stream).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The entries from `first` to `last`, the oldest first.
    pub(crate) fn range(
        &self,
        first: StreamId,
        last: Option<StreamId>,
        count: usize,
    ) -> impl Future<Output = Result<Vec<RawEntry>, AdapterError>> + Send + use<> {
        let last = last.map_or_else(|| "+".to_owned(), |last| last.to_string());
        let mut command = redis::cmd("XRANGE");
        command.arg(&*self.name).arg(first.to_string()).arg(last);
        let reply = self.link.query(command.arg("COUNT").arg(count).take());
        async move { Ok(entries(reply.await?)) }
    }

    /// Whether there is an entry at this place.
    pub(crate) async fn has(&self, id: StreamId) -> Result<bool, AdapterError> {
        Ok(!self.range(id, Some(id), 1).await?.is_empty())
    }

    /// The first and the last entry; `None` where there is none.
    pub(crate) async fn ends(&self) -> Result<Option<(StreamId, StreamId)>, AdapterError> {
        let first = self.range(StreamId::ZERO, None, 1).await?;
        let mut last = redis::cmd("XREVRANGE");
        last.arg(&*self.name).arg("+").arg("-").arg("COUNT").arg(1);
        let last = entries(self.link.query(last).await?);
        Ok(match (first.first(), last.first()) {
            (Some(first), Some(last)) => Some((first.id, last.id)),
            _ => None,
        })
    }

    /// What names the history of the stream. Made up if there is none.
    pub(crate) async fn epoch(&self, made_up: &str) -> Result<Arc<str>, AdapterError> {
        let mut set = redis::cmd("SET");
        set.arg(self.epoch_key()).arg(made_up).arg("NX");
        self.link.query(set).await?;
        let deleted = || AdapterError::new("the epoch of the stream was deleted");
        self.known_epoch().await?.ok_or_else(deleted)
    }

    /// What names the history of the stream, if anything does.
    pub(crate) async fn known_epoch(&self) -> Result<Option<Arc<str>>, AdapterError> {
        let get = redis::cmd("GET").arg(self.epoch_key()).take();
        Ok(match self.link.query(get).await? {
            Value::BulkString(epoch) => Some(String::from_utf8_lossy(&epoch).into()),
            _ => None,
        })
    }

    /// Another history begins, unless somebody else has found that out before.
    pub(crate) async fn new_epoch(
        &self,
        before: &str,
        made_up: &str,
    ) -> Result<Arc<str>, AdapterError> {
        let known = self.epoch(made_up).await?;
        if *known != *before {
            return Ok(known);
        }
        let set = redis::cmd("SET").arg(self.epoch_key()).arg(made_up).take();
        self.link.query(set).await?;
        Ok(made_up.into())
    }

    fn epoch_key(&self) -> String {
        format!("{}:epoch", self.name)
    }
}
