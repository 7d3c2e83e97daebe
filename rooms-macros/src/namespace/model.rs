//! What the user meant with `#[derive(Namespace)]`.

use crate::{
    attr::{self, Grammar},
    diag::Diagnostics,
    krate::Krate,
    names,
    namespace::path::Values,
    types,
};
use syn::{DeriveInput, Ident, LitStr, Type, parse::ParseStream};

/// A namespace.
pub(crate) struct Namespace<'a> {
    pub(crate) item: &'a DeriveInput,
    pub(crate) krate: Krate,
    pub(crate) data: Option<Type>,
    pub(crate) state: Option<Type>,
    pub(crate) contract: Contract<'a>,
}

/// What travels in a namespace.
pub(crate) enum Contract<'a> {
    /// Listed by another type.
    Elsewhere(Box<Type>),
    /// Listed here.
    Here(Box<Lists<'a>>),
}

/// The contract of the type itself.
pub(crate) struct Lists<'a> {
    pub(crate) path: LitStr,
    /// The values in the path, if it has any.
    pub(crate) values: Option<Values<'a>>,
    pub(crate) auth: Option<Type>,
    /// Every event and every room, nothing listed.
    pub(crate) open: bool,
    pub(crate) rooms: Vec<Type>,
    pub(crate) client: Vec<Type>,
    pub(crate) server: Vec<Type>,
}

const GRAMMAR: Grammar = Grammar {
    attribute: "namespace",
    once: &["path", "auth", "data", "state", "open", "contract", "crate"],
    lists: &["client", "server", "rooms"],
    expected: "`path`, `auth`, `data`, `state`, `client(..)`, `server(..)`, `rooms(..)`, `contract` or `open`",
};

impl<'a> Namespace<'a> {
    /// Reads a namespace. What is wrong goes to `diag`, and the model then holds the defaults instead.
    pub(crate) fn parse(item: &'a DeriveInput, diag: &mut Diagnostics) -> Self {
        let mut lists = Lists {
            path: LitStr::new(
                &format!("/{}", names::snake(&item.ident)),
                item.ident.span(),
            ),
            values: None,
            auth: None,
            open: false,
            rooms: Vec::new(),
            client: Vec::new(),
            server: Vec::new(),
        };
        let (mut krate, mut data, mut state, mut contract) =
            (Krate::new(), None, None, None::<Type>);
        let mut listed = Vec::new();
        GRAMMAR.each_key(&item.attrs, diag, |key, input, diag| {
            match key.to_string().as_str() {
                "data" => data = Some(attr::value(input)?),
                "state" => state = Some(attr::value(input)?),
                "contract" => contract = Some(attr::value(input)?),
                "crate" => krate.read(input)?,
                _ => {
                    listed.push(key.clone());
                    lists.read(key, input, diag)?;
                }
            }
            Ok(())
        });
        if !item.generics.params.is_empty() {
            diag.error(
                &item.generics,
                "a namespace can't be generic: it is one path with one contract",
            );
        }
        let contract = match contract {
            Some(contract) => {
                for key in listed {
                    let contract = types::text(&contract);
                    diag.error(
                        &key,
                        format!("`{key}` belongs to the contract: write it on `{contract}`"),
                    );
                }
                Contract::Elsewhere(Box::new(contract))
            }
            None => {
                lists.check(item, diag);
                Contract::Here(Box::new(lists))
            }
        };
        Namespace {
            item,
            krate,
            data,
            state,
            contract,
        }
    }
}

impl<'a> Lists<'a> {
    fn read(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        diag: &mut Diagnostics,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "path" => self.path = attr::value(input)?,
            "auth" => self.auth = Some(attr::value(input)?),
            "open" => self.open = true,
            "rooms" => self.rooms.extend(attr::list(input, diag)?),
            "client" => self.client.extend(attr::list(input, diag)?),
            _ => self.server.extend(attr::list(input, diag)?),
        }
        Ok(())
    }

    fn check(&mut self, item: &'a DeriveInput, diag: &mut Diagnostics) {
        let path = self.path.value();
        if !path.starts_with('/') || path.contains(['?', ',', '*']) {
            diag.error(
                &self.path,
                "a namespace path starts with `/` and has no `?`, `,` or `*`",
            );
        }
        self.values = Values::parse(&self.path, item, diag);
        for list in [&mut self.client, &mut self.server, &mut self.rooms] {
            once_each(list, diag);
        }
        let listed = [&self.client, &self.server, &self.rooms];
        if self.open && listed.iter().any(|list| !list.is_empty()) {
            diag.error(
                &item.ident,
                "`open` accepts every event and every room; drop it or drop the lists",
            );
            self.open = false;
        }
    }
}

/// Reports what is listed twice, and keeps it once.
fn once_each(list: &mut Vec<Type>, diag: &mut Diagnostics) {
    let mut seen = Vec::new();
    list.retain(|ty| {
        let text = types::text(ty);
        let new = !seen.contains(&text);
        if !new {
            diag.error(ty, format!("`{text}` is listed twice"));
        }
        seen.push(text);
        new
    });
}
