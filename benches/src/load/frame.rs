//! The few bytes of RFC 6455 a client needs: masked frames out, unmasked frames in.

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// One mask for all frames: a server has to unmask anyway, so its cost is the real one, and ours is next to nothing.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The longest frame taken from a server.
const MAX_FRAME: usize = 1 << 30;

/// A frame found at the start of a buffer.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes of the buffer that the frame took, header included.
    pub(crate) len: usize,
}

/// What a server may not send to this client.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum BadFrame {
    #[error("fragmented or compressed frame from the server")]
    Unexpected,
    #[error("masked frame from the server")]
    Masked,
    #[error("frame of {0} bytes from the server")]
    TooLong(u64),
}

/// Appends one final, masked frame to `out`.
pub(crate) fn encode(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        n @ 0..126 => out.push(0x80 | n as u8),
        n @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(
        payload
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ MASK[i & 3]),
    );
}

/// Finds the frame at the start of `buf`; `None` while it is not whole.
#[inline]
pub(crate) fn parse(buf: &[u8]) -> Result<Option<Frame<'_>>, BadFrame> {
    let [first, second, rest @ ..] = buf else {
        return Ok(None);
    };
    if first & 0xf0 != 0x80 {
        return Err(BadFrame::Unexpected);
    }
    let (head, len) = match second {
        0..126 => (2, u64::from(*second)),
        126 => match rest.first_chunk() {
            Some(len) => (4, u64::from(u16::from_be_bytes(*len))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(len) => (10, u64::from_be_bytes(*len)),
            None => return Ok(None),
        },
        _ => return Err(BadFrame::Masked),
    };
    if len > MAX_FRAME as u64 {
        return Err(BadFrame::TooLong(len));
    }
    let end = head + len as usize;
    Ok(buf.get(head..end).map(|payload| Frame {
        opcode: first & 15,
        payload,
        len: end,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_hand;

    #[test]
    fn frames_wait_until_whole() {
        for size in [0usize, 5, 125, 126, 1000, 65535, 65536] {
            let body = vec![b'x'; size];
            let mut bytes = Vec::new();
            by_hand::frame(&mut bytes, TEXT, &body);
            for cut in [0, 1, 2, 3, 9, bytes.len() - 1]
                .into_iter()
                .filter(|cut| *cut < bytes.len())
            {
                assert_eq!(
                    parse(&bytes[..cut]),
                    Ok(None),
                    "{cut} of {} bytes",
                    bytes.len()
                );
            }
            let whole = Frame {
                opcode: TEXT,
                payload: &body,
                len: bytes.len(),
            };
            assert_eq!(parse(&bytes), Ok(Some(whole)));
        }
    }

    #[test]
    fn what_a_server_may_not_send() {
        for (bytes, wanted) in [
            (&[0x01, 0x01, b'x'][..], BadFrame::Unexpected),
            (&[0xc1, 0x01, b'x'], BadFrame::Unexpected),
            (&[0x81, 0x81, 0, 0, 0, 0, b'x'], BadFrame::Masked),
            (
                &[0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0],
                BadFrame::TooLong(0xff00_0000_0000_0000),
            ),
        ] {
            assert_eq!(parse(bytes), Err(wanted));
        }
    }

    #[test]
    fn encoded_frames_are_masked() {
        let mut out = Vec::new();
        encode(&mut out, TEXT, b"40");
        assert_eq!(
            out,
            [0x81, 0x82, 0x37, 0xfa, 0x21, 0x3d, b'4' ^ 0x37, b'0' ^ 0xfa]
        );
    }
}
