//! Events: what one is, which way it travels, how it becomes arguments and back.

use super::{ack::AckShape, error::Rejection};
use crate::wire::{Args, DataWriter, EncodeError};
use serde::{Deserialize, Serialize, de::value::UnitDeserializer};
use std::marker::PhantomData;

/// A named message with a fixed list of arguments. [Derive](derive@crate::Event) it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Socket.IO event",
    label = "not an event",
    note = "add `#[derive(rooms_layer::Event)]` to the type; of a reference, pass the event itself or call `emit_ref`"
)]
pub trait Event: Sized {
    /// The name on the wire.
    const NAME: &'static str;
    /// How many arguments the event has: none, one, or as many as a tuple struct has fields.
    const ARITY: usize = 1;
    /// The doc comment of the type.
    const DOC: &'static str = "";
    /// [`NoAck`](crate::NoAck), [`Reply<T>`](crate::Reply) or [`Fallible<T, E>`](crate::Fallible).
    type Ack: AckShape;
    /// The event itself. Whatever else is asked of an event is asked of this, so that rustc does not go on about a type that
    /// is no event at all.
    #[doc(hidden)]
    type This: Is<Self>;
    /// What may be done with it.
    #[doc(hidden)]
    type Use;
    /// The event itself.
    #[doc(hidden)]
    fn this(&self) -> &Self::This {
        Self::This::is(self)
    }
}

/// `Self` is `T`.
#[doc(hidden)]
pub trait Is<T> {
    fn is(value: &T) -> &Self;
}
impl<T> Is<T> for T {
    fn is(value: &T) -> &T {
        value
    }
}

/// An event whose one argument is the value itself.
#[doc(hidden)]
pub trait Whole {}

/// What may be done with an event: [`Yes`] or [`No`] for each. A type that says all of it costs the compiler less than a trait
/// for each.
#[doc(hidden)]
#[derive(Debug)]
pub struct Use<Handle, Emit, AwaitAck, Forget, Broadcast, Keep, Tell>(
    PhantomData<(Handle, Emit, AwaitAck, Forget, Broadcast, Keep, Tell)>,
);
#[doc(hidden)]
#[derive(Debug)]
pub enum Yes {}
#[doc(hidden)]
#[derive(Debug)]
pub enum No {}

// The traits below leave `Event` out of their supertraits: rustc hides an error that another one implies, and that a type is
// no event must be said first.

/// An event that servers emit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be emitted to clients: it is not declared as a server event",
    label = "this event does not travel from the server to the client",
    note = "remove `client` from `#[event(..)]`, or write `#[event(client, server)]` if it travels both ways"
)]
pub trait ServerEvent {}

/// An event that clients emit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be handled: it is not a client event",
    label = "clients never send this event",
    note = "the last parameter of a handler is the event; mark it `#[derive(Event)] #[event(client)]`"
)]
pub trait ClientEvent {}

/// An event that servers send each other: `#[event(cluster)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not travel between servers",
    label = "not a cluster event",
    note = "write `#[event(cluster)]` on `{Self}`; to reach clients, `emit` it"
)]
pub trait ClusterEvent {}

/// An event that nobody acknowledges: `emit` sends it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` expects an acknowledgement, `emit` would leave the client's callback undefined",
    label = "has `#[event(ack = ..)]`",
    note = "use `emit_with_ack({Self} {{ .. }})`"
)]
pub trait WithoutAck {}

/// An event that is acknowledged: `emit_with_ack` sends it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no acknowledgement to wait for",
    label = "declares no ack",
    note = "add `#[event(ack = T)]` to `{Self}`, or call `emit`"
)]
pub trait WithAck {}

/// An event that may go to everyone in a namespace: `#[event(broadcast)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not be sent to everyone in a namespace",
    label = "not a broadcast event",
    note = "name the room: `io.to(Room::..).emit(..)`",
    note = "or allow it with `#[event(broadcast)]` on `{Self}`"
)]
pub trait Broadcastable {}

/// Implements a trait for the events whose `Use` has a `Yes` in one place.
macro_rules! uses {
    ($($allowed:ident => $event:ident $(($($besides:tt)+))?: [$($before:ident)*] [$($after:ident)*];)*) => {$(
        #[doc(hidden)]
        pub trait $allowed {}
        impl<$($before,)* $($after,)*> $allowed for Use<$($before,)* Yes, $($after,)*> {}
        #[diagnostic::do_not_recommend]
        impl<This: Event<Use: $allowed> $(+ $($besides)+)?> $event for This {}
    )*};
}
uses! {
    MayHandle => ClientEvent: [] [B C D E F G];
    MayEmit => ServerEvent: [A] [C D E F G];
    MayAwaitAck => WithAck: [A B] [D E F G];
    MayForget => WithoutAck: [A B C] [E F G];
    MayBroadcast => Broadcastable: [A B C D] [F G];
    MayKeep => DecodeOwned (for<'de> DecodeArgs<'de>): [A B C D E] [G];
    MayTell => ClusterEvent: [A B C D E F] [];
}

/// Turns an event into the arguments of its packet.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be sent: it can't be serialized",
    label = "not serializable",
    note = "add `#[derive(serde::Serialize)]` to `{Self}`"
)]
pub trait EncodeArgs {
    /// Pushes each argument.
    ///
    /// # Errors
    ///
    /// Fails when the `Serialize` implementation of an argument fails.
    fn encode(&self, out: &mut DataWriter) -> Result<(), EncodeError>;
}
#[diagnostic::do_not_recommend]
impl<E: Whole + Serialize> EncodeArgs for E {
    fn encode(&self, out: &mut DataWriter) -> Result<(), EncodeError> {
        out.push(self)
    }
}

/// Reads an event from the arguments of its packet, borrowing from them where it can.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be received: it can't be deserialized",
    label = "not deserializable",
    note = "add `#[derive(serde::Deserialize)]` to `{Self}`"
)]
pub trait DecodeArgs<'de>: Sized {
    /// Reads the arguments. Surplus ones are ignored, missing ones read as `null`.
    ///
    /// # Errors
    ///
    /// Fails with [`Rejection::BadPayload`] when an argument has another form than the event declares.
    fn decode(args: &'de Args) -> Result<Self, Rejection>;
}
#[diagnostic::do_not_recommend]
impl<'de, E: Whole + Deserialize<'de>> DecodeArgs<'de> for E {
    fn decode(args: &'de Args) -> Result<Self, Rejection> {
        argument(args, 0)
    }
}

/// An event that borrows nothing from its packet, and so can be handed to a closure.
pub trait DecodeOwned: for<'de> DecodeArgs<'de> {}

/// Reads argument `index`; one that the client left out reads as `null`, as it would in JavaScript.
#[doc(hidden)]
pub fn argument<'de, T: Deserialize<'de>>(args: &'de Args, index: usize) -> Result<T, Rejection> {
    let read = if index < args.len() {
        args.get(index).map_err(|error| error.reason())
    } else {
        T::deserialize(UnitDeserializer::<serde::de::value::Error>::new())
            .map_err(|_| "is missing".to_owned())
    };
    read.map_err(|message| Rejection::BadPayload {
        argument: index,
        message,
    })
}

/// Writes one argument.
#[doc(hidden)]
pub fn push<T: Serialize + ?Sized>(out: &mut DataWriter, value: &T) -> Result<(), EncodeError> {
    out.push(value)
}

/// Checks that an event of the server's list travels that way.
#[doc(hidden)]
pub fn is_server_event<E: ServerEvent>() {}

/// Checks that an event of the client's list travels that way.
#[doc(hidden)]
pub fn is_client_event<E: ClientEvent>() {}

/// Stops the build when two events of one direction of a contract have the same name.
#[doc(hidden)]
pub const fn assert_unique<const N: usize>(names: [&str; N]) {
    // An interpreter does this in every build, so not every pair is looked at: only names with the same end of their hashes
    // are, which are kept in chains.
    const CHAINS: usize = 512;
    const END: usize = usize::MAX;
    let (mut hashes, mut next, mut last) = ([0; N], [END; N], [END; CHAINS]);
    let mut i = 0;
    while i < N {
        hashes[i] = hash(names[i]);
        let chain = hashes[i] as usize % CHAINS;
        let mut other = last[chain];
        while other != END {
            assert!(
                hashes[i] != hashes[other] || !same(names[i], names[other]),
                "two events of this namespace share one wire name"
            );
            other = next[other];
        }
        next[i] = last[chain];
        last[chain] = i;
        i += 1;
    }
}

/// FNV-1a, for want of anything in the standard library that const functions can call.
const fn hash(name: &str) -> u64 {
    let name = name.as_bytes();
    let (mut hash, mut i) = (0xcbf2_9ce4_8422_2325, 0);
    while i < name.len() {
        hash = (hash ^ name[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

/// `==` on strings, which const functions can't call yet.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
