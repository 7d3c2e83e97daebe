//! `#[derive(Event)]`

mod audience;
mod expand;
mod export;
mod model;

pub(crate) use self::expand::kind_constant;

use crate::diag::Diagnostics;
use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut diag = Diagnostics::default();
    let model = model::Event::parse(&item, &mut diag);
    let valid = diag.is_clean();
    let mut tokens = diag.into_tokens();
    if let Some(model) = model {
        // Of an event with a mistake everything is printed too, and every use of it allowed: one slip is one error.
        tokens.extend(expand::event(&model, valid));
    }
    tokens
}
