//! Bytes to messages.

use super::{
    Ask, Body, LONGEST, LONGEST_SENDER, LONGEST_WAIT, Message, VERSION, What,
    answer::{count, read_answer},
    kind, limits,
};
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{Broadcast, Command},
    },
    wire::{
        Data,
        msgpack::{ReadError, Reader, Token, decode_event},
    },
};
use std::time::Duration;

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadMessage {
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    #[error("it is of version {0}, and this server speaks {VERSION}")]
    Version(u64),
    #[error("it is of the unknown kind {0}")]
    Kind(u64),
    #[error("it has no sender that could be one")]
    Sender,
    #[error("it has fewer fields than it must have")]
    Fields,
    #[error(transparent)]
    Msgpack(#[from] ReadError),
}

/// Reads a message.
pub(crate) fn read(bytes: &[u8]) -> Result<Message, BadMessage> {
    if bytes.len() > LONGEST {
        return Err(BadMessage::TooLong);
    }
    let mut input = Reader::new(bytes);
    let fields = input.array()?;
    if fields < 4 {
        return Err(BadMessage::Fields);
    }
    let version = input.uint()?;
    if version != VERSION {
        return Err(BadMessage::Version(version));
    }
    let kind = input.uint()?;
    let from = input.str()?;
    if from.is_empty() || from.len() > LONGEST_SENDER {
        return Err(BadMessage::Sender);
    }
    let number = input.uint()?;
    let least = match kind {
        kind::HELLO | kind::ALIVE | kind::BYE => 0,
        kind::BROADCAST | kind::COMMAND | kind::LOGGED => 5,
        kind::TELL => 2,
        kind::ASK => 7,
        kind::EVICT => 3,
        kind::ANSWERS => 4,
        kind => return Err(BadMessage::Kind(kind)),
    };
    if fields - 4 < least {
        return Err(BadMessage::Fields);
    }
    Ok(Message {
        from: from.into(),
        number,
        body: body(kind, &mut input)?,
    })
}

fn body(kind: u64, input: &mut Reader<'_>) -> Result<Body, BadMessage> {
    Ok(match kind {
        kind::HELLO => Body::Hello,
        kind::ALIVE => Body::Alive,
        kind::BYE => Body::Bye,
        kind::BROADCAST => {
            let namespace = input.str()?.into();
            let to = selection(input)?;
            let volatile = input.bool()?;
            let broadcast = Broadcast::new(event(input)?).volatile(volatile);
            Body::Broadcast {
                namespace,
                to,
                broadcast,
            }
        }
        kind::COMMAND => {
            let namespace = input.str()?.into();
            let to = selection(input)?;
            let command = match input.uint()? {
                0 => Command::Join(names(input)?),
                1 => Command::Leave(names(input)?),
                2 => Command::Disconnect {
                    close: input.bool()?,
                },
                other => return Err(BadMessage::Kind(other)),
            };
            Body::Command {
                namespace,
                to,
                command,
            }
        }
        kind::TELL => Body::Tell {
            namespace: input.str()?.into(),
            event: event(input)?,
        },
        kind::ASK => {
            let id = input.uint()?;
            let namespace = input.str()?.into();
            let to = selection(input)?;
            let what = input.uint()?;
            let time = Duration::from_millis(input.uint()?).min(LONGEST_WAIT);
            let what = match what {
                0 => What::Acks(event(input)?),
                1 => What::Sockets,
                2 => What::Count,
                3 => What::Rooms,
                4 => What::Servers(event(input)?),
                other => return Err(BadMessage::Kind(other)),
            };
            Body::Ask(Ask {
                id,
                namespace,
                to,
                what,
                time,
            })
        }
        kind::ANSWERS => {
            let id = input.uint()?;
            let last = input.bool()?;
            let asked = count(input)?;
            let mut answers = Vec::new();
            for _ in 0..input.array()? {
                answers.extend(read_answer(input)?);
            }
            Body::Answers {
                id,
                last,
                asked,
                answers,
            }
        }
        kind::EVICT => Body::Evict {
            namespace: input.str()?.into(),
            socket: SocketId::from(input.str()?),
            revision: input.uint()?,
        },
        kind::LOGGED => Body::Logged {
            namespace: input.str()?.into(),
            to: selection(input)?,
            local: input.bool()?,
            event: event(input)?,
        },
        other => return Err(BadMessage::Kind(other)),
    })
}

fn selection(input: &mut Reader<'_>) -> Result<Selection, ReadError> {
    let mut ahead = input.clone();
    let rooms = match ahead.token()? {
        Token::Nil => {
            *input = ahead;
            None
        }
        _ => Some(names(input)?),
    };
    let mut to = Selection::everybody();
    to.rooms = rooms;
    to.except = names(input)?;
    Ok(to)
}

pub(super) fn names(input: &mut Reader<'_>) -> Result<Vec<Box<str>>, ReadError> {
    let count = input.array()?;
    (0..count).map(|_| Ok(input.str()?.into())).collect()
}

fn event(input: &mut Reader<'_>) -> Result<Data, ReadError> {
    decode_event(input, &limits())
}
