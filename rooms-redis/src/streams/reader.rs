//! The one who reads the stream, for all namespaces of a server.

use super::{flow::Flow, speaker::Speaker, stream::Stream};
use crate::{
    endpoint::{Connection, Reach},
    link::{Backoff, Part},
    member::Member,
    protocol::{
        limits,
        streams::{StreamId, read_entry},
    },
};
use redis::RedisResult;
use rooms_layer::{SocketId, rooms::adapter::AdapterError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

/// The open namespaces, by their paths. One that is opened again may be there twice for a while.
#[derive(Default)]
pub(crate) struct Router(Mutex<HashMap<Box<str>, Places>>);

type Places = Vec<Weak<Member<Speaker>>>;

impl Router {
    pub(crate) fn add(&self, member: &Arc<Member<Speaker>>) {
        let mut members = self.0.lock().expect("no code panics under this lock");
        members.retain(|_, members| {
            members.retain(|member| member.strong_count() > 0);
            !members.is_empty()
        });
        let namespace = members.entry(member.namespace.clone()).or_default();
        namespace.push(Arc::downgrade(member));
    }

    fn all(&self) -> Vec<Arc<Member<Speaker>>> {
        let members = self.0.lock().expect("no code panics under this lock");
        let members = members.values().flatten();
        members.filter_map(Weak::upgrade).collect()
    }

    fn of(&self, namespace: &str) -> Vec<Arc<Member<Speaker>>> {
        let members = self.0.lock().expect("no code panics under this lock");
        let members = members.get(namespace).into_iter().flatten();
        members.filter_map(Weak::upgrade).collect()
    }
}

/// Reads the stream in order, from where it was when the server started, and goes on where it was when the connection is back.
pub(crate) struct Reader {
    pub(crate) stream: Stream,
    pub(crate) reach: Reach,
    pub(crate) flow: Arc<Flow>,
    pub(crate) router: Arc<Router>,
    /// How many entries are read at once.
    pub(crate) count: usize,
    /// Behind which entry is read next.
    pub(crate) at: StreamId,
}

impl Reader {
    /// Reads for as long as it is polled.
    pub(crate) async fn run(mut self) {
        let link = self.stream.link.clone();
        let status = link.status();
        let mut backoff = Backoff::default();
        let mut is_first = true;
        loop {
            let cause = match self.connect(backoff.failures(), is_first).await {
                Ok(connection) => {
                    status.up(Part::Reader);
                    is_first = false;
                    self.read(connection, &mut backoff).await
                }
                Err(cause) => cause.to_string(),
            };
            status.down(Part::Reader, &cause);
            backoff.failed().await;
        }
    }

    /// Connects, and finds out whether the stream still has what was read last.
    async fn connect(
        &mut self,
        attempt: usize,
        is_first: bool,
    ) -> Result<Connection, AdapterError> {
        let redis = self.stream.link.redis();
        let connection = redis.connect(self.reach, attempt, None).await;
        let connection = connection.map_err(AdapterError::new)?;
        if !is_first {
            self.resume().await?;
        }
        Ok(connection)
    }

    /// Finds out what became of the stream while nobody looked.
    async fn resume(&mut self) -> Result<(), AdapterError> {
        let known = self.flow.epoch();
        let made_up = SocketId::random();
        let epoch = self.stream.epoch(made_up.as_str()).await?;
        let is_there = self.at == StreamId::ZERO || self.stream.has(self.at).await?;
        let ends = match is_there {
            true => None,
            false => Some(self.stream.ends().await?),
        };
        let is_trimmed =
            |ends: Option<(StreamId, StreamId)>| ends.is_some_and(|(first, _)| first > self.at);
        let is_as_before = ends.is_none() && epoch == known;
        let may_have_missed = ends.is_some();
        match ends {
            None if is_as_before => {}
            // Another server has found out that something was lost.
            None => self.flow.jump(self.at, epoch),
            Some(ends) if epoch == known && is_trimmed(ends) => {
                tracing::warn!(
                    stream = %self.stream.name,
                    last = %self.at,
                    "missed broadcasts of other servers: the stream was trimmed before they were read; \
                     `StreamsConfig::max_len` is how much it keeps"
                );
                self.flow.jump(self.at, epoch);
            }
            Some(ends) => {
                let epoch = self.stream.new_epoch(&known, made_up.as_str()).await?;
                tracing::warn!(
                    stream = %self.stream.name,
                    last = %self.at,
                    "Redis has lost broadcasts: clients that come back from before are new clients"
                );
                // What is there now may be older than what was read last.
                if let Some((_, last)) = ends {
                    self.at = self.at.min(last);
                }
                self.flow.jump(self.at, epoch);
            }
        }
        for member in self.router.all() {
            if let Some(sessions) = &member.voice.sessions {
                if !is_as_before {
                    sessions.restart(self.at);
                }
                if may_have_missed {
                    sessions.end_all();
                    continue;
                }
                // Clients that came back elsewhere meanwhile are found out.
                sessions.save_all();
            }
        }
        Ok(())
    }

    /// Reads through one connection to its end; why it ended.
    async fn read(&mut self, mut connection: Connection, backoff: &mut Backoff) -> String {
        loop {
            match self.entries(&mut connection).await {
                Ok(count) if count < self.count => backoff.succeeded(),
                // It lags behind, and what it has not read yet may be trimmed.
                Ok(_) => match self.stream.has(self.at).await {
                    Ok(true) => {}
                    Ok(false) => {
                        if let Err(error) = self.resume().await {
                            return error.to_string();
                        }
                    }
                    Err(error) => return error.to_string(),
                },
                Err(error) => return error.to_string(),
            }
        }
    }

    /// Reads what is next; how many entries.
    async fn entries(&mut self, connection: &mut Connection) -> RedisResult<usize> {
        // Well before the reply would be given up.
        let block = self.stream.link.redis().timeout / 2;
        let command = self
            .stream
            .read_command(self.at, self.count, block.as_millis());
        let entries = Stream::read_reply(connection.run(&command).await?);
        let count = entries.len();
        let limits = limits(self.stream.link.redis().max_message);
        for entry in entries {
            self.flow.begin(entry.id);
            match read_entry(entry.fields(), &limits) {
                Ok(Some(read)) => {
                    let namespace = read.envelope.namespace.clone().unwrap_or_default();
                    for member in self.router.of(&namespace) {
                        member.take_entry(entry.id, read.clone());
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(id = %entry.id, %error, "dropped an entry of another server")
                }
            }
            self.at = entry.id;
            self.flow.finish(entry.id);
            // A stream that is full of entries must not keep the others of this thread waiting.
            tokio::task::consume_budget().await;
        }
        Ok(count)
    }
}
