//! What `#[derive(Namespace)]` prints.

use super::{
    model::{Contract, Lists, Namespace},
    path::Values,
};
use crate::types;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Type, spanned::Spanned};

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
        Some(quote!(#the_contract::paths())),
    );
    quote! {
        #identity
        #[automatically_derived]
        impl<__E> #krate::Emits<__E> for #name where #contract: #krate::Emits<__E> {}
        #[automatically_derived]
        impl<__R> #krate::HasRooms<__R> for #name where #contract: #krate::HasRooms<__R> {}
        #[automatically_derived]
        impl<__L> #krate::Complete<__L> for #name where #contract: #krate::Complete<__L> {}
    }
}

/// Any event, any room.
fn open(namespace: &Namespace<'_>, lists: &Lists<'_>) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let identity = own_identity(namespace, lists, quote!(#krate::Open));
    quote! {
        #identity
        #[automatically_derived]
        impl<__E> #krate::Emits<__E> for #name {}
        #[automatically_derived]
        impl #krate::OpenContract for #name {}
        #[automatically_derived]
        impl<__R: #krate::RoomSet> #krate::HasRooms<__R> for #name {}
        #[automatically_derived]
        impl<__L> #krate::Complete<__L> for #name {}
    }
}

/// What is listed, and nothing else; every client event needs a handler.
fn closed(namespace: &Namespace<'_>, lists: &Lists<'_>) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let identity = own_identity(namespace, lists, quote!(#krate::Vacant));
    let emits = lists.server.iter().map(|event| {
        let (named, lifetimes) = types::with_named(event);
        quote_spanned! {event.span()=>
            #[automatically_derived]
            impl<#(#lifetimes),*> #krate::Emits<#named> for #name {}
        }
    });
    let slots: Vec<_> = slots(lists.client.len()).map(|path| slot(&path)).collect();
    let accepts = lists.client.iter().zip(&slots).map(|(event, slot)| {
        let (named, lifetimes) = types::with_named(event);
        quote_spanned! {event.span()=>
            #[automatically_derived]
            impl<#(#lifetimes),*> #krate::AcceptedBy<#name> for #named { type Slot = #slot; }
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
    let directions = directions(&server, quote!(#krate::is_server_event))
        .chain(directions(&client, quote!(#krate::is_client_event)));
    let description = super::export::description(namespace, lists);
    quote! {
        #identity
        #(#emits)*
        #(#rooms)*
        const _: () = {
            // A contract of many events mentions these thousands of times, and a path is read in all its parts each time.
            use #krate::{First as __F, Here as __H, Second as __S};
            #(#accepts)*
            #[automatically_derived]
            impl<__L> #krate::Complete<__L> for #name
            where
                #(__L: #krate::Handled<#client, #slots>,)*
            {}
        };
        const _: fn() = || { #(#directions)* };
        const _: () = #krate::assert_unique([#(<#server as #krate::Event>::NAME),*]);
        const _: () = #krate::assert_unique([#(<#client as #krate::Event>::NAME),*]);
        #description
    }
}

fn own_identity(
    namespace: &Namespace<'_>,
    lists: &Lists<'_>,
    unhandled: TokenStream,
) -> TokenStream {
    let (krate, path) = (&namespace.krate, &lists.path);
    let auth = match &lists.auth {
        Some(auth) => quote!(#auth),
        None => quote!(#krate::NoAuth),
    };
    let (paths, of_the_path) = match &lists.values {
        Some(values) => (
            Some(quote!(::core::option::Option::Some(#krate::Paths::of::<Self>()))),
            dynamic(namespace, values),
        ),
        None => {
            let name = &namespace.item.ident;
            (
                None,
                quote!(#[automatically_derived] impl #krate::StaticNamespace for #name {}),
            )
        }
    };
    let identity = identity(
        namespace,
        quote!(#path),
        auth,
        quote!(Self),
        unhandled,
        paths,
    );
    quote!(#identity #of_the_path)
}

fn identity(
    namespace: &Namespace<'_>,
    path: TokenStream,
    auth: TokenStream,
    contract: TokenStream,
    unhandled: TokenStream,
    paths: Option<TokenStream>,
) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let or_unit = |ty: &Option<Type>| ty.as_ref().map_or(quote!(()), |ty| quote!(#ty));
    let (data, state) = (or_unit(&namespace.data), or_unit(&namespace.state));
    let paths =
        paths.map(|paths| quote!(fn paths() -> ::core::option::Option<#krate::Paths> { #paths }));
    quote! {
        #[automatically_derived]
        impl #krate::Namespace for #name {
            const PATH: &'static str = #path;
            type Auth = #auth;
            type Data = #data;
            type State = #state;
            type Contract = #contract;
            type Unhandled = #unhandled;
            fn describe(__data: &Self::Data) -> ::core::option::Option<::std::string::String> {
                #[allow(unused_imports)]
                use #krate::{AsJson as _, NoJson as _};
                (&#krate::Data(__data)).json()
            }
            #paths
        }
    }
}

/// Writes and reads the values of a path. With a mistake in the path the reading is a stub, so that nothing else fails.
fn dynamic(namespace: &Namespace<'_>, values: &Values<'_>) -> TokenStream {
    let (krate, name, literals) = (&namespace.krate, &namespace.item.ident, &values.literals);
    let first = &literals[0];
    let each = || values.fields.iter().zip(&literals[1..]);
    let writes = each().map(|((field, ty), next)| {
        let write = quote_spanned!(ty.span()=> <#ty as #krate::RoomKey>::write);
        quote! {
            __path.value(#next, |__value| #write(&self.#field, __value));
            __path.literal(#next);
        }
    });
    // A name of its own: the field's may be that of a constant.
    let local = |field: &Ident| format_ident!("__{field}");
    let reads = each().map(|((field, ty), next)| {
        let local = local(field);
        quote! {
            let #local = <#ty as #krate::RoomKey>::parse(&__path.value(#next)?)?;
            __path.literal(#next)?;
        }
    });
    let fields = values.fields.iter().map(|(field, _)| {
        let local = local(field);
        quote!(#field: #local)
    });
    let parse = match values.valid {
        true => quote! {
            let mut __path = #krate::PathReader::new(__path);
            __path.literal(#first)?;
            #(#reads)*
            __path.end()?;
            ::core::option::Option::Some(Self { #(#fields),* })
        },
        false => quote! {
            let _ = __path;
            ::core::option::Option::None
        },
    };
    quote! {
        #[automatically_derived]
        impl #krate::DynamicNamespace for #name {
            const LITERALS: &'static [&'static str] = &[#(#literals),*];
            fn path(&self) -> ::std::string::String {
                let mut __path = #krate::PathWriter::new(#first);
                #(#writes)*
                __path.end()
            }
            fn parse(__path: &str) -> ::core::option::Option<Self> {
                #parse
            }
        }
    }
}

/// Checks that the events of a list travel in the list's direction: in one body for all, which compiles faster than many.
fn directions(events: &[Type], check: TokenStream) -> impl Iterator<Item = TokenStream> {
    events
        .iter()
        .map(move |event| quote_spanned!(event.span()=> #check::<#event>();))
}

/// The paths of `count` slots through a tree as flat as it can be: `true` is the second branch.
fn slots(count: usize) -> impl Iterator<Item = Vec<bool>> {
    let depth = count.next_power_of_two().ilog2();
    (0..count).map(move |i| (0..depth).rev().map(|bit| i >> bit & 1 == 1).collect())
}

fn slot(path: &[bool]) -> TokenStream {
    path.iter()
        .rev()
        .fold(quote!(__H), |rest, second| match second {
            true => quote!(__S<#rest>),
            false => quote!(__F<#rest>),
        })
}
