//! Responses: what is said to the server that asked.

use super::kind;
use crate::{
    message::{Envelope, Known, Message},
    protocol::{
        Malformed, Text,
        parts::{Answer, Names, SocketJson, raw},
    },
};
use rooms_layer::{
    SocketId,
    rooms::adapter::SocketInfo,
    wire::{Limits, msgpack::WriteError},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A response. The order of the fields is that of Node.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<u64>,
    request_id: Box<str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    sockets: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms: Option<Names>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_count: Option<usize>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    packet: Option<&'a RawValue>,
    /// Ours: the socket that has acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Box<str>>,
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

/// Writes a response.
pub(crate) fn write_response(message: &Message) -> Result<Vec<u8>, WriteError> {
    let mut response = Response {
        request_id: message.answers().cloned().unwrap_or_default(),
        ..Response::default()
    };
    match message {
        Message::Clients { count, .. } => {
            response.kind = Some(kind::BROADCAST_CLIENT_COUNT);
            response.client_count = Some(*count);
            Text::write(json(&response), &[])
        }
        Message::Acked { socket, args, .. } => {
            let answer = Answer::new(args);
            response.kind = Some(kind::BROADCAST_ACK);
            response.packet = Some(answer.first);
            response.args = answer.all;
            response.sid = Some(socket.as_str().into());
            Text::write_msgpack(&json(&response), args.attachments())
        }
        Message::Known { known, .. } => {
            let listed = match known {
                Known::Sockets(sockets) => {
                    let sockets = sockets.iter().map(SocketJson::from);
                    serde_json::to_string(&sockets.collect::<Vec<_>>())
                }
                Known::Ids(ids) => serde_json::to_string(ids),
                Known::Count(_) | Known::Rooms(_) => Ok("[]".to_owned()),
            };
            let listed = listed.expect("sockets are JSON");
            match known {
                Known::Rooms(rooms) => {
                    let rooms = rooms.iter().map(|room| room.as_str().into());
                    response.rooms = Some(Names(rooms.collect()));
                }
                Known::Count(count) => {
                    response.sockets = Some(raw(&listed));
                    response.count = Some(*count);
                }
                Known::Sockets(_) | Known::Ids(_) => response.sockets = Some(raw(&listed)),
            }
            Text::write(json(&response), &[])
        }
        Message::Heard { args, .. } => {
            response.kind = Some(kind::SERVER_SIDE_EMIT);
            let Some(args) = args else {
                response.nothing = true;
                return Text::write(json(&response), &[]);
            };
            let answer = Answer::new(args);
            response.data = Some(answer.first);
            response.args = answer.all;
            Text::write(json(&response), args.attachments())
        }
        Message::Done { .. } => Text::write(json(&response), &[]),
        message => unreachable!("not a response: {message:?}"),
    }
}

fn json(response: &Response<'_>) -> String {
    serde_json::to_string(response).expect("a response is JSON")
}

/// Reads a response.
pub(crate) fn read_response(payload: &[u8], limits: &Limits) -> Result<Envelope, Malformed> {
    let Text { json, attachments } = Text::read(payload, limits)?;
    let response: Response<'_> = serde_json::from_str(&json)?;
    let id = response.request_id;
    let message = match response.kind {
        Some(kind @ kind::BROADCAST_CLIENT_COUNT) => Message::Clients {
            id,
            count: response
                .client_count
                .ok_or(Malformed::Lacks(kind, "clientCount"))?,
        },
        Some(kind::BROADCAST_ACK) => Message::Acked {
            id,
            socket: response
                .sid
                .map_or_else(SocketId::anonymous, |socket| SocketId::from(&*socket)),
            args: Answer::args(response.packet, response.args, attachments, limits)?,
        },
        Some(kind::SERVER_SIDE_EMIT) if response.nothing => Message::Heard { id, args: None },
        Some(kind::SERVER_SIDE_EMIT) => {
            let args = Answer::args(response.data, response.args, attachments, limits)?;
            Message::Heard {
                id,
                args: Some(args),
            }
        }
        _ => match known(response.count, response.rooms, response.sockets)? {
            Some(known) => Message::Known { id, known },
            None => Message::Done { id },
        },
    };
    Ok(Envelope {
        from: None,
        namespace: None,
        message,
    })
}

/// Responses about sockets have no type: what they hold tells.
fn known(
    count: Option<usize>,
    rooms: Option<Names>,
    sockets: Option<&RawValue>,
) -> Result<Option<Known>, Malformed> {
    if let Some(count) = count {
        return Ok(Some(Known::Count(count)));
    }
    if let Some(rooms) = rooms {
        let rooms = rooms.0.into_iter().map(String::from);
        return Ok(Some(Known::Rooms(rooms.collect())));
    }
    let Some(sockets) = sockets else {
        return Ok(None);
    };
    let sockets: Vec<SocketJson> = serde_json::from_str(sockets.get())?;
    let sockets = sockets.into_iter().map(SocketInfo::from);
    Ok(Some(Known::Sockets(sockets.collect())))
}
