//! `#[derive(RoomKey)]`

use crate::{attr::Grammar, diag::Diagnostics, krate::Krate};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Field, Fields, Index, Member, spanned::Spanned};

const GRAMMAR: Grammar = Grammar {
    attribute: "room_key",
    once: &["crate"],
    lists: &[],
    expected: "`crate = path`",
};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut diag = Diagnostics::default();
    let mut krate = Krate::new();
    GRAMMAR.each_key(&item.attrs, &mut diag, |_, input, _| krate.read(input));
    let field = the_field(&item);
    if field.is_none() {
        diag.error(
            &item.ident,
            "derive `RoomKey` on a struct with one field such as `struct ProjectId(u64);`, or implement it by hand",
        );
    }
    let mut tokens = diag.into_tokens();
    tokens.extend(expand(&item, &krate, field));
    tokens
}

fn the_field(item: &DeriveInput) -> Option<(Member, &Field)> {
    let Data::Struct(data) = &item.data else {
        return None;
    };
    let mut fields = data.fields.iter();
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let member = match &data.fields {
        Fields::Named(_) => Member::Named(field.ident.clone()?),
        _ => Member::Unnamed(Index::from(0)),
    };
    Some((member, field))
}

/// A key is its field. Where there is no such field, a stub keeps the uses of the type from failing as well.
fn expand(item: &DeriveInput, krate: &Krate, field: Option<(Member, &Field)>) -> TokenStream {
    let name = &item.ident;
    let (impl_generics, generics, where_clause) = item.generics.split_for_impl();
    let (write, parse, span) = match field {
        Some((member, field)) => {
            let ty = &field.ty;
            let write = quote!(<#ty as #krate::RoomKey>::write(&self.#member, __out));
            let value = quote!(<#ty as #krate::RoomKey>::parse(__text)?);
            let parse = quote!(::core::option::Option::Some(Self { #member: #value }));
            (write, parse, ty.span())
        }
        None => {
            let parse = quote!(::core::option::Option::None);
            (quote!(), parse, name.span())
        }
    };
    quote_spanned! {span=>
        #[automatically_derived]
        impl #impl_generics #krate::RoomKey for #name #generics #where_clause {
            fn write(&self, __out: &mut ::std::string::String) {
                let _ = &__out;
                #write
            }
            fn parse(__text: &str) -> ::core::option::Option<Self> {
                let _ = __text;
                #parse
            }
        }
    }
}
