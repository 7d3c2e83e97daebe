//! What each macro prints, and what it complains about.

mod errors;
mod expansion;

use proc_macro2::TokenStream;

/// Applies the macro that the item asks for: its derives, or `#[handler(..)]`.
fn apply(item: &str) -> TokenStream {
    let tokens: TokenStream = item.parse().expect("the case is made of tokens");
    let (attributes, _) = item
        .split_once(']')
        .expect("the case begins with its macro");
    match attributes.trim_start_matches("#[") {
        "derive(Event)" => crate::event::derive(without_first(tokens)),
        "derive(Room)" => crate::room::derive(without_first(tokens)),
        "derive(RoomKey)" => crate::key::derive(without_first(tokens)),
        "derive(Namespace)" => crate::namespace::derive(without_first(tokens)),
        handler => {
            let target = handler
                .trim_start_matches("handler")
                .trim_matches(['(', ')']);
            let target = target.parse().expect("the attribute is made of tokens");
            crate::handler::attribute(target, without_first(tokens))
        }
    }
}

/// The item without the attribute that asks for the macro, as the compiler hands it over.
fn without_first(item: TokenStream) -> TokenStream {
    item.into_iter().skip(2).collect()
}
