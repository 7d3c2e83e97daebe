//! Questions to all servers of a cluster, and what this one answers.

use super::{Namespace, Peer};
use crate::{
    handshake::HandshakeInfo,
    rooms::{
        Flags, Gathered, Selection,
        adapter::{Answer, Answers, BoxFuture, HandshakeSummary, Question, SocketInfo},
    },
    session::after,
    wire::{Args, Value},
};
use futures_core::Stream;
use futures_util::StreamExt;
use serde_json::value::RawValue;
use std::{
    future::{self, Future},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

/// How much longer than its deadline an adapter is trusted to keep it.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// Headers that are nobody else's business.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl Namespace {
    /// Puts a question to every server, this one included. Which question is one about sockets or rooms.
    pub(super) fn gather(
        &self,
        to: &Selection,
        flags: Flags,
        question: Question<'static>,
        timeout: Duration,
    ) -> BoxFuture<Gathered> {
        let deadline = after(Instant::now().into_std(), timeout);
        let remote = match flags.local {
            true => None,
            false => self.channel().ask(to, question, deadline),
        };
        let answers = match question {
            Question::Sockets => self.describe(to).into_iter().map(Answer::Found).collect(),
            Question::Count => vec![Answer::Counted(self.count(to))],
            Question::Rooms => vec![Answer::Named(self.rooms())],
            Question::Acks(_) | Question::Servers(_) => Vec::new(),
        };
        match remote {
            None => Box::pin(future::ready(Gathered {
                answers,
                missing: 0,
            })),
            Some(remote) => Box::pin(collect(remote, answers, deadline.into())),
        }
    }

    /// Describes the selected sockets of this server.
    pub(super) fn describe(&self, to: &Selection) -> Vec<SocketInfo> {
        let peers = self.peers(to);
        peers.iter().map(|peer| self.describe_one(peer)).collect()
    }

    fn describe_one(&self, peer: &Peer) -> SocketInfo {
        let rooms = peer.rooms().into_iter().map(Into::into);
        let data = self.handlers().and_then(|handlers| handlers.describe(peer));
        let handshake = serde_json::value::to_raw_value(&summary(peer.handshake()));
        let raw = |json: Box<RawValue>| -> Arc<RawValue> { json.into() };
        SocketInfo {
            data: data
                .and_then(|json| RawValue::from_string(json).ok())
                .map(raw),
            handshake: handshake.ok().map(raw),
            ..SocketInfo::new(peer.id().clone(), rooms.collect())
        }
    }
}

/// What other servers answer to an event, as it comes.
///
/// # Cancel safety
///
/// Nothing is lost between two items. Dropping it withdraws the question.
pub(crate) struct ServerReplies {
    answers: Option<Answers>,
    deadline: Instant,
    /// Made at the first poll, which is in a runtime; the emit need not be.
    sleep: Option<Pin<Box<Sleep>>>,
    missing: usize,
}

impl ServerReplies {
    pub(super) fn new(answers: Option<Answers>, deadline: Instant) -> Self {
        Self {
            answers,
            deadline: deadline + GRACE,
            sleep: None,
            missing: 0,
        }
    }

    /// How many servers have not answered, as far as is known by now: all of it at the end.
    pub(crate) fn missing(&self) -> usize {
        self.missing
    }
}

impl Stream for ServerReplies {
    type Item = Args;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Args>> {
        let this = &mut *self;
        while let Some(answers) = &mut this.answers {
            match answers.as_mut().poll_next(cx) {
                Poll::Ready(Some(Answer::Heard(args))) => return Poll::Ready(Some(args)),
                Poll::Ready(Some(Answer::Missing(servers))) => this.missing += servers,
                // Answers to other questions.
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => this.answers = None,
                Poll::Pending => {
                    let deadline = this.deadline;
                    let sleep = this
                        .sleep
                        .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                    ready!(sleep.as_mut().poll(cx));
                    this.missing = this.missing.max(1);
                    this.answers = None;
                }
            }
        }
        Poll::Ready(None)
    }
}

async fn collect(mut remote: Answers, mut answers: Vec<Answer>, deadline: Instant) -> Gathered {
    let mut missing = 0;
    let all = async {
        while let Some(answer) = remote.next().await {
            match answer {
                Answer::Missing(servers) => missing += servers,
                answer => answers.push(answer),
            }
        }
    };
    let is_late = timeout_at(deadline + GRACE, all).await.is_err();
    if is_late {
        missing = missing.max(1);
    }
    Gathered { answers, missing }
}

/// What other servers are told of a handshake.
fn summary(info: &HandshakeInfo) -> HandshakeSummary {
    let mut summary = HandshakeSummary::default();
    let text = |text: &[u8]| Value::String(String::from_utf8_lossy(text).into_owned());
    for (name, value) in info.lines() {
        let name = String::from_utf8_lossy(name).into_owned();
        if !CREDENTIALS.contains(&&*name) {
            summary.headers.insert(name, text(value));
        }
    }
    let issued = info.issued().duration_since(SystemTime::UNIX_EPOCH);
    let issued = issued.unwrap_or_default().as_millis();
    summary.issued = u64::try_from(issued).unwrap_or(u64::MAX);
    summary.time = httpdate::fmt_http_date(info.issued());
    let remote = info.remote().map(|remote| remote.ip().to_string());
    summary.address = remote.unwrap_or_default();
    summary.xdomain = info.header("origin").is_some();
    summary.url = info.uri().to_owned();
    let query = form_urlencoded::parse(info.query().as_bytes());
    let query = query.map(|(name, value)| (name.into_owned(), text(value.as_bytes())));
    summary.query = query.collect();
    summary.auth = Value::Object(Vec::new());
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_told_in_the_form_of_node_and_without_credentials() {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("host", "example.com"),
            ("origin", "https://example.com"),
            ("cookie", "session=secret"),
            ("authorization", "Bearer secret"),
            ("proxy-authorization", "Basic secret"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let uri = "/socket.io/?EIO=4&who=J%C3%BCrgen+K&who=x".parse().unwrap();
        let info = HandshakeInfo::new(&uri, &headers).with_remote("[::1]:4711".parse().ok());
        let json = serde_json::to_value(summary(&info)).unwrap();
        let issued = json["issued"].as_u64().unwrap();
        assert_eq!(
            issued,
            info.issued()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_millis() as u64
        );
        assert!(json["time"].as_str().unwrap().ends_with(" GMT"));
        let expected = serde_json::json!({
            "headers": { "host": "example.com", "origin": "https://example.com" },
            "time": json["time"],
            "address": "::1",
            "xdomain": true,
            "secure": false,
            "issued": issued,
            "url": "/socket.io/?EIO=4&who=J%C3%BCrgen+K&who=x",
            "query": { "EIO": "4", "who": "x" },
            "auth": {},
        });
        assert_eq!(json, expected);
        // What a Node server says is read as well, and so is what says less.
        let theirs = r#"{"headers":{"set-cookie":["a","b"]},"time":"Fri Nov 20 2026","secure":true,"auth":{"token":1},"more":0}"#;
        let theirs: HandshakeSummary = serde_json::from_str(theirs).unwrap();
        assert!(theirs.secure && theirs.query.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn replies_end_where_the_adapter_forgets_its_deadline() {
        let args = Args::from_values(&[Value::Int(7)]).unwrap();
        let first = futures_util::stream::iter([
            Answer::Heard(args),
            Answer::Counted(1),
            Answer::Missing(2),
        ]);
        let never: Answers = Box::pin(first.chain(futures_util::stream::pending()));
        let mut replies = ServerReplies::new(Some(never), Instant::now() + Duration::from_secs(1));
        assert_eq!(replies.next().await.unwrap().get::<i64>(0).unwrap(), 7);
        assert!(replies.next().await.is_none());
        assert_eq!(replies.missing(), 2);
        assert!(replies.next().await.is_none(), "it stays at its end");
    }

    #[tokio::test(start_paused = true)]
    async fn an_adapter_that_forgets_its_deadline_is_not_waited_for() {
        let never: Answers = Box::pin(futures_util::stream::pending());
        let deadline = Instant::now() + Duration::from_secs(1);
        let gathered = collect(never, vec![Answer::Counted(2)], deadline).await;
        assert_eq!((gathered.answers.len(), gathered.missing), (1, 1));
        assert_eq!(Instant::now(), deadline + GRACE);
    }
}
