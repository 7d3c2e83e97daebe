//! `#[derive(Namespace)]`

mod expand;
mod export;
mod model;
mod path;

use crate::diag::Diagnostics;
use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut diag = Diagnostics::default();
    let model = model::Namespace::parse(&item, &mut diag);
    let mut tokens = diag.into_tokens();
    tokens.extend(expand::namespace(&model));
    tokens
}
