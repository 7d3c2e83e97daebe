//! Paths with values in them: `/workspace-{id}`.

use crate::diag::Diagnostics;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Type};

/// A path whose values are the fields of the namespace's type.
pub(crate) struct Values<'a> {
    /// What stands before, between and behind the values.
    pub(crate) literals: Vec<String>,
    /// In the order of the path.
    pub(crate) fields: Vec<(&'a Ident, &'a Type)>,
    /// Whether nothing is wrong, so that each field has its value.
    pub(crate) valid: bool,
}

impl<'a> Values<'a> {
    /// Reads a path; `None` where it has no values. What is wrong goes to `diag`.
    pub(crate) fn parse(
        path: &LitStr,
        item: &'a DeriveInput,
        diag: &mut Diagnostics,
    ) -> Option<Self> {
        let before = diag.count();
        let text = path.value();
        let Some((literals, names)) = split(&text) else {
            diag.error(
                path,
                "a value in a path is a field in braces: `/workspace-{id}`",
            );
            return None;
        };
        let declared = fields(item);
        let mut fields = Vec::new();
        for name in &names {
            let Some(field) = declared.iter().find(|(field, _)| *field == name) else {
                let item = &item.ident;
                diag.error(
                    path,
                    format!("`{item}` has no field `{name}` to be a value of its path"),
                );
                continue;
            };
            if contains(&fields, field.0) {
                diag.error(path, format!("`{{{name}}}` is in the path twice"));
                continue;
            }
            fields.push(*field);
        }
        for (field, _) in declared
            .iter()
            .filter(|(field, _)| !contains(&fields, field))
        {
            diag.error(
                field,
                format!(
                    "field `{field}` is not in the path: write `{{{field}}}` where its value goes"
                ),
            );
        }
        if names.is_empty() {
            return None;
        }
        if literals[1..names.len()].iter().any(String::is_empty) {
            diag.error(
                path,
                "between two values there must be something that tells where the first one ends, such as `/`",
            );
        }
        if literals.iter().any(|literal| literal.contains('%')) {
            diag.error(
                path,
                "a path with values has no `%`: values are escaped with it",
            );
        }
        Some(Values {
            literals,
            fields,
            valid: diag.count() == before,
        })
    }
}

/// What stands around the values, and their names. `None` where the braces do not match.
fn split(path: &str) -> Option<(Vec<String>, Vec<String>)> {
    let (mut literals, mut names) = (Vec::new(), Vec::new());
    let mut rest = path;
    while let Some((literal, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}')?;
        syn::parse_str::<Ident>(name).ok()?;
        literals.push(literal.to_owned());
        names.push(name.to_owned());
        rest = behind;
    }
    literals.push(rest.to_owned());
    let stray = literals.iter().any(|literal| literal.contains('}'));
    (!stray).then_some((literals, names))
}

fn contains(fields: &[(&Ident, &Type)], name: &Ident) -> bool {
    fields.iter().any(|(field, _)| *field == name)
}

/// The named fields of a struct.
fn fields(item: &DeriveInput) -> Vec<(&Ident, &Type)> {
    match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields
                .named
                .iter()
                .filter_map(|field| Some((field.ident.as_ref()?, &field.ty)))
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
