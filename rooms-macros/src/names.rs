//! Names made from names.

use proc_macro2::Span;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, Meta};

/// `AddTask` as `add_task`, `HTTPServer2Go` as `http_server2_go`.
pub(crate) fn snake(name: &Ident) -> String {
    let name = name.to_string();
    let chars: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut snake = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let starts_word = i > 0
            && c.is_uppercase()
            && (!chars[i - 1].is_uppercase() && chars[i - 1] != '_'
                || chars[i - 1].is_uppercase()
                    && chars.get(i + 1).is_some_and(|next| next.is_lowercase()));
        if starts_word {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// An identifier, raw where it would be a keyword.
pub(crate) fn ident(name: &str, span: Span) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(mut ident) => {
            ident.set_span(span);
            ident
        }
        Err(_) => Ident::new_raw(name, span),
    }
}

/// The doc comment of an item.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    lines.join("\n").trim().to_owned()
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) => Some(line.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case() {
        for (name, expected) in [
            ("AddTask", "add_task"),
            ("HTTPServer", "http_server"),
            ("Server2Go", "server2_go"),
            ("X", "x"),
            ("already_snake", "already_snake"),
            ("Half_Snake", "half_snake"),
        ] {
            assert_eq!(snake(&Ident::new(name, Span::call_site())), expected);
        }
        assert_eq!(snake(&Ident::new_raw("type", Span::call_site())), "type");
    }
}
