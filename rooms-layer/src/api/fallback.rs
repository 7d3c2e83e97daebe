//! Events without their types.

use crate::{
    namespace::Event,
    wire::{Args, DecodeError, Value},
};
use serde::Deserialize;
use std::fmt;

/// An event that no handler claims, as it came off the wire: what [`fallback`](crate::Serve::fallback) gets.
pub struct AnyEvent {
    event: Event,
}

impl AnyEvent {
    pub(crate) fn new(event: Event) -> Self {
        AnyEvent { event }
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        self.event.name()
    }

    /// How many arguments it has.
    pub fn len(&self) -> usize {
        self.event.args().len()
    }

    /// Whether it has no argument.
    pub fn is_empty(&self) -> bool {
        self.event.args().len() == 0
    }

    /// Reads one argument.
    ///
    /// # Errors
    ///
    /// Fails when there is no such argument, or when it has another form than `T`.
    pub fn get<'de, T: Deserialize<'de>>(&'de self, index: usize) -> Result<T, DecodeError> {
        self.event.args().get(index)
    }

    /// All arguments, as values.
    ///
    /// # Errors
    ///
    /// Fails when an argument is not valid JSON.
    pub fn values(&self) -> Result<Vec<Value>, DecodeError> {
        self.event.args().values()
    }
}

impl fmt::Debug for AnyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyEvent")
            .field("name", &self.name())
            .field("args", &self.event.args().len())
            .finish()
    }
}

macro_rules! watched {
    ($($(#[$doc:meta])* $event:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $event<'a> {
            name: &'a str,
            args: &'a Args,
        }

        impl<'a> $event<'a> {
            pub(crate) fn new(name: &'a str, args: &'a Args) -> Self {
                $event { name, args }
            }

            /// The event's name.
            pub fn name(&self) -> &'a str {
                self.name
            }

            /// How many arguments it has.
            pub fn len(&self) -> usize {
                self.args.len()
            }

            /// Whether it has no argument.
            pub fn is_empty(&self) -> bool {
                self.args.is_empty()
            }

            /// Reads one argument.
            ///
            /// # Errors
            ///
            /// Fails when there is no such argument, or when it has another form than `T`.
            pub fn get<T: Deserialize<'a>>(&self, index: usize) -> Result<T, DecodeError> {
                self.args.get(index)
            }
        }

        impl fmt::Debug for $event<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($event))
                    .field("name", &self.name)
                    .field("args", &self.args.len())
                    .finish()
            }
        }
    )*};
}
watched! {
    /// Any incoming event, before its handler runs: what [`on_any`](crate::Serve::on_any) looks at.
    Incoming;
    /// Any event on its way to a socket: what [`on_any_outgoing`](crate::Serve::on_any_outgoing) looks at.
    Outgoing;
}
