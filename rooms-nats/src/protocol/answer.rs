//! Answers to questions, each an array that begins with its kind.
//!
//! ```text
//! 0 acked       socket, [argument...]
//! 1 unanswered  sockets
//! 2 found       socket, rooms, data | nil, handshake | nil
//! 3 counted     sockets
//! 4 named       rooms
//! 5 heard       [argument...]
//! 6 missing     servers
//! ```

use super::{limits, read::names as read_names, write::names as write_names};
use rooms_layer::{
    SocketId,
    rooms::adapter::{Answer, SocketInfo},
    wire::msgpack::{ReadError, Reader, Token, WriteError, Writer, decode_args, encode_args},
};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Writes an answer; nothing if it is of a kind that this crate does not know yet.
pub(crate) fn write_answer(out: &mut Writer, answer: &Answer) -> Result<(), WriteError> {
    match answer {
        Answer::Acked(socket, args) => {
            out.array(3);
            out.uint(0);
            out.str(socket.as_str());
            encode_args(args, out)?;
        }
        Answer::Unanswered(sockets) => counted(out, 1, *sockets),
        Answer::Found(socket) => {
            out.array(5);
            out.uint(2);
            out.str(socket.id.as_str());
            write_names(out, &socket.rooms);
            for json in [&socket.data, &socket.handshake] {
                match json {
                    Some(json) => out.str(json.get()),
                    None => out.nil(),
                }
            }
        }
        Answer::Counted(sockets) => counted(out, 3, *sockets),
        Answer::Named(rooms) => {
            out.array(2);
            out.uint(4);
            write_names(out, rooms);
        }
        Answer::Heard(args) => {
            out.array(2);
            out.uint(5);
            encode_args(args, out)?;
        }
        Answer::Missing(servers) => counted(out, 6, *servers),
        _ => {}
    }
    Ok(())
}

fn counted(out: &mut Writer, kind: u64, count: usize) {
    out.array(2);
    out.uint(kind);
    out.uint(count as u64);
}

/// Reads an answer; `None` for one of a kind that this crate does not know yet.
pub(super) fn read_answer(input: &mut Reader<'_>) -> Result<Option<Answer>, ReadError> {
    let mut whole = input.clone();
    let mut fields = input.array()?;
    let mut field = || {
        fields = fields.checked_sub(1).ok_or(ReadError::Truncated)?;
        Ok::<_, ReadError>(())
    };
    field()?;
    let answer = match input.uint()? {
        0 => {
            field()?;
            let socket = SocketId::from(input.str()?);
            field()?;
            Some(Answer::Acked(socket, decode_args(input, &limits())?))
        }
        1 => {
            field()?;
            Some(Answer::Unanswered(count(input)?))
        }
        2 => {
            field()?;
            let id = SocketId::from(input.str()?);
            field()?;
            let mut socket = SocketInfo::new(id, read_names(input)?);
            field()?;
            socket.data = json(input)?;
            field()?;
            socket.handshake = json(input)?;
            Some(Answer::Found(socket))
        }
        3 => {
            field()?;
            Some(Answer::Counted(count(input)?))
        }
        4 => {
            field()?;
            let rooms = read_names(input)?.into_iter().map(String::from);
            Some(Answer::Named(rooms.collect()))
        }
        5 => {
            field()?;
            Some(Answer::Heard(decode_args(input, &limits())?))
        }
        6 => {
            field()?;
            Some(Answer::Missing(count(input)?))
        }
        _ => None,
    };
    // Whatever was read of it, the next answer is behind it.
    whole.skip()?;
    *input = whole;
    Ok(answer)
}

pub(super) fn count(input: &mut Reader<'_>) -> Result<usize, ReadError> {
    // Whoever asked may make an item of each: a number that is made up must not fill the memory.
    const MOST: u64 = 1_000_000;
    Ok(input.uint()?.min(MOST) as usize)
}

fn json(input: &mut Reader<'_>) -> Result<Option<Arc<RawValue>>, ReadError> {
    match input.token()? {
        Token::Nil => Ok(None),
        Token::Str(text) => {
            let value = RawValue::from_string(text.to_owned());
            // What is not JSON is as good as nothing.
            Ok(value.ok().map(Arc::from))
        }
        _ => Err(ReadError::Unexpected {
            expected: "JSON as a string, or nil",
        }),
    }
}
