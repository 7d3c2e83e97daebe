//! The form of Node's `ClusterAdapter`, which the sharded and the streams adapter speak: `{type, data, uid, nsp}`.

use super::{
    Malformed, Text,
    parts::{Answer, Flags, Names, Opts, Packet, SocketJson, raw},
};
use crate::message::{Envelope, Known, Message, What, Wish};
use bytes::Bytes;
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{Broadcast, Command, SocketInfo},
    },
    wire::{Args, Data, Limits, msgpack::WriteError},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod kind {
    pub(crate) const BROADCAST: u64 = 3;
    pub(super) const SOCKETS_JOIN: u64 = 4;
    pub(super) const SOCKETS_LEAVE: u64 = 5;
    pub(super) const DISCONNECT_SOCKETS: u64 = 6;
    pub(super) const FETCH_SOCKETS: u64 = 7;
    pub(super) const FETCH_SOCKETS_RESPONSE: u64 = 8;
    pub(super) const SERVER_SIDE_EMIT: u64 = 9;
    pub(super) const SERVER_SIDE_EMIT_RESPONSE: u64 = 10;
    pub(super) const BROADCAST_CLIENT_COUNT: u64 = 11;
    pub(super) const BROADCAST_ACK: u64 = 12;
    /// Ours: Node's servers take no notice of it.
    pub(super) const EVICT: u64 = 101;
}

pub(crate) use kind::BROADCAST;

/// The whole of a message.
#[derive(Debug, Deserialize)]
struct Outer<'a> {
    #[serde(rename = "type")]
    kind: u64,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    uid: Option<Box<str>>,
    nsp: Option<Box<str>>,
}

/// What a message is about.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    /// An object of a broadcast, an array of an event for servers, a value of an answer.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    packet: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opts: Option<Opts>,
    /// Of commands; ours: of an answer about rooms.
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Names>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Box<str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    sockets: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_count: Option<usize>,
    /// Ours: only the number of sockets is wanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    count_only: bool,
    /// Ours: only the rooms are wanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rooms_only: bool,
    /// Ours: servers without an answer are to say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    even_if_nothing: bool,
    /// Ours: the socket that has acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Box<str>>,
    /// Ours: whose session it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    fence: Option<Box<str>>,
    /// Ours: all arguments of an answer, where they are not one.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    args: Option<Vec<&'a RawValue>>,
    /// Ours: the number of sockets, which are then not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// Ours: there is no answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    nothing: bool,
}

/// A message, written but for who says it.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) kind: u64,
    /// JSON, with placeholders where the attachments belong.
    pub(crate) data: String,
    pub(crate) attachments: Vec<Bytes>,
}

impl Written {
    fn new(kind: u64, body: &Body<'_>, attachments: &[Bytes]) -> Self {
        Self {
            kind,
            data: serde_json::to_string(body).expect("a body is JSON"),
            attachments: attachments.to_vec(),
        }
    }

    fn json(&self, uid: &str, namespace: &str) -> String {
        let Self { kind, data, .. } = self;
        // The data is JSON already. A serializer would read it once more to find that out.
        format!(r#"{{"type":{kind},"data":{data}{}"#, end(uid, namespace))
    }

    /// The whole as JSON, or as msgpack where there is something binary.
    pub(crate) fn into_json(self, uid: &str, namespace: &str) -> Result<Vec<u8>, WriteError> {
        Text::write(self.json(uid, namespace), &self.attachments)
    }

    /// The whole as msgpack.
    pub(crate) fn into_msgpack(self, uid: &str, namespace: &str) -> Result<Vec<u8>, WriteError> {
        Text::write_msgpack(&self.json(uid, namespace), &self.attachments)
    }
}

/// How the JSON of all that a server says in a namespace ends. It is in no message of another: what looks like it inside of strings
/// is escaped, and behind objects inside follows another brace.
pub(crate) fn end(uid: &str, namespace: &str) -> String {
    let quoted = |text| serde_json::to_string(text).expect("text is JSON");
    format!(r#","uid":{},"nsp":{}}}"#, quoted(uid), quoted(namespace))
}

fn opts(to: &Selection) -> Option<Opts> {
    Some(Opts::new(to).with_flags(Flags::default()))
}

/// Writes a broadcast.
pub(crate) fn write_broadcast(to: &Selection, broadcast: &Broadcast) -> Written {
    let packet = serde_json::to_string(&Packet::new(&broadcast.data, None));
    let packet = packet.expect("a packet is JSON");
    let body = Body {
        packet: Some(raw(&packet)),
        opts: Some(Opts::of_broadcast(to, broadcast)),
        ..Body::default()
    };
    Written::new(kind::BROADCAST, &body, broadcast.data.attachments())
}

/// Writes whatever is not a broadcast.
pub(crate) fn write(message: &Message) -> Written {
    let mut body = Body {
        request_id: message.answers().cloned(),
        ..Body::default()
    };
    match message {
        Message::Broadcast { to, broadcast } => write_broadcast(to, broadcast),
        Message::AskAcks {
            id,
            to,
            event,
            timeout,
        } => {
            let packet = serde_json::to_string(&Packet::new(event, None));
            let packet = packet.expect("a packet is JSON");
            body.packet = Some(raw(&packet));
            body.opts = Some(Opts::of_question(to, *timeout));
            body.request_id = Some(id.clone());
            Written::new(kind::BROADCAST, &body, event.attachments())
        }
        Message::Command { to, command, .. } => {
            body.opts = opts(to);
            let kind = match command {
                Command::Join(rooms) => {
                    body.rooms = Some(Names(rooms.clone()));
                    kind::SOCKETS_JOIN
                }
                Command::Leave(rooms) => {
                    body.rooms = Some(Names(rooms.clone()));
                    kind::SOCKETS_LEAVE
                }
                Command::Disconnect { close } => {
                    body.close = Some(*close);
                    kind::DISCONNECT_SOCKETS
                }
                command => unreachable!("{command:?} has no form yet"),
            };
            Written::new(kind, &body, &[])
        }
        Message::AskAbout { id, to, what } => {
            body.opts = opts(to);
            body.request_id = Some(id.clone());
            body.count_only = *what == What::Count;
            body.rooms_only = *what == What::Rooms;
            Written::new(kind::FETCH_SOCKETS, &body, &[])
        }
        Message::Tell { event, answer } => {
            body.packet = Some(raw(event.json()));
            body.request_id = answer.as_ref().map(|wish| wish.id.clone());
            body.even_if_nothing = answer.as_ref().is_some_and(|wish| wish.even_if_nothing);
            Written::new(kind::SERVER_SIDE_EMIT, &body, event.attachments())
        }
        Message::Clients { count, .. } => {
            body.client_count = Some(*count);
            Written::new(kind::BROADCAST_CLIENT_COUNT, &body, &[])
        }
        Message::Acked { socket, args, .. } => {
            body.sid = Some(socket.as_str().into());
            write_answer(kind::BROADCAST_ACK, body, args)
        }
        Message::Heard {
            args: Some(args), ..
        } => write_answer(kind::SERVER_SIDE_EMIT_RESPONSE, body, args),
        Message::Heard { args: None, .. } | Message::Done { .. } => {
            body.nothing = true;
            Written::new(kind::SERVER_SIDE_EMIT_RESPONSE, &body, &[])
        }
        Message::Known { known, .. } => write_known(body, known),
        Message::Evict { socket, fence } => {
            body.sid = Some(socket.as_str().into());
            body.fence = Some(fence.clone());
            Written::new(kind::EVICT, &body, &[])
        }
    }
}

fn write_answer<'a>(kind: u64, mut body: Body<'a>, args: &'a Args) -> Written {
    let answer = Answer::new(args);
    body.packet = Some(answer.first);
    body.args = answer.all;
    Written::new(kind, &body, args.attachments())
}

fn write_known(mut body: Body<'_>, known: &Known) -> Written {
    let mut listed = "[]".to_owned();
    match known {
        Known::Sockets(sockets) => {
            let sockets: Vec<_> = sockets.iter().map(SocketJson::from).collect();
            listed = serde_json::to_string(&sockets).expect("sockets are JSON");
        }
        Known::Count(count) => body.count = Some(*count),
        Known::Rooms(names) | Known::Ids(names) => {
            let names = names.iter().map(|name| name.as_str().into());
            body.rooms = Some(Names(names.collect()));
        }
    }
    let body = Body {
        sockets: Some(raw(&listed)),
        ..body
    };
    Written::new(kind::FETCH_SOCKETS_RESPONSE, &body, &[])
}

/// Reads a whole message.
pub(crate) fn read(payload: &[u8], limits: &Limits) -> Result<Envelope, Malformed> {
    let Text { json, attachments } = Text::read(payload, limits)?;
    let outer: Outer<'_> = serde_json::from_str(&json)?;
    let data = outer.data.map_or("{}", RawValue::get);
    Ok(Envelope {
        from: outer.uid,
        namespace: outer.nsp,
        message: read_data(outer.kind, data, attachments, limits)?,
    })
}

/// Reads what a message is about.
pub(crate) fn read_data(
    kind: u64,
    data: &str,
    attachments: Vec<Bytes>,
    limits: &Limits,
) -> Result<Message, Malformed> {
    let mut body: Body<'_> = serde_json::from_str(data)?;
    let lacks = |what| move || Malformed::Lacks(kind, what);
    let id = body.request_id.take();
    let opts = body.opts.take();
    Ok(match kind {
        kind::BROADCAST => {
            let opts = opts.ok_or_else(lacks("opts"))?;
            let packet = body.packet.ok_or_else(lacks("packet"))?;
            let packet: Packet<'_> = serde_json::from_str(packet.get())?;
            let event = packet.event(attachments, limits)?;
            match id {
                Some(id) => Message::AskAcks {
                    id,
                    timeout: opts.timeout(),
                    event,
                    to: opts.selection(),
                },
                None => Message::Broadcast {
                    broadcast: Broadcast::new(event).volatile(opts.volatile()),
                    to: opts.selection(),
                },
            }
        }
        kind::SOCKETS_JOIN | kind::SOCKETS_LEAVE | kind::DISCONNECT_SOCKETS => {
            let rooms = body.rooms.map(|rooms| rooms.0);
            Message::Command {
                to: opts.ok_or_else(lacks("opts"))?.selection(),
                command: match kind {
                    kind::SOCKETS_JOIN => Command::Join(rooms.ok_or_else(lacks("rooms"))?),
                    kind::SOCKETS_LEAVE => Command::Leave(rooms.ok_or_else(lacks("rooms"))?),
                    _ => Command::Disconnect {
                        close: body.close.unwrap_or_default(),
                    },
                },
                confirm: None,
            }
        }
        kind::FETCH_SOCKETS => Message::AskAbout {
            id: id.ok_or_else(lacks("requestId"))?,
            to: opts.ok_or_else(lacks("opts"))?.selection(),
            what: match (body.count_only, body.rooms_only) {
                (true, _) => What::Count,
                (false, true) => What::Rooms,
                (false, false) => What::Sockets,
            },
        },
        kind::FETCH_SOCKETS_RESPONSE => Message::Known {
            id: id.ok_or_else(lacks("requestId"))?,
            known: match (body.count, body.rooms) {
                (Some(count), _) => Known::Count(count),
                (None, Some(rooms)) => {
                    Known::Rooms(rooms.0.into_iter().map(String::from).collect())
                }
                (None, None) => {
                    let sockets = body.sockets.ok_or_else(lacks("sockets"))?;
                    let sockets: Vec<SocketJson> = serde_json::from_str(sockets.get())?;
                    Known::Sockets(sockets.into_iter().map(SocketInfo::from).collect())
                }
            },
        },
        kind::SERVER_SIDE_EMIT => {
            let packet = body.packet.ok_or_else(lacks("packet"))?;
            Message::Tell {
                event: Data::parse_event(packet.get(), attachments, limits)?,
                answer: id.map(|id| Wish {
                    id,
                    even_if_nothing: body.even_if_nothing,
                }),
            }
        }
        kind::SERVER_SIDE_EMIT_RESPONSE => Message::Heard {
            id: id.ok_or_else(lacks("requestId"))?,
            args: match body.nothing {
                true => None,
                false => Some(Answer::args(body.packet, body.args, attachments, limits)?),
            },
        },
        kind::BROADCAST_CLIENT_COUNT => Message::Clients {
            id: id.ok_or_else(lacks("requestId"))?,
            count: body.client_count.ok_or_else(lacks("clientCount"))?,
        },
        kind::BROADCAST_ACK => Message::Acked {
            id: id.ok_or_else(lacks("requestId"))?,
            socket: body
                .sid
                .map_or_else(SocketId::anonymous, |socket| SocketId::from(&*socket)),
            args: Answer::args(body.packet, body.args, attachments, limits)?,
        },
        kind::EVICT => Message::Evict {
            socket: SocketId::from(&*body.sid.ok_or_else(lacks("sid"))?),
            fence: body.fence.ok_or_else(lacks("fence"))?,
        },
        kind => return Err(Malformed::Unknown(kind)),
    })
}

#[cfg(test)]
mod tests;
