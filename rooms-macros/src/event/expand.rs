//! What `#[derive(Event)]` prints.

use super::{
    audience::Audience,
    model::{Event, Payload},
};
use crate::names;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericParam, Ident, Path, Type, parse_quote, spanned::Spanned};

/// The implementations of an event. One that is not `valid` may be used in every way, so that its uses add no errors.
pub(crate) fn event(event: &Event<'_>, valid: bool) -> TokenStream {
    let mut tokens = identity(event, valid);
    if valid {
        tokens.extend(
            event
                .audience
                .iter()
                .map(|audience| emit_to(event, audience)),
        );
    } else {
        // That a client event can't be emitted is said once; where to is then no further error.
        tokens.extend(emit_to(event, &Audience::Any));
    }
    tokens.extend(routed(event));
    tokens.extend(arguments(event));
    tokens.extend(super::export::description(event));
    tokens
}

fn identity(event: &Event<'_>, valid: bool) -> TokenStream {
    let Event {
        krate, name, doc, ..
    } = event;
    // What most events have is the trait's default: a constant less for the compiler to check.
    let arity = match &event.payload {
        Payload::Whole => None,
        Payload::Fields(fields) => {
            let arity = fields.len();
            Some(quote!(const ARITY: usize = #arity;))
        }
    };
    let doc = (!doc.is_empty()).then(|| quote!(const DOC: &'static str = #doc;));
    let ack = match &event.ack {
        None => quote!(#krate::NoAck),
        Some(ack) => {
            let ty = &ack.ty;
            if ack.is_result() {
                let parts = quote!(<#ty as #krate::ResultParts>);
                quote_spanned!(ty.span()=> #krate::Fallible<#parts::Ok, #parts::Err>)
            } else {
                quote_spanned!(ty.span()=> #krate::Reply<#ty>)
            }
        }
    };
    let uses = [
        event.client,
        event.server,
        event.ack.is_some(),
        event.ack.is_none(),
        event.broadcast || !event.server,
        // With lifetimes of its own, an event may borrow from its packet.
        event.item.generics.lifetimes().next().is_none(),
        event.cluster,
    ];
    let uses = uses.map(|may| match may || !valid {
        true => quote!(#krate::Yes),
        false => quote!(#krate::No),
    });
    let header = header(event, &[], quote!(#krate::Event));
    quote! {
        #header {
            const NAME: &'static str = #name;
            #arity
            #doc
            type Ack = #ack;
            type This = Self;
            type Use = #krate::Use<#(#uses),*>;
        }
    }
}

fn emit_to(event: &Event<'_>, audience: &Audience) -> TokenStream {
    let krate = &event.krate;
    let permission = |generics: &[GenericParam], set: TokenStream, index: TokenStream| {
        let header = header(event, generics, quote!(#krate::Permits<#set, #index>));
        quote!(#header {})
    };
    match audience {
        Audience::Kind { set, variant, .. } => {
            let index = kind_constant(variant);
            let index = quote_spanned!(variant.span()=> { #set::#index });
            let permission = permission(&[], quote!(#set), quote!(#krate::At<#index>));
            let check = variant_exists(set, variant);
            quote!(const _: () = { #check #permission };)
        }
        Audience::Set(set) => permission(&[parse_quote!(__I)], quote!(#set), quote!(__I)),
        Audience::Dynamic => permission(&[], quote!(#krate::DynRoom), quote!(#krate::At<0>)),
        Audience::Any => permission(
            &[parse_quote!(__R), parse_quote!(__I)],
            quote!(__R),
            quote!(__I),
        ),
    }
}

/// The constant in which `#[derive(Room)]` keeps the position of a variant.
pub(crate) fn kind_constant(variant: &Ident) -> Ident {
    format_ident!("__KIND_{}", variant)
}

/// Makes a misspelt variant an error that suggests the right one, and nothing else an error: the constant, which nobody but
/// us should see, is found either way.
fn variant_exists(set: &Path, variant: &Ident) -> TokenStream {
    let constant = kind_constant(variant);
    let check = quote_spanned! {variant.span()=>
        #[allow(irrefutable_let_patterns)]
        const _: fn(&#set) = |__room| if let #set::#variant { .. } = __room {};
    };
    quote! {
        #[allow(dead_code, non_upper_case_globals)]
        trait __Otherwise { const #constant: usize = usize::MAX; }
        impl<__T> __Otherwise for __T {}
        #check
    }
}

fn routed(event: &Event<'_>) -> Option<TokenStream> {
    let krate = &event.krate;
    event.audience.iter().find_map(|audience| {
        let Audience::Kind {
            set,
            variant,
            route: Some(fields),
        } = audience
        else {
            return None;
        };
        let constructor = names::ident(&names::snake(variant), variant.span());
        let header = header(event, &[], quote!(#krate::Routed));
        Some(quote_spanned! {variant.span()=>
            #header {
                type Set = #set;
                fn route(&self) -> #set {
                    #set::#constructor(#(::core::clone::Clone::clone(&#fields)),*).erase()
                }
            }
        })
    })
}

/// How the event becomes arguments and back.
fn arguments(event: &Event<'_>) -> TokenStream {
    match &event.payload {
        Payload::Whole => {
            let krate = &event.krate;
            let header = header(event, &[], quote!(#krate::Whole));
            quote!(#header {})
        }
        Payload::Fields(fields) => {
            let (encode, decode) = (encode(event, fields), decode(event, fields));
            quote!(#encode #decode)
        }
    }
}

fn encode(event: &Event<'_>, fields: &[&Type]) -> TokenStream {
    let krate = &event.krate;
    let serialize = quote!(#krate::serde::Serialize);
    let pushes = (0..fields.len()).map(|i| {
        let i = syn::Index::from(i);
        quote!(#krate::push(__out, &self.#i)?;)
    });
    let header = header_where(
        event,
        &[],
        quote!(#krate::EncodeArgs),
        // A bound that mentions a lifetime of its own is only checked where it is used, so that an event may implement one
        // half of serde only.
        fields
            .iter()
            .map(|ty| quote_spanned!(ty.span()=> for<'__x> #ty: #serialize)),
    );
    quote! {
        #header {
            fn encode(
                &self,
                __out: &mut #krate::DataWriter,
            ) -> ::core::result::Result<(), #krate::EncodeError> {
                #(#pushes)*
                let _ = __out;
                ::core::result::Result::Ok(())
            }
        }
    }
}

fn decode(event: &Event<'_>, fields: &[&Type]) -> TokenStream {
    let krate = &event.krate;
    let deserialize = quote!(#krate::serde::Deserialize<'__de>);
    let (i, position) = (0..fields.len(), (0..fields.len()).map(syn::Index::from));
    let header = header_where(
        event,
        &[parse_quote!('__de)],
        quote!(#krate::DecodeArgs<'__de>),
        fields
            .iter()
            .map(|ty| quote_spanned!(ty.span()=> #ty: #deserialize)),
    );
    quote! {
        #header {
            fn decode(
                __args: &'__de #krate::Args,
            ) -> ::core::result::Result<Self, #krate::Rejection> {
                let _ = __args;
                ::core::result::Result::Ok(Self { #(#position: #krate::argument(__args, #i)?),* })
            }
        }
    }
}

/// The event's type with its own generics.
fn this(event: &Event<'_>) -> TokenStream {
    let (_, generics, _) = event.item.generics.split_for_impl();
    let name = &event.item.ident;
    quote!(#name #generics)
}

/// `impl<..> Trait for Event<..> where ..`
fn header(event: &Event<'_>, generics: &[GenericParam], what: TokenStream) -> TokenStream {
    header_where(event, generics, what, std::iter::empty())
}

pub(super) fn header_where(
    event: &Event<'_>,
    extra: &[GenericParam],
    what: TokenStream,
    bounds: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let mut generics = event.item.generics.clone();
    for parameter in extra {
        // Lifetimes come first.
        let at = match parameter {
            GenericParam::Lifetime(_) => 0,
            _ => generics.params.len(),
        };
        generics.params.insert(at, parameter.clone());
    }
    let (impl_generics, _, _) = generics.split_for_impl();
    let this = this(event);
    let own = event.item.generics.where_clause.iter();
    let own = own.flat_map(|clause| &clause.predicates);
    quote! {
        #[automatically_derived]
        impl #impl_generics #what for #this where #(#own,)* #(#bounds,)*
    }
}
