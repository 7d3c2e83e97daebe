//! `#[handler]`

mod block;
mod function;
mod model;

use crate::diag::Diagnostics;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, parse::Parser, spanned::Spanned};

pub(crate) fn attribute(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diagnostics::default();
    let target = model::Target::parse.parse2(attribute);
    let target = diag.ok(target).unwrap_or_default();
    let expansion = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(item)) => function::expand(&target, item, &mut diag),
        Ok(Item::Impl(item)) => block::expand(&target, item, &mut diag),
        Ok(other) => {
            diag.error_at(
                other.span(),
                "`#[handler]` goes on an `async fn` or on an `impl` block",
            );
            item
        }
        Err(error) => {
            diag.add(error);
            item
        }
    };
    // The item stays whatever is wrong with it: one mistake must not hide the rest of the file from an editor.
    let errors = diag.into_tokens();
    quote!(#errors #expansion)
}
