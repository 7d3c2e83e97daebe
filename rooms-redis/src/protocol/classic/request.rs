//! Requests: what is said to all servers and is not a broadcast.

use super::kind;
use crate::{
    message::{Envelope, Message, What, Wish},
    protocol::{
        Malformed, Text,
        parts::{Names, Opts, Packet, raw},
    },
};
use rooms_layer::{
    rooms::{Selection, adapter::Command},
    wire::{Data, Limits, msgpack::WriteError},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A request. The order of the fields is that of Node.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Box<str>>,
    #[serde(rename = "type")]
    kind: u64,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    packet: Option<Packet<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opts: Option<Opts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Names>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<bool>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    /// Of old servers: the one socket that is meant.
    #[serde(skip_serializing)]
    sid: Option<Box<str>>,
    /// Of old servers: the one room that is meant.
    #[serde(skip_serializing)]
    room: Option<Box<str>>,
    /// Ours: only the number of sockets is wanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    count_only: bool,
    /// Ours: servers without an answer are to say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    even_if_nothing: bool,
}

/// Writes a request. Emitters have no uid.
pub(crate) fn write_request(
    uid: Option<&str>,
    namespace: &str,
    message: &Message,
) -> Result<Vec<u8>, WriteError> {
    let mut request = Request {
        uid: uid.map(Into::into),
        ..Request::default()
    };
    match message {
        Message::Command { to, command, .. } => {
            request.opts = Some(Opts::new(to));
            match command {
                Command::Leave(rooms) => {
                    request.kind = kind::REMOTE_LEAVE;
                    request.rooms = Some(Names(rooms.clone()));
                }
                Command::Disconnect { close } => {
                    request.kind = kind::REMOTE_DISCONNECT;
                    request.close = Some(*close);
                }
                Command::Join(rooms) => {
                    request.kind = kind::REMOTE_JOIN;
                    request.rooms = Some(Names(rooms.clone()));
                }
                command => unreachable!("{command:?} has no form yet"),
            }
            Text::write(json(&request), &[])
        }
        Message::Tell { event, answer } => {
            request.kind = kind::SERVER_SIDE_EMIT;
            request.data = Some(raw(event.json()));
            request.request_id = answer.as_ref().map(|wish| wish.id.clone());
            request.even_if_nothing = answer.as_ref().is_some_and(|wish| wish.even_if_nothing);
            Text::write(json(&request), event.attachments())
        }
        Message::AskAcks {
            id,
            to,
            event,
            timeout,
        } => {
            request.kind = kind::BROADCAST;
            request.request_id = Some(id.clone());
            request.packet = Some(Packet::new(event, Some(namespace)));
            request.opts = Some(Opts::of_question(to, *timeout));
            Text::write_msgpack(&json(&request), event.attachments())
        }
        Message::AskAbout { id, to, what } => {
            request.request_id = Some(id.clone());
            match what {
                What::Sockets | What::Count => {
                    request.kind = kind::REMOTE_FETCH;
                    request.opts = Some(Opts::new(to));
                    request.count_only = *what == What::Count;
                }
                What::Rooms => request.kind = kind::ALL_ROOMS,
                What::Ids => {
                    request.kind = kind::SOCKETS;
                    request.rooms = Some(Opts::new(to).rooms);
                }
            }
            Text::write(json(&request), &[])
        }
        message => unreachable!("not a request: {message:?}"),
    }
}

fn json(request: &Request<'_>) -> String {
    serde_json::to_string(request).expect("a request is JSON")
}

/// Reads a request.
pub(crate) fn read_request(payload: &[u8], limits: &Limits) -> Result<Envelope, Malformed> {
    let Text { json, attachments } = Text::read(payload, limits)?;
    let mut request: Request<'_> = serde_json::from_str(&json)?;
    let kind = request.kind;
    let lacks = |what| move || Malformed::Lacks(kind, what);
    let from = request.uid.take();
    let id = request.request_id.take();
    let message = match kind {
        kind::SOCKETS => Message::AskAbout {
            id: id.ok_or_else(lacks("requestId"))?,
            to: Opts {
                rooms: request.rooms.unwrap_or_default(),
                ..Opts::default()
            }
            .selection(),
            what: What::Ids,
        },
        kind::ALL_ROOMS => Message::AskAbout {
            id: id.ok_or_else(lacks("requestId"))?,
            to: Selection::everybody(),
            what: What::Rooms,
        },
        kind::REMOTE_JOIN | kind::REMOTE_LEAVE | kind::REMOTE_DISCONNECT => {
            // The form of old servers: one socket, one room, and a response.
            let one = request.sid.map(|socket| Selection::of([socket]));
            let (to, confirm) = match (request.opts, one) {
                (Some(opts), _) => (opts.selection(), None),
                (None, Some(one)) => (one, id),
                (None, None) => return Err(lacks("opts")()),
            };
            let one = request.room.map(|room| vec![room]);
            let rooms = request.rooms.map(|rooms| rooms.0).or(one);
            let command = match kind {
                kind::REMOTE_JOIN => Command::Join(rooms.ok_or_else(lacks("rooms"))?),
                kind::REMOTE_LEAVE => Command::Leave(rooms.ok_or_else(lacks("rooms"))?),
                _ => Command::Disconnect {
                    close: request.close.unwrap_or_default(),
                },
            };
            Message::Command {
                to,
                command,
                confirm,
            }
        }
        kind::REMOTE_FETCH => Message::AskAbout {
            id: id.ok_or_else(lacks("requestId"))?,
            to: request.opts.ok_or_else(lacks("opts"))?.selection(),
            what: match request.count_only {
                true => What::Count,
                false => What::Sockets,
            },
        },
        kind::SERVER_SIDE_EMIT => {
            let data = request.data.ok_or_else(lacks("data"))?;
            Message::Tell {
                event: Data::parse_event(data.get(), attachments, limits)?,
                answer: id.map(|id| Wish {
                    id,
                    even_if_nothing: request.even_if_nothing,
                }),
            }
        }
        kind::BROADCAST => {
            let packet = request.packet.ok_or_else(lacks("packet"))?;
            let opts = request.opts.ok_or_else(lacks("opts"))?;
            Message::AskAcks {
                id: id.ok_or_else(lacks("requestId"))?,
                timeout: opts.timeout(),
                event: packet.event(attachments, limits)?,
                to: opts.selection(),
            }
        }
        kind => return Err(Malformed::Unknown(kind)),
    };
    Ok(Envelope {
        from,
        namespace: None,
        message,
    })
}
