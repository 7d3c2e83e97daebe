//! Long-polling over one connection that is kept alive: a POST when there is something to send, otherwise a GET.

use super::taker::response_head;

/// Between two packets of a body (Engine.IO 4).
pub(super) const SEPARATOR: u8 = 0x1e;

/// What a client that polls has to remember.
#[derive(Debug, Default)]
pub(super) struct Polling {
    sid: String,
    /// Packets that wait for the next POST.
    outbox: Vec<u8>,
    /// The request under way is a POST, whose answer carries no packets.
    posting: bool,
}

impl Polling {
    pub(super) fn send(&mut self, packet: &[u8]) {
        if !self.outbox.is_empty() {
            self.outbox.push(SEPARATOR);
        }
        self.outbox.extend_from_slice(packet);
    }

    /// Takes the session's id out of the open packet.
    pub(super) fn open(&mut self, packet: &[u8]) -> Option<()> {
        let open: serde_json::Value = serde_json::from_slice(packet.strip_prefix(b"0")?).ok()?;
        self.sid = open["sid"].as_str()?.to_owned();
        Some(())
    }

    /// Appends the next request to `out`.
    pub(super) fn request(&mut self, target: &str, out: &mut Vec<u8>) {
        let (path, host) = target.split_once(' ').unwrap_or((target, ""));
        let sid = match self.sid.as_str() {
            "" => String::new(),
            sid => format!("&sid={sid}"),
        };
        self.posting = !self.outbox.is_empty();
        let method = if self.posting { "POST" } else { "GET" };
        let head = format!("{method} {path}{sid} HTTP/1.1\r\nHost: {host}\r\n");
        out.extend_from_slice(head.as_bytes());
        if self.posting {
            let length = self.outbox.len();
            let rest = format!(
                "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n"
            );
            out.extend_from_slice(rest.as_bytes());
            out.append(&mut self.outbox);
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The packets of the response at the start of `buf`, and how long it is; `None` while it is not whole.
    pub(super) fn response<'a>(&self, buf: &'a [u8]) -> Result<Option<(&'a [u8], usize)>, String> {
        let Some(end) = response_head(buf)? else {
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&buf[..end]);
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!(
                "refused: {}",
                head.lines().next().unwrap_or_default()
            ));
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.eq_ignore_ascii_case("content-length"))
                .then(|| value.trim().parse::<usize>().ok())?
        });
        let length = length.ok_or("a response without a length")?;
        let Some(body) = buf.get(end..end + length) else {
            return Ok(None);
        };
        Ok(Some((if self.posting { &[] } else { body }, end + length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(polling: &mut Polling) -> String {
        let mut out = Vec::new();
        polling.request(
            "/socket.io/?EIO=4&transport=polling 127.0.0.1:3000",
            &mut out,
        );
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_conversation() {
        let mut polling = Polling::default();
        let wanted =
            "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n\r\n";
        assert_eq!(request(&mut polling), wanted);
        let open = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n0{\"sid\":\"ab\"}";
        for cut in [0, 10, open.len() - 1] {
            assert_eq!(polling.response(&open[..cut]), Ok(None), "{cut} bytes");
        }
        let (packets, len) = polling
            .response(open)
            .expect("a response")
            .expect("a whole one");
        assert_eq!(len, open.len());
        polling.open(packets).expect("an id");

        polling.send(b"40");
        polling.send(b"2");
        let post = request(&mut polling);
        assert!(
            post.starts_with("POST /socket.io/?EIO=4&transport=polling&sid=ab HTTP/1.1\r\n"),
            "{post}"
        );
        assert!(
            post.ends_with("Content-Length: 4\r\n\r\n40\u{1e}2"),
            "{post}"
        );
        let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(polling.response(ok), Ok(Some((&b""[..], ok.len()))));
        assert!(request(&mut polling).starts_with("GET "));
    }

    #[test]
    fn bad_responses() {
        let polling = Polling::default();
        for response in [
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert!(polling.response(response.as_bytes()).is_err(), "{response}");
        }
    }
}
