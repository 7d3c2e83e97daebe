//! The grammar of our attributes: `#[event(name = "..", server, to(..))]`.

use crate::diag::Diagnostics;
use proc_macro2::{Delimiter, TokenTree};
use syn::{
    Attribute, Ident, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
};

/// The keys that one of our attributes has.
pub(crate) struct Grammar {
    /// The attribute's name.
    pub(crate) attribute: &'static str,
    /// Keys that are given once.
    pub(crate) once: &'static [&'static str],
    /// Keys whose lists may be spread over several attributes.
    pub(crate) lists: &'static [&'static str],
    /// What to say about any other key.
    pub(crate) expected: &'static str,
}

impl Grammar {
    /// Calls `read` with each key, its input behind the key. What is wrong is reported, and the next key is read.
    pub(crate) fn each_key(
        &self,
        attributes: &[Attribute],
        diag: &mut Diagnostics,
        mut read: impl FnMut(&Ident, ParseStream<'_>, &mut Diagnostics) -> syn::Result<()>,
    ) {
        let mut seen = Vec::<Ident>::new();
        let ours = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident(self.attribute));
        for attribute in ours {
            let result = attribute.parse_args_with(|input: ParseStream<'_>| {
                while !input.is_empty() {
                    let result = self.key(input, &mut seen, diag, &mut read);
                    if diag.ok(result).is_none() {
                        self.skip_to_next_key(input)?;
                    }
                }
                Ok(())
            });
            diag.ok(result);
        }
    }

    fn key(
        &self,
        input: ParseStream<'_>,
        seen: &mut Vec<Ident>,
        diag: &mut Diagnostics,
        read: &mut impl FnMut(&Ident, ParseStream<'_>, &mut Diagnostics) -> syn::Result<()>,
    ) -> syn::Result<()> {
        let key = input.call(Ident::parse_any)?;
        let once = self.once.iter().any(|known| key == known);
        if !once && !self.lists.iter().any(|known| key == known) {
            let message = format!("unknown key: expected {}", self.expected);
            return Err(syn::Error::new(key.span(), message));
        }
        if once && seen.contains(&key) {
            diag.error(&key, format!("`{key}` is given twice"));
        }
        read(&key, input, diag)?;
        seen.push(key);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(())
    }

    /// A type may contain commas, so only a comma before one of our keys is taken for the end of a broken entry.
    fn skip_to_next_key(&self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            let is_comma = input.peek(Token![,]);
            input.parse::<TokenTree>()?;
            let next = input.fork().call(Ident::parse_any);
            let keys = || self.once.iter().chain(self.lists);
            if is_comma && next.is_ok_and(|next| keys().any(|known| next == known)) {
                break;
            }
        }
        Ok(())
    }
}

/// `= value`
pub(crate) fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    if input.is_empty() {
        return Err(input.error("expected a value behind `=`"));
    }
    input.parse()
}

/// `(item, item)`, without the items that are wrong.
pub(crate) fn list<T: Parse>(
    input: ParseStream<'_>,
    diag: &mut Diagnostics,
) -> syn::Result<Vec<T>> {
    let group = match input.parse::<TokenTree>()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => group,
        other => return Err(syn::Error::new(other.span(), "expected `(..)`")),
    };
    let items = |input: ParseStream<'_>| {
        let mut items = Vec::new();
        while !input.is_empty() {
            match diag.ok(input.parse()) {
                Some(item) => items.push(item),
                None => skip_item(input)?,
            }
            if !input.is_empty() && diag.ok(input.parse::<Token![,]>()).is_none() {
                skip_item(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
        }
        Ok(items)
    };
    items.parse2(group.stream())
}

fn skip_item(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
