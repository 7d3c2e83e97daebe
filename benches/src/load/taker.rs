//! What a client has received, taken apart: handshakes are answered here, messages go to the mode's handler.

use super::{
    Client, Entry, Handler, State,
    clients::Tally,
    frame::{self, Frame},
    msgpack,
    polling::SEPARATOR,
};

/// The answer to the key of the example in RFC 6455, section 1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longest response head taken from a server.
const MAX_HEAD: usize = 8 * 1024;

/// Takes whole frames out of what one client has received.
pub(super) struct Taker<'a> {
    pub(super) entry: &'a Entry,
    pub(super) tally: &'a mut Tally,
    pub(super) target: &'a str,
    pub(super) is_conductor: bool,
}

impl Taker<'_> {
    /// Returns how many bytes of `buf` it used.
    pub(super) fn take(
        &mut self,
        client: &mut Client,
        buf: &[u8],
        handler: &mut impl Handler,
    ) -> Result<usize, String> {
        if client.polling.is_some() {
            return self.take_responses(client, buf, handler);
        }
        let mut at = 0;
        if client.state == State::Upgrading {
            match upgraded(buf)? {
                Some(end) => at = end,
                None => return Ok(0),
            }
            client.state = State::Opening;
        }
        while let Some(Frame {
            opcode,
            payload,
            len,
        }) = frame::parse(&buf[at..]).map_err(|e| e.to_string())?
        {
            at += len;
            match opcode {
                frame::TEXT => self.message(client, payload, handler)?,
                frame::BINARY if client.msgpack => {
                    let text = msgpack::decode(payload).ok_or("no packet in msgpack")?;
                    self.message(client, &text, handler)?;
                }
                frame::BINARY if client.state == State::Ready && !self.is_conductor => {
                    handler.attachment(client, payload);
                }
                frame::PING => client.send_frame(frame::PONG, payload),
                frame::CLOSE if client.state != State::Closing => {
                    return Err("closed by the server".to_owned());
                }
                _ => {}
            }
        }
        Ok(at)
    }

    fn take_responses(
        &mut self,
        client: &mut Client,
        buf: &[u8],
        handler: &mut impl Handler,
    ) -> Result<usize, String> {
        let mut at = 0;
        loop {
            let found = match &client.polling {
                Some(polling) => polling.response(&buf[at..])?,
                None => None,
            };
            let Some((packets, len)) = found else {
                return Ok(at);
            };
            at += len;
            if !packets.is_empty() {
                for packet in packets.split(|byte| *byte == SEPARATOR) {
                    self.message(client, packet, handler)?;
                }
            }
            if let Some(polling) = &mut client.polling {
                polling.request(self.target, &mut client.unsent);
                client.flush();
            }
        }
    }

    #[inline]
    fn message(
        &mut self,
        client: &mut Client,
        text: &[u8],
        handler: &mut impl Handler,
    ) -> Result<(), String> {
        match client.state {
            State::Ready if self.is_conductor => {
                if text == b"2" {
                    client.send(b"3");
                }
            }
            State::Ready if text.first() == Some(&b'4') => handler.message(client, text),
            State::Closing => {}
            _ if text == b"2" => client.send(b"3"),
            State::Opening if text.starts_with(b"0{") => {
                if let Some(polling) = &mut client.polling {
                    polling.open(text).ok_or("an open packet without a sid")?;
                }
                let hello = handler.hello(client);
                client.send(&hello);
                client.state = State::Namespace;
            }
            State::Namespace if text.starts_with(b"40{") => {
                handler.welcome(client, text);
                let entry = match self.is_conductor {
                    true => None,
                    false => (self.entry)(client.index as usize),
                };
                match entry {
                    Some(packet) => {
                        client.send(&packet);
                        client.state = State::Joining;
                    }
                    None => self.ready(client, handler),
                }
            }
            State::Joining if text.starts_with(b"430[") => self.ready(client, handler),
            // Events may reach a client that is in the room before the answer to its join does.
            State::Joining | State::Namespace if text.starts_with(b"42[") => {
                handler.early(client, text);
            }
            state => {
                let start = String::from_utf8_lossy(&text[..text.len().min(80)]);
                return Err(format!("unexpected {start:?} ({state:?})"));
            }
        }
        Ok(())
    }

    fn ready(&mut self, client: &mut Client, handler: &mut impl Handler) {
        client.state = State::Ready;
        self.tally.opening -= 1;
        handler.ready(client);
        // The handler may have closed it at once.
        if client.state == State::Ready {
            self.tally.ready += 1;
        }
    }
}

/// The length of the response head at the start of `buf`; `None` while it is not whole.
pub(super) fn response_head(buf: &[u8]) -> Result<Option<usize>, String> {
    match buf.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(end) => Ok(Some(end + 4)),
        None if buf.len() > MAX_HEAD => Err("endless response".to_owned()),
        None => Ok(None),
    }
}

/// The length of the answer to an upgrade.
fn upgraded(buf: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = response_head(buf)? else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&buf[..end]);
    if head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT) {
        Ok(Some(end))
    } else {
        let status = head.lines().next().unwrap_or_default();
        Err(format!("no upgrade: {status}"))
    }
}
