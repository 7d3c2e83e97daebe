//! What `#[derive(Room)]` prints.

use super::model::{Kind, RoomSet};
use crate::{event::kind_constant, names};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Visibility, parse_quote, spanned::Spanned};

pub(crate) fn room_set(set: &RoomSet<'_>) -> TokenStream {
    let mut tokens = markers(set);
    tokens.extend(constructors(set));
    tokens.extend(names_of_rooms(set));
    tokens.extend(target(set));
    tokens
}

/// The module with one type per kind: `room::Project`.
fn markers(set: &RoomSet<'_>) -> TokenStream {
    let (krate, name, vis) = (&set.krate, &set.item.ident, &set.item.vis);
    let inner = one_module_deeper(vis);
    let module = module(set);
    let markers = set.kinds.iter().map(|kind| {
        let variant = &kind.variant.ident;
        let doc = format!("Rooms of kind `{name}::{variant}`.");
        quote!(#[doc = #doc] #[derive(::core::fmt::Debug)] #inner enum #variant {})
    });
    let kinds = set.kinds.iter().enumerate().map(|(i, kind)| {
        let (variant, prefix) = (&kind.variant.ident, &kind.name);
        quote! {
            #[automatically_derived]
            impl #krate::RoomKind for #module::#variant {
                type Set = #name;
                type Index = #krate::At<#i>;
                const NAME: &'static str = #prefix;
            }
        }
    });
    let doc = format!("The kinds of rooms of `{name}`, as types.");
    quote! {
        #[doc = #doc]
        #[allow(dead_code, non_camel_case_types, unreachable_pub)]
        #vis mod #module { #(#markers)* }
        #(#kinds)*
    }
}

/// `Room::project(id)`, and the position of each variant for `#[derive(Event)]`.
fn constructors(set: &RoomSet<'_>) -> TokenStream {
    let (krate, name, vis) = (&set.krate, &set.item.ident, &set.item.vis);
    let module = module(set);
    let constructors = set.kinds.iter().enumerate().map(|(i, kind)| {
        let variant = &kind.variant.ident;
        let (constant, fields) = (kind_constant(variant), kind.fields());
        let constructor = names::ident(&names::snake(variant), variant.span());
        let keys: Vec<_> = kind.keys.iter().map(|key| &key.name).collect();
        let types = kind.keys.iter().map(|key| {
            let ty = key.ty;
            match key.is_string() {
                true => quote_spanned!(ty.span()=> impl ::core::convert::Into<#ty>),
                false => quote!(#ty),
            }
        });
        let strings = kind.keys.iter().filter(|key| key.is_string());
        let strings = strings.map(|key| &key.name);
        let doc = room_doc(kind);
        quote_spanned! {variant.span()=>
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            #vis const #constant: usize = #i;

            #[doc = #doc]
            #[allow(dead_code)]
            #vis fn #constructor(#(#keys: #types),*) -> #krate::In<#name, #module::#variant> {
                #(let #strings = ::core::convert::Into::into(#strings);)*
                #krate::In::new(#name::#variant #fields)
            }
        }
    });
    quote!(#[automatically_derived] #[allow(unreachable_pub)] impl #name { #(#constructors)* })
}

/// The names of rooms, written and read. The prefix holds no colon, every key but the last is escaped, and so no two rooms
/// share a name.
fn names_of_rooms(set: &RoomSet<'_>) -> TokenStream {
    let (krate, name, module) = (&set.krate, &set.item.ident, module(set));
    let writes = set.kinds.iter().map(|kind| {
        let (variant, fields, prefix) = (&kind.variant.ident, kind.fields(), &kind.name);
        let keys = kind.keys.iter().enumerate().map(|(i, key)| {
            let (key, ty) = (&key.name, key.ty);
            let write = if i + 1 == kind.keys.len() {
                quote_spanned!(ty.span()=> <#ty as #krate::RoomKey>::write)
            } else {
                quote_spanned!(ty.span()=> #krate::write_escaped::<#ty>)
            };
            quote!(__out.push(':'); #write(#key, __out);)
        });
        quote!(#name::#variant #fields => { __out.push_str(#prefix); #(#keys)* })
    });
    let parses = set.kinds.iter().map(parse_kind(set));
    let any_kind = set
        .kinds
        .iter()
        .enumerate()
        .rev()
        .fold(quote!(()), |rest, (i, kind)| {
            let variant = &kind.variant.ident;
            quote!((#krate::One<#name, #krate::At<#i>, #module::#variant>, #rest))
        });
    quote! {
        #[automatically_derived]
        impl #krate::RoomSet for #name {
            type AnyKind = #any_kind;
            fn write(&self, __out: &mut ::std::string::String) {
                match self { #(#writes)* }
            }
            fn parse(__name: &str) -> ::core::option::Option<Self> {
                let (__prefix, __keys) = match __name.split_once(':') {
                    ::core::option::Option::Some((__prefix, __keys)) => {
                        (__prefix, ::core::option::Option::Some(__keys))
                    }
                    ::core::option::Option::None => (__name, ::core::option::Option::None),
                };
                #[allow(unreachable_patterns)]
                match (__prefix, __keys) {
                    #(#parses)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

fn parse_kind<'a>(set: &'a RoomSet<'_>) -> impl Fn(&'a Kind<'_>) -> TokenStream {
    let (krate, name) = (&set.krate, &set.item.ident);
    move |kind| {
        let (variant, fields, prefix) = (&kind.variant.ident, kind.fields(), &kind.name);
        let count = kind.keys.len();
        if count == 0 {
            return quote! {
                (#prefix, ::core::option::Option::None) => {
                    ::core::option::Option::Some(#name::#variant #fields)
                }
            };
        }
        let keys = kind.keys.iter().enumerate().map(|(i, key)| {
            let (key, ty) = (&key.name, key.ty);
            let parse = if i + 1 == count {
                quote!(<#ty as #krate::RoomKey>::parse)
            } else {
                quote!(#krate::parse_escaped::<#ty>)
            };
            quote!(let #key = #parse(::core::iter::Iterator::next(&mut __parts)?)?;)
        });
        quote! {
            (#prefix, ::core::option::Option::Some(__keys)) => {
                let mut __parts = __keys.splitn(#count, ':');
                #(#keys)*
                ::core::option::Option::Some(#name::#variant #fields)
            }
        }
    }
}

/// A bare value of the set, whose kind is not known: an event must be allowed in every one.
fn target(set: &RoomSet<'_>) -> TokenStream {
    let (krate, name) = (&set.krate, &set.item.ident);
    quote! {
        #[automatically_derived]
        impl<__N: #krate::HasRooms<#name>> #krate::Target<__N> for #name {
            type Audience = <#name as #krate::RoomSet>::AnyKind;
            fn collect(&self, __names: &mut ::std::vec::Vec<::std::boxed::Box<str>>) {
                #krate::push_room(self, __names);
            }
        }
    }
}

fn module(set: &RoomSet<'_>) -> Ident {
    names::ident(&names::snake(&set.item.ident), set.item.ident.span())
}

/// The visibility of the enum, as it is written inside a module beside it.
fn one_module_deeper(vis: &Visibility) -> Visibility {
    match vis {
        Visibility::Inherited => parse_quote!(pub(super)),
        Visibility::Restricted(restricted) if restricted.path.is_ident("self") => {
            parse_quote!(pub(super))
        }
        Visibility::Restricted(restricted) if restricted.path.is_ident("super") => {
            parse_quote!(pub(in super::super))
        }
        other => other.clone(),
    }
}

fn room_doc(kind: &Kind<'_>) -> String {
    let keys = kind.keys.iter().map(|key| format!(":{{{}}}", key.name));
    let name: String = std::iter::once(kind.name.value()).chain(keys).collect();
    format!("The room `{name}`.")
}
