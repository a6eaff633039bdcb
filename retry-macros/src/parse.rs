//! How arguments and settings are written, whatever they are.

use proc_macro2::Ident;
use syn::{
    Error, Expr, Result, Token,
    ext::IdentExt as _,
    parse::{Parse, ParseStream},
};

/// Parses `key …, key …`; `parse` is called after each key and takes what follows it.
pub(crate) fn arguments(
    input: ParseStream<'_>,
    expected: &str,
    mut parse: impl FnMut(&Ident) -> Result<()>,
) -> Result<()> {
    while !input.is_empty() {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected {expected}")));
        }
        let key = input.call(Ident::parse_any)?;
        parse(&key)?;
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// Stores a value, unless the argument was given before.
pub(crate) fn set_once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(key.span(), format!("duplicate argument `{key}`"))),
    }
}

/// Parses `= value`.
pub(crate) fn parse_value<T: Parse>(input: ParseStream<'_>, key: &Ident) -> Result<T> {
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), format!("argument `{key}` needs a value: `{key} = …`")));
    }
    let equals = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new_spanned(equals, format!("expected a value after `{key} =`")));
    }
    input.parse()
}

pub(crate) fn lone_ident(expr: &Expr) -> Option<Ident> {
    match expr {
        Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => {
            path.path.get_ident().cloned()
        }
        _ => None,
    }
}
