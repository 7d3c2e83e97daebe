//! Connections without a kernel: what the library itself costs, and how it scales, with nobody at the other end.

use rooms_layer::{Bytes, RoomsLayer};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client that has said everything when it comes, and takes everything.
#[derive(Debug)]
pub struct Sink {
    said: Bytes,
    taken: Arc<AtomicU64>,
}

/// How many bytes a [`Sink`] has been sent, WebSocket frames and all.
#[derive(Clone, Debug, Default)]
pub struct Taken(Arc<AtomicU64>);

impl Taken {
    /// So many by now.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Sink {
    /// Says these packets, each in a masked frame.
    pub fn saying<'a>(packets: impl IntoIterator<Item = &'a str>) -> (Sink, Taken) {
        let mut said = Vec::new();
        for packet in packets {
            crate::load::masked_text(&mut said, packet.as_bytes());
        }
        Sink::with(said.into())
    }

    /// Says these bytes, which may be shared by many.
    pub fn with(said: Bytes) -> (Sink, Taken) {
        let taken = Taken::default();
        let sink = Sink {
            said,
            taken: taken.0.clone(),
        };
        (sink, taken)
    }

    /// What it has yet to say.
    pub fn said(&self) -> Bytes {
        self.said.clone()
    }

    /// Connects to the layer, on a task of its own.
    pub fn connect(self, rooms: &RoomsLayer) -> tokio::task::JoinHandle<()> {
        let request = http::Request::new(());
        tokio::spawn(rooms.accept(&request, self))
    }
}

impl AsyncRead for Sink {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.said.is_empty() {
            // It stays for good, so that nobody has to be woken.
            return Poll::Pending;
        }
        let part = buf.remaining().min(self.said.len());
        buf.put_slice(&self.said.split_to(part));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.taken.fetch_add(buf.len() as u64, Ordering::Release);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        self.taken.fetch_add(len as u64, Ordering::Release);
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
