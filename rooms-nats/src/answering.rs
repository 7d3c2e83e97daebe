//! Answering the questions of other servers.

use crate::{
    outbox::Outbox,
    protocol::{self, Ask, Part, What, write_answer},
};
use futures_util::{FutureExt, StreamExt};
use rooms_layer::{
    rooms::{
        Selection,
        adapter::{Answer, Answers, BoxFuture, Local},
    },
    wire::{Args, Data, msgpack::Writer},
};
use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time::timeout};

/// How many bytes of answers are sent in one message, where there are more of them.
const PART: usize = 128 * 1024;
/// What a message has besides its answers, at most.
const ENVELOPE: usize = 256;
/// How many questions that take time are answered at once. Those beyond are answered with nothing: somebody is making them up.
static AT_ONCE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(10_000)));

/// Answers a question of another server, now or in a task of its own.
pub(crate) fn answer(outbox: Outbox, from: &str, ask: Ask, local: Option<Arc<dyn Local>>) {
    let Ask {
        id, to, what, time, ..
    } = ask;
    let mut reply = Reply::new(outbox, from, id);
    let Some(local) = local else {
        // Nobody here is in that namespace.
        return reply.end();
    };
    match what {
        What::Sockets => {
            for socket in local.sockets(&to) {
                reply.add(&Answer::Found(socket));
            }
            reply.end();
        }
        What::Count => {
            reply.add(&Answer::Counted(local.sockets(&to).len()));
            reply.end();
        }
        What::Rooms => {
            // In pieces, since all of them may be more than a message holds.
            for rooms in local.rooms().chunks(256) {
                reply.add(&Answer::Named(rooms.to_vec()));
            }
            reply.end();
        }
        What::Acks(event) => acks(reply, &*local, &to, event, time),
        What::Servers(event) => heard(reply, local.hear(event), time),
    }
}

fn acks(mut reply: Reply, local: &dyn Local, to: &Selection, event: Data, time: Duration) {
    let (answers, asked) = local.ask(to, event, Instant::now() + time);
    reply.part.asked = asked;
    match AT_ONCE.clone().try_acquire_owned() {
        Ok(place) if asked > 0 => {
            // At once, since whoever asked gives up when the sockets here do, and would take this server for missing.
            reply.send();
            tokio::spawn(async move {
                pass_on(&mut reply, answers).await;
                reply.end();
                drop(place);
            });
        }
        _ => reply.end(),
    }
}

/// Sends acknowledgements as they come, those together that come together.
async fn pass_on(reply: &mut Reply, mut answers: Answers) {
    while let Some(answer) = answers.next().await {
        reply.add(&answer);
        while let Some(Some(answer)) = answers.next().now_or_never() {
            reply.add(&answer);
        }
        reply.send();
    }
}

fn heard(mut reply: Reply, hears: BoxFuture<Option<Data>>, time: Duration) {
    let Ok(place) = AT_ONCE.clone().try_acquire_owned() else {
        reply.add(&Answer::Missing(1));
        return reply.end();
    };
    tokio::spawn(async move {
        let answer = match timeout(time, hears).await {
            Ok(Some(answer)) => Args::from_data(&answer).ok(),
            _ => None,
        };
        // As in Node, a server that answers nothing is one that has not answered.
        reply.add(&answer.map_or(Answer::Missing(1), Answer::Heard));
        reply.end();
        drop(place);
    });
}

/// The answers of this server to one question.
struct Reply {
    outbox: Outbox,
    subject: String,
    id: u64,
    part: Part,
}

impl Reply {
    fn new(outbox: Outbox, to: &str, id: u64) -> Self {
        let subject = outbox.subjects().server(to);
        Self {
            outbox,
            subject,
            id,
            part: Part::default(),
        }
    }

    /// Adds an answer. One that NATS does not take counts as not given.
    fn add(&mut self, answer: &Answer) {
        let mut one = Writer::new();
        let written = write_answer(&mut one, answer);
        let one = one.into_bytes();
        let fits = one.len() + ENVELOPE <= self.outbox.max_payload();
        if written.is_err() || one.is_empty() || !fits {
            let bytes = one.len();
            tracing::warn!(
                bytes,
                "an answer to another server is longer than NATS takes, and is not sent"
            );
            return;
        }
        if self.part.count > 0 && self.part.written.len() + one.len() > PART {
            self.send();
        }
        self.part.written.extend_from_slice(&one);
        self.part.count += 1;
    }

    /// Sends what was added.
    fn send(&mut self) {
        let part = std::mem::take(&mut self.part);
        let message = protocol::answers(self.outbox.header(), self.id, &part);
        // Where it can't be sent, whoever asked stops waiting at the deadline.
        self.outbox.try_send(self.subject.clone(), message).ok();
    }

    fn end(mut self) {
        self.part.last = true;
        self.send();
    }
}
