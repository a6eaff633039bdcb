use proc_macro2::Ident;
use syn::{
    Error, Expr, LitStr, Path, Result, Token,
    ext::IdentExt as _,
    parse::{Parse, ParseStream},
};

use crate::{policy::PolicyArg, suggest::unknown};

const ARGUMENTS: &[&str] = &[
    "policy",
    "on",
    "on_ok",
    "idempotent",
    "before",
    "on_failure",
    "on_give_up",
    "attempt",
    "name",
    "crate",
];

/// The arguments of `#[retryable(…)]`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) policy: Option<PolicyArg>,
    pub(crate) on: Option<Expr>,
    pub(crate) on_ok: Option<Expr>,
    pub(crate) idempotent: Option<Ident>,
    pub(crate) before: Option<Expr>,
    pub(crate) on_failure: Option<Expr>,
    pub(crate) on_give_up: Option<Expr>,
    pub(crate) attempt: Option<Ident>,
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        arguments(input, |key| match key.to_string().as_str() {
            "policy" => set_once(&mut args.policy, key, parse_value(input, key)?),
            "on" => set_once(&mut args.on, key, parse_value(input, key)?),
            "on_ok" => set_once(&mut args.on_ok, key, parse_value(input, key)?),
            "idempotent" => set_once(&mut args.idempotent, key, parse_flag(input, key)?),
            "before" => set_once(&mut args.before, key, parse_value(input, key)?),
            "on_failure" => set_once(&mut args.on_failure, key, parse_value(input, key)?),
            "on_give_up" => set_once(&mut args.on_give_up, key, parse_value(input, key)?),
            "attempt" => set_once(&mut args.attempt, key, parse_value(input, key)?),
            "name" => set_once(&mut args.name, key, parse_value(input, key)?),
            "crate" => set_once(&mut args.krate, key, parse_path(input, key)?),
            _ => Err(unknown("argument", key, ARGUMENTS)),
        })?;
        Ok(args)
    }
}

/// Parses `key …, key …`; `parse` is called after each key and takes what follows it.
pub(crate) fn arguments(
    input: ParseStream<'_>,
    mut parse: impl FnMut(&Ident) -> Result<()>,
) -> Result<()> {
    while !input.is_empty() {
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected the name of an argument"));
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

fn parse_flag(input: ParseStream<'_>, key: &Ident) -> Result<Ident> {
    if input.peek(Token![=]) {
        return Err(input.error(format!(
            "`{key}` takes no value; leave it out where the operation is not idempotent"
        )));
    }
    Ok(key.clone())
}

fn parse_path(input: ParseStream<'_>, key: &Ident) -> Result<Path> {
    if !input.peek(Token![=]) {
        return Err(Error::new(
            key.span(),
            "argument `crate` needs a value: `crate = ::path::to::retry_runtime`",
        ));
    }
    input.parse::<Token![=]>()?;
    input.call(Path::parse_mod_style)
}
