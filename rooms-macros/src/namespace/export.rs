//! What `#[derive(Namespace)]` prints for the feature `export`: a list of what is in the contract.

use super::model::{Lists, Namespace};
use crate::types;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

/// The description of a closed contract, which is there only in a build that exports: whether this is one, the library knows.
pub(crate) fn description(namespace: &Namespace<'_>, lists: &Lists<'_>) -> TokenStream {
    let (krate, name) = (&namespace.krate, &namespace.item.ident);
    let all = |list: &[Type]| list.iter().map(types::with_static).collect::<Vec<_>>();
    let (auth, server, client) = (lists.auth.iter(), all(&lists.server), all(&lists.client));
    let auth: Vec<_> = auth.collect();
    quote! {
        #krate::when_exporting! {
            #[automatically_derived]
            impl #krate::DescribeContract for #name
            where
                #(for<'__x> #auth: #krate::Described,)*
                #(for<'__x> #server: #krate::DescribeEvent,)*
                #(for<'__x> #client: #krate::DescribeEvent,)*
            {
                fn contract(__contract: &mut #krate::ContractLists) {
                    let _ = &__contract;
                    #(__contract.auth::<#auth>();)*
                    #(__contract.server::<#server>();)*
                    #(__contract.client::<#client>();)*
                }
            }
        }
    }
}
