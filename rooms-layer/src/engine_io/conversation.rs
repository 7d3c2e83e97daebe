use super::{EngineSocket, Handler, Message};
use crate::{
    engine::{self, Inbound},
    session::{CloseCause, DisconnectReason},
};
use futures_util::FutureExt;
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// What one client and the application have said to each other: one call of the handler after the other. Driven by the
/// connection's task alone.
pub(super) struct Conversation<H> {
    handler: Arc<H>,
    socket: EngineSocket,
    call: Option<Call>,
    /// Why the connection is over, until the application is told.
    farewell: Option<DisconnectReason>,
}

/// A call of the handler that has not ended.
type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<H: Handler> Conversation<H> {
    pub(super) fn new(handler: Arc<H>, socket: EngineSocket) -> Self {
        let mut conversation = Self {
            handler,
            socket,
            call: None,
            farewell: None,
        };
        let (handler, socket) = (conversation.handler.clone(), conversation.socket.clone());
        conversation.begin(async move { handler.open(&socket).await });
        conversation
    }

    fn begin(&mut self, call: impl Future<Output = ()> + Send + 'static) {
        let caught = AssertUnwindSafe(call).catch_unwind();
        self.call = Some(Box::pin(caught.map(|result| {
            if let Err(panic) = result {
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                tracing::error!(panic = text.unwrap_or("not a text"), "a handler panicked");
            }
        })));
    }
}

impl<H: Handler> Inbound for Conversation<H> {
    fn message(
        &mut self,
        message: engine::Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(), CloseCause> {
        let message = match message {
            engine::Message::Text(text) => Message::from(text),
            engine::Message::Binary(data) => Message::from(data.to_vec()),
        };
        let (handler, socket) = (self.handler.clone(), self.socket.clone());
        self.begin(async move { handler.message(&socket, message).await });
        // Most have nothing to wait for, and the next message may be here already.
        let _ = self.poll(cx);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.call.is_none()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(call) = &mut self.call {
                ready!(call.as_mut().poll(cx));
                self.call = None;
            }
            let Some(reason) = self.farewell.take() else {
                return Poll::Ready(());
            };
            let (handler, socket) = (self.handler.clone(), self.socket.clone());
            self.begin(async move { handler.close(&socket, reason).await });
        }
    }

    fn closed(&mut self, reason: DisconnectReason, _: &mut Context<'_>) {
        self.farewell = Some(reason);
    }
}
