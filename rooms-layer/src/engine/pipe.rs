use std::{
    io::{self, IoSlice},
    task::{Context, Poll},
};

/// The byte stream under a connection, shared by the connection's task (which reads) and by whoever flushes its mailbox.
///
/// The implementor promises that after `Pending` the task of `cx` is woken when that direction is ready again. A direction
/// is polled by one task at a time, with a waker; the `try_` forms are called while no task waits for that direction.
pub(crate) trait Pipe: Send + Sync + 'static {
    /// Reads into `buf`; 0 is the end of the stream.
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;
    /// Writes some of `bufs`.
    fn poll_write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;
    /// Hands on what the stream itself has buffered.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Writes what can be written at once; `WouldBlock` when nothing can.
    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Hands on what the stream itself has buffered; `WouldBlock` when some of it is left.
    fn try_flush(&self) -> io::Result<()>;
    /// Ends the writing direction.
    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Turns "not yet" into an error, for those who do not wait.
pub(crate) fn at_once<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
