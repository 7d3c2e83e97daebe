//! `To`: who an event goes to, as a value.

use super::{
    ack::DecodeAck,
    acks::Acks,
    capability::{Any, CanAck, CanEmit, CanQuery},
    error::Error,
    event::{EncodeArgs, Event, ServerEvent, WithAck, WithoutAck},
    namespace::{EmittedBy, Namespace},
    remote::RemoteSocket,
    room::{Admits, Direct, Everyone, Routed, name_of},
    target::{Target, names},
};
use crate::{
    rooms::{
        BackEnd, Changed, EmitError, Flags, Incomplete, Selection, Sent, SocketId,
        adapter::{Answer, Command, Question},
    },
    wire::{Data, DataWriter},
};
#[cfg(feature = "server")]
use std::collections::BTreeSet;
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// Who an event goes to: what `to(..)`, `except(..)` and `broadcast()` return.
///
/// It is a value. Kept across an await, or used twice, it means the same rooms; whoever is in them at the time of an emit is
/// reached. `Aud` is the audience that an event must be allowed to reach.
#[must_use = "nothing is sent until `.emit(..)`"]
pub struct To<N: Namespace, B, Aud> {
    back_end: Arc<dyn BackEnd>,
    selection: Selection,
    flags: Flags,
    /// `None`: what the server is configured to.
    timeout: Option<Duration>,
    kind: Kind<N, B, Aud>,
}

/// What is known at compile time only.
type Kind<N, B, Aud> = PhantomData<fn() -> (N, B, Aud)>;

impl<N: Namespace, B: CanEmit, Aud> To<N, B, Aud> {
    pub(crate) fn new(back_end: Arc<dyn BackEnd>, selection: Selection) -> Self {
        To {
            back_end,
            selection,
            flags: Flags::default(),
            timeout: None,
            kind: PhantomData,
        }
    }

    /// Adds the sockets of another room. A socket that is in both is reached once.
    pub fn to<T: Target<N>>(mut self, target: T) -> To<N, B, (T::Audience, Aud)> {
        target.collect(self.selection.rooms.get_or_insert_default());
        self.cast()
    }

    /// Leaves out the sockets in a room.
    pub fn except<T: Target<N>>(mut self, target: T) -> Self {
        target.collect(&mut self.selection.except);
        self
    }

    /// Sets how long acknowledgements, and answers of other servers, are waited for (by default as long as [`Config::ack_timeout`](crate::Config::ack_timeout) says).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Skips clients that can't take the event at once: for positions and other values that are soon replaced.
    pub fn volatile(mut self) -> Self {
        self.flags.volatile = true;
        self
    }

    /// Keeps the event on this server.
    pub fn local(mut self) -> Self
    where
        B: CanQuery,
    {
        self.flags.local = true;
        self
    }

    /// Emits an event. It is encoded and queued before this returns: there is nothing to await.
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded or the server is closed; nothing was sent then.
    pub fn emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
        Aud: Admits<E::This>,
    {
        self.send(&event)
    }

    /// [`emit`](To::emit) without giving the event away.
    ///
    /// # Errors
    ///
    /// See [`emit`](To::emit).
    pub fn emit_ref<E>(&self, event: &E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
        Aud: Admits<E::This>,
    {
        self.send(event)
    }

    /// Emits an event now, and yields an item for each socket that was addressed: what it answered, or why it did not.
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded or the server is closed; nothing was sent then.
    pub fn emit_with_ack<E>(&self, event: E) -> Result<Acks<E::Ack>, Error>
    where
        B: CanAck,
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithAck + EncodeArgs,
        Aud: Admits<E::This>,
        E::Ack: DecodeAck,
    {
        let data = encode(&event)?;
        let replies =
            self.back_end
                .emit_with_ack(&self.selection, self.flags, data, self.timeout)?;
        Ok(Acks::new(replies))
    }

    /// The addressed sockets of this server.
    pub async fn sockets(&self) -> Vec<SocketId>
    where
        B: CanQuery,
    {
        self.back_end.sockets(&self.selection)
    }

    /// How many sockets of this server are addressed.
    pub async fn count(&self) -> usize
    where
        B: CanQuery,
    {
        self.back_end.count(&self.selection)
    }

    /// The addressed sockets, of every server of the cluster: who they are and what they carry, at the moment of asking.
    ///
    /// Other servers are waited for as long as [`timeout`](To::timeout) says; with [`local`](To::local) nobody is asked.
    ///
    /// # Errors
    ///
    /// Fails when a server did not answer in time. The error has what the others said.
    ///
    /// # Cancel safety
    ///
    /// Dropping it withdraws the question.
    pub async fn fetch_sockets(
        &self,
    ) -> Result<Vec<RemoteSocket<N>>, Incomplete<Vec<RemoteSocket<N>>>>
    where
        B: CanQuery,
    {
        let (flags, timeout) = (self.flags, self.timeout);
        let gathered = self
            .back_end
            .gather(&self.selection, flags, Question::Sockets, timeout)
            .await;
        let found = gathered.answers.into_iter().filter_map(|answer| {
            let Answer::Found(info) = answer else {
                return None;
            };
            let itself = Selection::of([info.id.as_str()]);
            let to = To::<N, Any, Direct>::new(self.back_end.clone(), itself);
            Some(RemoteSocket::new(info, to))
        });
        Incomplete::check(found.collect(), gathered.missing)
    }

    /// How many sockets are addressed, on every server of the cluster.
    ///
    /// # Errors
    ///
    /// Fails when a server did not answer in time. The error has the number of the others.
    pub async fn cluster_count(&self) -> Result<usize, Incomplete<usize>>
    where
        B: CanQuery,
    {
        let (flags, timeout) = (self.flags, self.timeout);
        let gathered = self
            .back_end
            .gather(&self.selection, flags, Question::Count, timeout)
            .await;
        let counts = gathered.answers.iter().map(|answer| match answer {
            Answer::Counted(count) => *count,
            _ => 0,
        });
        Incomplete::check(counts.sum(), gathered.missing)
    }

    /// The names of the rooms that have a member, on every server of the cluster, each once.
    #[cfg(feature = "server")]
    pub(crate) async fn cluster_rooms(&self) -> Result<Vec<String>, Incomplete<Vec<String>>> {
        let (flags, timeout) = (self.flags, self.timeout);
        let gathered = self
            .back_end
            .gather(&self.selection, flags, Question::Rooms, timeout)
            .await;
        let names = gathered
            .answers
            .into_iter()
            .flat_map(|answer| match answer {
                Answer::Named(names) => names,
                _ => Vec::new(),
            });
        let names: BTreeSet<_> = names.collect();
        Incomplete::check(names.into_iter().collect(), gathered.missing)
    }

    /// Makes the addressed sockets join a room.
    pub fn join<T: Target<N>>(&self, target: T) -> Changed {
        self.command(Command::Join(names(target)))
    }

    /// Makes the addressed sockets leave a room.
    pub fn leave<T: Target<N>>(&self, target: T) -> Changed {
        self.command(Command::Leave(names(target)))
    }

    /// Disconnects the addressed sockets from the namespace.
    pub fn disconnect_sockets(&self) -> Changed {
        self.command(Command::Disconnect { close: false })
    }

    /// From everyone to the sockets in a room.
    pub(crate) fn narrow<T: Target<N>>(mut self, target: T) -> To<N, B, T::Audience> {
        self.selection.rooms = Some(names(target));
        self.cast()
    }

    /// From everyone to the sockets in the room that an event names.
    pub(crate) fn routed<E: Routed>(mut self, event: &E) -> To<N, B, Everyone> {
        self.selection.rooms = Some(vec![name_of(&event.route()).into_boxed_str()]);
        self.cast()
    }

    /// Emits an event whose right to reach these rooms was checked by the caller's bounds.
    pub(crate) fn send<E>(&self, event: &E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: EncodeArgs,
    {
        let data = encode(event)?;
        Ok(self.back_end.emit(&self.selection, self.flags, data)?)
    }

    pub(crate) fn command(&self, command: Command) -> Changed {
        self.back_end.command(&self.selection, command)
    }

    fn cast<Other>(self) -> To<N, B, Other> {
        To {
            back_end: self.back_end,
            selection: self.selection,
            flags: self.flags,
            timeout: self.timeout,
            kind: PhantomData,
        }
    }
}

/// The event as it travels, ready to be framed once for all who get it.
pub(crate) fn encode<E>(event: &E) -> Result<Data, EmitError>
where
    E: Event,
    E::This: EncodeArgs,
{
    let mut out = DataWriter::event(E::NAME);
    event.this().encode(&mut out)?;
    Ok(out.finish())
}

impl<N: Namespace, B, Aud> Clone for To<N, B, Aud> {
    fn clone(&self) -> Self {
        To {
            back_end: self.back_end.clone(),
            selection: self.selection.clone(),
            flags: self.flags,
            timeout: self.timeout,
            kind: PhantomData,
        }
    }
}
impl<N: Namespace, B, Aud> fmt::Debug for To<N, B, Aud> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("To")
            .field("namespace", &self.back_end.path())
            .field("rooms", &self.selection.rooms)
            .field("except", &self.selection.except)
            .finish_non_exhaustive()
    }
}
