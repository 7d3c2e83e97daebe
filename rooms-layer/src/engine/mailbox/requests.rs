//! What the requests of a session that polls do with its mailbox.

use super::{Mailbox, Outlet, Queued, State};
use crate::{
    engine::{
        Pipe,
        polling::{Polling, Rejected, Wait},
    },
    session::CloseCause,
    wire::engine_io::{Body, Form, Payload},
};
use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// What a session travels by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Polling,
    WebSocket,
}

/// Releases a GET that there is nothing for.
const NOOP: &str = "6";
/// Tells a client that its session is over, or has left the GET behind.
const CLOSE: &str = "1";

impl Mailbox {
    /// What the session travels by; `None` when it is over.
    pub(crate) fn via(&self) -> Option<Via> {
        let state = self.state();
        match &state.outlet {
            Outlet::Polling(None) => None,
            Outlet::Polling(_) if state.has_taken_leave() => None,
            Outlet::Polling(Some(polling)) if polling.is_open() => Some(Via::Polling),
            Outlet::Polling(_) | Outlet::Pipe(_) => Some(Via::WebSocket),
        }
    }

    /// Whether a session that polls is over: it has said goodbye, or there is nobody to say it to.
    pub(crate) fn has_taken_leave(&self) -> bool {
        self.state().has_taken_leave()
    }

    /// Takes out everything that is queued, as the body of a response.
    pub(crate) fn take_body(&self) -> Body {
        let mut state = self.state();
        let packets = state.take_queue();
        let ending = state.ending;
        drop(state);
        body(self.form, packets, ending)
    }

    pub(crate) fn begin_get(&self) -> Result<(), Rejected> {
        let mut state = self.state();
        let Some(polling) = state.outlet.polling() else {
            return Err(Rejected::Changed);
        };
        let begun = polling.begin_get();
        match begun {
            Ok(()) => state.blocked = false,
            Err(Rejected::Overlap) => state.fail(CloseCause::TransportFailed),
            Err(Rejected::Changed) => {}
        }
        begun
    }

    /// The body for the GET that waits: what is queued, as soon as something is.
    pub(crate) fn poll_get(&self, cx: &mut Context<'_>) -> Poll<Body> {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(polling) = state.outlet.polling() else {
            return Poll::Ready(self.form.body([], Some(farewell(state.ending))));
        };
        // What is queued when the client has changed over is for the WebSocket.
        if state.queue.is_empty() || !polling.is_open() {
            let released = match polling.wait(cx) {
                Wait::Longer => return Poll::Pending,
                Wait::Released => NOOP,
                Wait::Over => CLOSE,
            };
            polling.end_get();
            state.blocked = true;
            return Poll::Ready(self.form.body([], Some(released)));
        }
        polling.end_get();
        state.blocked = true;
        let packets = state.take_queue();
        let ending = state.ending;
        if ending.is_some() {
            state.wake();
        }
        self.relieve(state);
        drop(guard);
        Poll::Ready(body(self.form, packets, ending))
    }

    /// The client has given up its GET, which a session does not survive: what was on its way may be lost.
    pub(crate) fn abort_get(&self) {
        let mut state = self.state();
        let Some(polling) = state.outlet.polling() else {
            return;
        };
        polling.end_get();
        let is_open = polling.is_open();
        state.blocked = true;
        if is_open {
            state.fail(CloseCause::TransportFailed);
        }
    }

    pub(crate) fn begin_post(&self) -> Result<(), Rejected> {
        let mut state = self.state();
        let Some(polling) = state.outlet.polling() else {
            return Err(Rejected::Changed);
        };
        let begun = polling.begin_post();
        if begun == Err(Rejected::Overlap) {
            state.fail(CloseCause::TransportFailed);
        }
        begun
    }

    /// Leaves a whole body to the connection's task.
    pub(crate) fn hand_in(&self, body: Payload) {
        let mut state = self.state();
        if let Some(polling) = state.outlet.polling() {
            polling.hand_in(body);
            state.wake();
        }
    }

    /// Whether the packets of the POST are handed up, once they are: false if the session ended over them.
    pub(crate) fn poll_taken(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut guard = self.state();
        let state = &mut *guard;
        if let Some(polling) = state.outlet.polling() {
            let taken = polling.poll_taken(cx);
            if state.ending.is_none() || taken.is_ready() {
                ready!(taken);
                return Poll::Ready(true);
            }
        }
        Poll::Ready(!state.ending.is_some_and(CloseCause::is_clients_fault))
    }

    /// The POST is answered.
    pub(crate) fn end_post(&self) {
        if let Some(polling) = self.state().outlet.polling() {
            polling.end_post();
        }
    }

    /// The client has given up its POST, whose packets may be lost.
    pub(crate) fn abort_post(&self) {
        let mut state = self.state();
        if let Some(polling) = state.outlet.polling()
            && polling.end_post()
        {
            state.fail(CloseCause::TransportFailed);
        }
    }

    /// For the connection's task: the body that waits for it.
    pub(crate) fn take_post(&self) -> Option<Payload> {
        self.state().outlet.polling()?.take_post()
    }

    /// The connection's task has handed up what it took.
    pub(crate) fn post_taken(&self) {
        if let Some(polling) = self.state().outlet.polling() {
            polling.post_taken();
        }
    }

    /// Notes that a WebSocket wants to take over; false if another one does, or has.
    pub(crate) fn begin_change(&self) -> bool {
        let mut state = self.state();
        let is_ending = state.ending.is_some();
        let polling = state.outlet.polling().filter(|_| !is_ending);
        polling.is_some_and(Polling::begin_change)
    }

    /// The WebSocket was answered.
    pub(crate) fn probed(&self) {
        if let Some(polling) = self.state().outlet.polling() {
            polling.probed();
        }
    }

    /// Has the connection's task take over a pipe, as soon as nothing of polling is left to be taken before what the pipe
    /// brings. False if the session is over.
    pub(crate) fn poll_change(
        &self,
        cx: &mut Context<'_>,
        pipe: &Arc<dyn Pipe>,
        received: &[u8],
    ) -> Poll<bool> {
        let mut state = self.state();
        if state.ending.is_some() {
            return Poll::Ready(false);
        }
        let Some(polling) = state.outlet.polling() else {
            return Poll::Ready(false);
        };
        ready!(polling.poll_change(cx, pipe, received));
        state.wake();
        Poll::Ready(true)
    }

    /// Forgets a WebSocket that did not take over.
    pub(crate) fn end_change(&self) {
        if let Some(polling) = self.state().outlet.polling() {
            polling.end_change();
        }
    }

    /// For the connection's task: the pipe that it reads from now on, with what was read from it already. What is queued leaves
    /// over it with the next flush.
    pub(crate) fn take_change(&self) -> Option<(Arc<dyn Pipe>, Vec<u8>)> {
        let mut state = self.state();
        let polling = state.outlet.polling()?;
        let (pipe, received) = polling.take_change()?;
        polling.wake_all();
        state.outlet = Outlet::Pipe(pipe.clone());
        state.blocked = false;
        Some((pipe, received))
    }
}

impl State {
    fn has_taken_leave(&self) -> bool {
        let (Outlet::Polling(Some(polling)), Some(cause)) = (&self.outlet, self.ending) else {
            return false;
        };
        let is_waited_for = !cause.is_clients_fault() && cause != CloseCause::PeerClosed;
        self.is_abandoned() || self.queue.is_empty() || !(is_waited_for || polling.is_awaited())
    }

    fn take_queue(&mut self) -> VecDeque<Queued> {
        self.bytes = 0;
        std::mem::take(&mut self.queue)
    }
}

fn body(form: Form, packets: VecDeque<Queued>, ending: Option<CloseCause>) -> Body {
    // The close frame is the last in the queue, and has no packet in it.
    let goodbye = ending.map(|_| farewell(ending));
    form.body(packets.iter().map(|queued| &queued.packet[..]), goodbye)
}

/// A client that has said goodbye itself is only released.
fn farewell(ending: Option<CloseCause>) -> &'static str {
    match ending {
        Some(CloseCause::PeerClosed) => NOOP,
        _ => CLOSE,
    }
}
