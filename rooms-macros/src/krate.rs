//! How expansions name the library.
//!
//! Everything that is printed is found in its module `__private`, so that its public modules are free to move.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Path, parse::ParseStream};

/// The path to print names behind: in `::rooms_layer`, unless `crate = path` says otherwise.
pub(crate) struct Krate(Option<Path>);

impl Krate {
    pub(crate) fn new() -> Self {
        Krate(None)
    }

    /// Reads `= path`, behind the key `crate`.
    pub(crate) fn read(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        input.parse::<syn::Token![=]>()?;
        self.0 = Some(input.call(Path::parse_mod_style)?);
        Ok(())
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match &self.0 {
            Some(path) => quote!(#path::__private),
            None => quote!(::rooms_layer::__private),
        });
    }
}
