//! What the user meant with `#[derive(Room)]`.

use crate::{
    attr::{self, Grammar},
    diag::Diagnostics,
    krate::Krate,
    names,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Type, Variant};

/// A closed set of rooms.
pub(crate) struct RoomSet<'a> {
    pub(crate) item: &'a DeriveInput,
    pub(crate) krate: Krate,
    pub(crate) kinds: Vec<Kind<'a>>,
}

/// One kind of room: a variant.
pub(crate) struct Kind<'a> {
    pub(crate) variant: &'a Variant,
    /// The first part of the names of its rooms.
    pub(crate) name: LitStr,
    pub(crate) keys: Vec<Key<'a>>,
}

/// One key in the name of a room: a field.
pub(crate) struct Key<'a> {
    pub(crate) name: Ident,
    pub(crate) ty: &'a Type,
}

const ON_ENUM: Grammar = Grammar {
    attribute: "room",
    once: &["crate"],
    lists: &[],
    expected: "`crate = path`; the name of a kind of room goes on its variant",
};
const ON_VARIANT: Grammar = Grammar {
    attribute: "room",
    once: &["name"],
    lists: &[],
    expected: "`name = \"..\"`",
};

impl<'a> RoomSet<'a> {
    /// Reads a room set. What is wrong goes to `diag`, and the model then holds the defaults instead.
    pub(crate) fn parse(item: &'a DeriveInput, diag: &mut Diagnostics) -> Option<Self> {
        let Data::Enum(data) = &item.data else {
            diag.error(
                &item.ident,
                "derive `Room` on an enum: one variant per kind of room",
            );
            return None;
        };
        if !item.generics.params.is_empty() {
            diag.error(
                &item.generics,
                "a room set can't be generic: its names must mean one thing on every server",
            );
            return None;
        }
        let mut krate = Krate::new();
        ON_ENUM.each_key(&item.attrs, diag, |_, input, _| krate.read(input));
        let variants = data.variants.iter();
        let kinds: Vec<_> = variants.map(|variant| Kind::parse(variant, diag)).collect();
        for (i, kind) in kinds.iter().enumerate() {
            kind.check(&kinds[..i], diag);
        }
        Some(RoomSet { item, krate, kinds })
    }
}

impl<'a> Kind<'a> {
    fn parse(variant: &'a Variant, diag: &mut Diagnostics) -> Self {
        let mut name = LitStr::new(&names::snake(&variant.ident), variant.ident.span());
        ON_VARIANT.each_key(&variant.attrs, diag, |_, input, _| {
            name = attr::value(input)?;
            Ok(())
        });
        let keys = variant.fields.iter().enumerate().map(|(i, field)| Key {
            name: field
                .ident
                .clone()
                .unwrap_or_else(|| format_ident!("key{i}")),
            ty: &field.ty,
        });
        Kind {
            variant,
            name,
            keys: keys.collect(),
        }
    }

    fn check(&self, before: &[Kind<'_>], diag: &mut Diagnostics) {
        let name = self.name.value();
        if name.is_empty() || name.contains(':') {
            diag.error(
                &self.name,
                "a room name prefix must not be empty or contain `:`",
            );
        }
        if let Some(other) = before.iter().find(|other| other.name.value() == name) {
            diag.error(
                &self.name,
                format!(
                    "variants `{}` and `{}` would share the room prefix `{name}`",
                    other.variant.ident, self.variant.ident
                ),
            );
        }
        if self.keys.is_empty() && looks_like_socket_id(&name) {
            diag.error(
                &self.name,
                "this room name looks like a socket id (20 url-safe characters) and could collide with a socket's private room",
            );
        }
    }

    /// The variant, with its keys by name: a pattern and an expression alike.
    pub(crate) fn fields(&self) -> TokenStream {
        let keys = self.keys.iter().map(|key| &key.name);
        match &self.variant.fields {
            Fields::Unit => quote!(),
            Fields::Unnamed(_) => quote!((#(#keys),*)),
            Fields::Named(_) => quote!({ #(#keys),* }),
        }
    }
}

impl Key<'_> {
    /// Whether the constructor takes anything that becomes a `String`.
    pub(crate) fn is_string(&self) -> bool {
        matches!(self.ty, Type::Path(ty) if ty.path.segments.last().is_some_and(|last| last.ident == "String"))
    }
}

fn looks_like_socket_id(name: &str) -> bool {
    let url_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    name.len() == 20 && name.bytes().all(url_safe)
}
