//! Derives and attributes of `rooms-layer`, which re-exports and documents them.
//!
//! Only doors here: each macro parses what the user wrote into a model, collects everything that is wrong with it, and prints
//! code that calls into the library. Everything below works on `proc_macro2`, so that it can be unit-tested.
#![allow(
    missing_docs,
    reason = "the macros are documented where rooms-layer re-exports them, so that their examples run"
)]

use proc_macro::TokenStream;

mod attr;
mod diag;
mod event;
mod handler;
mod key;
mod krate;
mod names;
mod namespace;
mod room;
#[cfg(test)]
mod tests;
mod types;

#[proc_macro_derive(Event, attributes(event))]
pub fn event(item: TokenStream) -> TokenStream {
    event::derive(item.into()).into()
}

#[proc_macro_derive(Room, attributes(room))]
pub fn room(item: TokenStream) -> TokenStream {
    room::derive(item.into()).into()
}

#[proc_macro_derive(RoomKey, attributes(room_key))]
pub fn room_key(item: TokenStream) -> TokenStream {
    key::derive(item.into()).into()
}

#[proc_macro_derive(Namespace, attributes(namespace))]
pub fn namespace(item: TokenStream) -> TokenStream {
    namespace::derive(item.into()).into()
}

#[proc_macro_attribute]
pub fn handler(attribute: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute(attribute.into(), item.into()).into()
}
