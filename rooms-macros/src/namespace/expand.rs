//! What `#[derive(Namespace)]` prints.

use super::model::{Contract, Lists, Namespace};
use crate::types;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

pub(crate) fn namespace(namespace: &Namespace<'_>) -> TokenStream {
    match &namespace.contract {
        Contract::Elsewhere(contract) => forwarding(namespace, contract),
        Contract::Here(lists) if lists.open => open(namespace, lists),
        Contract::Here(lists) => closed(namespace, lists),
    }
}

/// A server whose contract is another type.
fn forwarding(namespace: &Namespace<'_>, contract: &Type) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let the_contract = quote!(<#contract as #krate::Namespace>);
    let identity = identity(
        namespace,
        quote!(#the_contract::PATH),
        quote!(#the_contract::Auth),
        quote!(#contract),
        quote!(#the_contract::Unhandled),
    );
    quote! {
        #identity
        #[automatically_derived]
        impl<__E> #krate::Emits<__E> for #name where #contract: #krate::Emits<__E> {}
        #[automatically_derived]
        impl<__E> #krate::Accepts<__E> for #name where #contract: #krate::Accepts<__E> {
            type Slot = <#contract as #krate::Accepts<__E>>::Slot;
        }
        #[automatically_derived]
        impl<__R> #krate::HasRooms<__R> for #name where #contract: #krate::HasRooms<__R> {}
        #[automatically_derived]
        impl<__L> #krate::Complete<__L> for #name where #contract: #krate::Complete<__L> {}
    }
}

/// Any event, any room.
fn open(namespace: &Namespace<'_>, lists: &Lists) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let identity = own_identity(namespace, lists, quote!(#krate::Open));
    quote! {
        #identity
        #[automatically_derived]
        impl<__E> #krate::Emits<__E> for #name {}
        #[automatically_derived]
        impl<__E: #krate::ClientEvent> #krate::Accepts<__E> for #name { type Slot = (); }
        #[automatically_derived]
        impl<__R: #krate::RoomSet> #krate::HasRooms<__R> for #name {}
        #[automatically_derived]
        impl<__L> #krate::Complete<__L> for #name {}
    }
}

/// What is listed, and nothing else; every client event needs a handler.
fn closed(namespace: &Namespace<'_>, lists: &Lists) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let identity = own_identity(namespace, lists, quote!(#krate::Vacant));
    let emits = lists.server.iter().map(|event| {
        let (named, lifetimes) = types::with_named(event);
        let direction = direction(event, quote!(#krate::is_server_event));
        quote_spanned! {event.span()=>
            #[automatically_derived]
            impl<#(#lifetimes),*> #krate::Emits<#named> for #name {}
            #direction
        }
    });
    let slots: Vec<_> = slots(lists.client.len())
        .map(|path| slot(namespace, &path))
        .collect();
    let accepts = lists.client.iter().zip(&slots).map(|(event, slot)| {
        let (named, lifetimes) = types::with_named(event);
        let direction = direction(event, quote!(#krate::is_client_event));
        quote_spanned! {event.span()=>
            #[automatically_derived]
            impl<#(#lifetimes),*> #krate::Accepts<#named> for #name { type Slot = #slot; }
            #direction
        }
    });
    let rooms = lists.rooms.iter().map(|set| {
        quote_spanned! {set.span()=>
            #[automatically_derived]
            impl #krate::HasRooms<#set> for #name {}
        }
    });
    let client: Vec<_> = lists.client.iter().map(types::with_static).collect();
    let server: Vec<_> = lists.server.iter().map(types::with_static).collect();
    let description = super::export::description(namespace, lists);
    quote! {
        #identity
        #(#emits)*
        #(#accepts)*
        #(#rooms)*
        #[automatically_derived]
        impl<__L> #krate::Complete<__L> for #name
        where
            #(__L: #krate::Handled<#client, #slots>,)*
        {}
        const _: () = #krate::assert_unique([#(<#server as #krate::Event>::NAME),*]);
        const _: () = #krate::assert_unique([#(<#client as #krate::Event>::NAME),*]);
        #description
    }
}

fn own_identity(namespace: &Namespace<'_>, lists: &Lists, unhandled: TokenStream) -> TokenStream {
    let (krate, path) = (&namespace.krate, &lists.path);
    let auth = match &lists.auth {
        Some(auth) => quote!(#auth),
        None => quote!(#krate::NoAuth),
    };
    identity(namespace, quote!(#path), auth, quote!(Self), unhandled)
}

fn identity(
    namespace: &Namespace<'_>,
    path: TokenStream,
    auth: TokenStream,
    contract: TokenStream,
    unhandled: TokenStream,
) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let or_unit = |ty: &Option<Type>| ty.as_ref().map_or(quote!(()), |ty| quote!(#ty));
    let (data, state) = (or_unit(&namespace.data), or_unit(&namespace.state));
    quote! {
        #[automatically_derived]
        impl #krate::Namespace for #name {
            const PATH: &'static str = #path;
            type Auth = #auth;
            type Data = #data;
            type State = #state;
            type Contract = #contract;
            type Unhandled = #unhandled;
        }
    }
}

/// Checks that an event of a list travels in the list's direction.
fn direction(event: &Type, check: TokenStream) -> TokenStream {
    let event_for_all = types::with_static(event);
    quote_spanned!(event.span()=> const _: fn() = #check::<#event_for_all>;)
}

/// The paths of `count` slots through a tree as flat as it can be: `true` is the second branch.
fn slots(count: usize) -> impl Iterator<Item = Vec<bool>> {
    let depth = count.next_power_of_two().ilog2();
    (0..count).map(move |i| (0..depth).rev().map(|bit| i >> bit & 1 == 1).collect())
}

fn slot(namespace: &Namespace<'_>, path: &[bool]) -> TokenStream {
    let krate = &namespace.krate;
    path.iter()
        .rev()
        .fold(quote!(#krate::Here), |rest, second| match second {
            true => quote!(#krate::Second<#rest>),
            false => quote!(#krate::First<#rest>),
        })
}
