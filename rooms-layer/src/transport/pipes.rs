use super::Refused;
use crate::engine::{Pipe, at_once};
use bytes::Bytes;
use http::Extensions;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice, Read},
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    task::unconstrained,
};

/// A connection on its way from HTTP to WebSocket.
pub(super) struct Upgrading(OnUpgrade);

/// A connection that the HTTP server has let go of.
pub(super) struct Upgraded {
    pub(super) pipe: Arc<dyn Pipe>,
    /// What the server had read beyond the request.
    pub(super) received: Bytes,
    /// The other end, of a plain TCP stream.
    pub(super) remote: Option<SocketAddr>,
}

impl Upgrading {
    /// Takes what the HTTP server has put into a request for this.
    pub(super) fn take(request: &mut Extensions) -> Result<Self, Refused> {
        request.remove().map(Self).ok_or(Refused::NoUpgrade)
    }

    /// Waits for the server to let go of the connection. `None`, and the reason in the log, if the client went away, or if the
    /// server does not carry upgrades out.
    pub(super) async fn pipe(self) -> Option<Upgraded> {
        match self.0.await {
            Ok(upgraded) => Some(Upgraded::new(upgraded)),
            // The client went away before it was answered.
            Err(error) if error.is_closed() || error.is_incomplete_message() => {
                tracing::debug!(%error, "a client left during the upgrade");
                None
            }
            Err(error) => {
                // The client has its answer by now, so that only the log can tell.
                let hint = Refused::NoUpgrade.explain();
                tracing::error!(%error, hint, "a connection was promised and could not be upgraded");
                None
            }
        }
    }
}

impl Upgraded {
    fn new(upgraded: hyper::upgrade::Upgraded) -> Self {
        // A plain TCP stream is written to without a lock.
        let parts = match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => Ok((parts.io, parts.read_buf)),
            Err(upgraded) => hyper_util::server::conn::auto::upgrade::downcast(upgraded)
                .map(|parts| (parts.io, parts.read_buf)),
        };
        match parts {
            Ok((io, received)) => {
                let stream: TcpStream = io.into_inner();
                Self {
                    remote: stream.peer_addr().ok(),
                    pipe: tcp_pipe(stream),
                    // Copied, since the original keeps the server's whole read buffer alive.
                    received: Bytes::copy_from_slice(&received),
                }
            }
            // What was read already is replayed by the stream itself.
            Err(upgraded) => Self {
                pipe: stream_pipe(TokioIo::new(upgraded)),
                received: Bytes::new(),
                remote: None,
            },
        }
    }
}

/// A pipe over a TCP stream.
pub(crate) fn tcp_pipe(stream: TcpStream) -> Arc<dyn Pipe> {
    // Without Nagle's delay: packets are put together already.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    bound_unsent(&stream);
    Arc::new(TcpPipe(stream))
}

/// How many bytes the kernel takes that it can't send yet, because the client does not read or its network is slow. Without a
/// bound it takes megabytes of each such client, which count in no queue of ours. What is on its way to the client is not
/// counted, so that fast connections over long distances stay fast.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MAX_UNSENT: u32 = 128 * 1024;

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bound_unsent(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    if let Err(error) = socket.set_tcp_notsent_lowat(MAX_UNSENT) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT can't be set");
    }
}

/// Other systems have no such option that leaves fast connections alone.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bound_unsent(_: &TcpStream) {}

/// A pipe over any byte stream: TLS, HTTP/2, a duplex in memory.
pub(crate) fn stream_pipe<S>(stream: S) -> Arc<dyn Pipe>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    Arc::new(StreamPipe(Mutex::new(stream)))
}

struct TcpPipe(TcpStream);

/// Whether a read that does not fill its buffer has emptied the socket, and what comes later is told: so it is of epoll. Elsewhere
/// one has to read until there is nothing.
const SHORT_READ_IS_LAST: bool = cfg!(any(target_os = "linux", target_os = "android"));

impl TcpPipe {
    /// Reads what is there. After a short read tokio is told that there is no more, which saves the call that would say so.
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut short = None;
        let result = self.0.try_io(Interest::READABLE, || {
            let count = (&*SockRef::from(&self.0)).read(buf)?;
            if SHORT_READ_IS_LAST && (1..buf.len()).contains(&count) {
                short = Some(count);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(count)
        });
        short.map_or(result, Ok)
    }
}

impl Pipe for TcpPipe {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.try_read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            match self.try_write(bufs) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match bufs {
            [one] => self.0.try_write(one),
            _ => self.0.try_write_vectored(bufs),
        }
    }

    fn poll_flush(&self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn poll_shutdown(&self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The stream is shut down when it is dropped, which is the next thing that happens to it.
        Poll::Ready(Ok(()))
    }
}

/// The stream's own contract asks for `&mut`, so reading and writing take turns.
struct StreamPipe<S>(Mutex<S>);

impl<S: Unpin> StreamPipe<S> {
    /// A panic of the stream, which is the application's, is an error of this connection and of no other.
    fn with<T>(&self, act: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let lock = self.0.lock();
        let mut stream = lock.unwrap_or_else(PoisonError::into_inner);
        catch_unwind(AssertUnwindSafe(|| act(Pin::new(&mut stream))))
            .unwrap_or_else(|_| Poll::Ready(Err(io::Error::other("the stream panicked"))))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Pipe for StreamPipe<S> {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(self.with(|stream| stream.poll_read(cx, &mut buf)))?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        without_waiting(|cx| self.poll_write(cx, bufs))
    }

    fn try_flush(&self) -> io::Result<()> {
        without_waiting(|cx| self.poll_flush(cx))
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

/// Polls once with a waker that wakes nobody, and outside the calling task's budget: a flusher writes to more streams in a
/// turn than a task may poll, and a stream that only seemed to be full would wait for a wake-up.
fn without_waiting<T>(
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> io::Result<T> {
    let once = pin!(unconstrained(poll_fn(|cx| Poll::Ready(at_once(poll(cx))))));
    match once.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpSocket},
    };

    /// A client that never reads, with a small buffer of its own, and how much the kernel took for it.
    async fn taken(pipe: impl FnOnce(TcpStream) -> Arc<dyn Pipe>) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(8 * 1024).unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(client.connect(address), listener.accept());
        let (_client, (stream, _)) = (client.unwrap(), accepted.unwrap());
        let pipe = pipe(stream);
        let mut taken = 0;
        // What one event is, give or take.
        let event = [0; 1_000];
        loop {
            match pipe.try_write(&[IoSlice::new(&event)]) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
            // The kernel may have handed some on in the meantime.
            let again = poll_fn(|cx| pipe.poll_write(cx, &[IoSlice::new(&event)]));
            match tokio::time::timeout(std::time::Duration::from_millis(200), again).await {
                Ok(count) => taken += count.unwrap(),
                Err(_) => return taken,
            }
        }
    }

    /// What fills the buffer may not be all, and what does not fill it is: either way what comes later is read.
    #[tokio::test]
    async fn what_comes_is_read_whatever_was_read_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, pipe) = (client.unwrap(), tcp_pipe(accepted.unwrap().0));
        let mut buffer = [0; 4];
        for (said, counts) in [("a", &[1][..]), ("abcd", &[4]), ("abcdefghi", &[4, 4, 1])] {
            client.write_all(said.as_bytes()).await.unwrap();
            for expected in counts {
                let count = poll_fn(|cx| pipe.poll_read(cx, &mut buffer));
                let count = tokio::time::timeout(std::time::Duration::from_secs(10), count).await;
                assert_eq!(count.expect(said).unwrap(), *expected, "{said}");
            }
            let mut nothing = Context::from_waker(Waker::noop());
            assert!(pipe.poll_read(&mut nothing, &mut buffer).is_pending());
        }
        client.write_all(b"a").await.unwrap();
        drop(client);
        for expected in [1, 0] {
            let count = poll_fn(|cx| pipe.poll_read(cx, &mut buffer)).await;
            assert_eq!(count.unwrap(), expected);
        }
    }

    /// The kernel alone would take several megabytes.
    #[tokio::test]
    async fn a_client_that_does_not_read_has_the_kernel_hold_little() {
        let bounded = taken(tcp_pipe).await;
        let unbounded = taken(|stream| Arc::new(TcpPipe(stream))).await;
        assert!(bounded <= 512 * 1024, "{bounded} bytes");
        assert!(unbounded > 2 * bounded, "{unbounded} and {bounded} bytes");
    }
}
