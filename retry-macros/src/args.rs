use std::fmt::Display;

use proc_macro2::Ident;
use syn::{
    Error, Expr, ExprLit, Lit, LitStr, Path, Result, Token,
    parse::{Parse, ParseStream},
    token::Paren,
};

use crate::{
    duration::DurationArg,
    parse::{arguments, lone_ident, parse_value, set_once},
    policy::{LimitArgs, PolicyArg, RetriesArg, parse_limit},
    suggest::unknown,
    words,
};

const ARGUMENTS: &[&str] = &[
    "policy",
    "retries",
    "deadline",
    "attempt_timeout",
    "retry_for",
    "on",
    "on_ok",
    "idempotent",
    "before",
    "on_failure",
    "on_give_up",
    "attempt",
    "budget",
    "breaker",
    "cancel",
    "nested",
    "reset_after",
    "give_up_after",
    "blocking",
    "name",
    "crate",
];

/// The arguments of `#[retryable(…)]`.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) policy: Option<PolicyArg>,
    /// What stands beside the policy, until `beside` has moved it there; limits of an expression stay.
    pub(crate) retries: Option<RetriesArg>,
    pub(crate) limits: LimitArgs,
    /// The names of both, where they are written.
    pub(crate) beside: Vec<Ident>,
    pub(crate) on: Option<Expr>,
    pub(crate) on_ok: Option<Expr>,
    pub(crate) idempotent: Option<Ident>,
    pub(crate) before: Option<Expr>,
    pub(crate) on_failure: Option<Expr>,
    pub(crate) on_give_up: Option<Expr>,
    pub(crate) attempt: Option<Ident>,
    pub(crate) guards: Guards,
    pub(crate) blocking: Option<Ident>,
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

/// What watches over a call.
#[derive(Default)]
pub(crate) struct Guards {
    pub(crate) budget: Option<Expr>,
    pub(crate) breaker: Option<Expr>,
    pub(crate) cancel: Option<Expr>,
    pub(crate) nested: Option<NestedArg>,
    pub(crate) reset_after: Option<DurationArg>,
    pub(crate) give_up_after: Option<DurationArg>,
}

impl Guards {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { budget, breaker, cancel, nested, reset_after, give_up_after } = self;
        budget.is_none()
            && breaker.is_none()
            && cancel.is_none()
            && nested.is_none()
            && reset_after.is_none()
            && give_up_after.is_none()
    }
}

/// The value of `nested`: the name of a choice, or an expression of type `Nested`.
pub(crate) enum NestedArg {
    Choice(Ident),
    Expr(Box<Expr>),
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        arguments(
            input,
            "an argument such as `policy = exponential(retries = 3)`",
            |key| match key.to_string().as_str() {
                "policy" => set_once(&mut args.policy, key, parse_value(input, key)?),
                "retries" => {
                    args.beside.push(key.clone());
                    set_once(&mut args.retries, key, parse_value(input, key)?)
                }
                "deadline" | "attempt_timeout" | "retry_for" => {
                    args.beside.push(key.clone());
                    parse_limit(&mut args.limits, key, input)
                }
                "on" => set_once(&mut args.on, key, parse_value(input, key)?),
                "on_ok" => set_once(&mut args.on_ok, key, parse_value(input, key)?),
                "idempotent" => {
                    let advice = "leave it out if the operation is not idempotent";
                    set_once(&mut args.idempotent, key, parse_flag(input, key, advice)?)
                }
                "blocking" => {
                    let advice = "leave it out on an `async fn`";
                    set_once(&mut args.blocking, key, parse_flag(input, key, advice)?)
                }
                "budget" => set_once(&mut args.guards.budget, key, parse_value(input, key)?),
                "breaker" => set_once(&mut args.guards.breaker, key, parse_value(input, key)?),
                "cancel" => set_once(&mut args.guards.cancel, key, parse_value(input, key)?),
                "nested" => set_once(&mut args.guards.nested, key, parse_value(input, key)?),
                "reset_after" => {
                    set_once(&mut args.guards.reset_after, key, parse_value(input, key)?)
                }
                "give_up_after" => {
                    set_once(&mut args.guards.give_up_after, key, parse_value(input, key)?)
                }
                "before" => set_once(&mut args.before, key, parse_value(input, key)?),
                "on_failure" => set_once(&mut args.on_failure, key, parse_value(input, key)?),
                "on_give_up" => set_once(&mut args.on_give_up, key, parse_value(input, key)?),
                "attempt" => set_once(&mut args.attempt, key, parse_name(input, key)?),
                "name" => set_once(&mut args.name, key, parse_text(input, key)?),
                "crate" => set_once(&mut args.krate, key, parse_path(input, key)?),
                _ => {
                    Err(words::as_argument(key)
                        .unwrap_or_else(|| unknown("argument", key, ARGUMENTS)))
                }
            },
        )?;
        Ok(args)
    }
}

/// Parses `= name`.
fn parse_name(input: ParseStream<'_>, key: &Ident) -> Result<Ident> {
    match parse_value::<Expr>(input, key)? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(unquoted(key, &text)),
        value => lone_ident(&value).ok_or_else(|| {
            let message = format!("`{key}` takes the name of a new variable: `{key} = {key}`");
            Error::new_spanned(value, message)
        }),
    }
}

/// Parses `= "text"`.
fn parse_text(input: ParseStream<'_>, key: &Ident) -> Result<LitStr> {
    match parse_value::<Expr>(input, key)? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
        value => {
            let text = lone_ident(&value).map_or_else(|| "…".to_owned(), |name| name.to_string());
            let message = format!("`{key}` takes text in quotes: `{key} = \"{text}\"`");
            Err(Error::new_spanned(value, message))
        }
    }
}

/// Makes the error for a name that was written as text.
fn unquoted(key: impl Display, text: &LitStr) -> Error {
    let name = text.value();
    Error::new(text.span(), format!("`{key}` takes a name without quotes: `{key} = {name}`"))
}

fn parse_flag(input: ParseStream<'_>, key: &Ident, advice: &str) -> Result<Ident> {
    if input.peek(Token![=]) || input.peek(Paren) {
        return Err(input.error(format!("`{key}` takes no value; {advice}")));
    }
    Ok(key.clone())
}

impl Parse for NestedArg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        const CHOICES: &[&str] = &["allow", "inner_only", "outer_only"];
        let expr = input.parse::<Expr>()?;
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &expr
            && CHOICES.contains(&text.value().as_str())
        {
            return Err(unquoted("nested", text));
        }
        let Some(name) = lone_ident(&expr) else {
            return Ok(Self::Expr(Box::new(expr)));
        };
        let variant = match name.to_string().as_str() {
            "allow" => "Allow",
            "inner_only" => "InnerOnly",
            "outer_only" => "OuterOnly",
            variant @ ("Allow" | "InnerOnly" | "OuterOnly") => {
                let message = format!("unknown choice `{variant}`; write `Nested::{variant}`");
                return Err(Error::new(name.span(), message));
            }
            // A constant of the user's own.
            other if other.starts_with(char::is_uppercase) => {
                return Ok(Self::Expr(Box::new(expr)));
            }
            _ => return Err(unknown("choice", &name, CHOICES)),
        };
        Ok(Self::Choice(Ident::new(variant, name.span())))
    }
}

fn parse_path(input: ParseStream<'_>, key: &Ident) -> Result<Path> {
    if !input.peek(Token![=]) {
        return Err(Error::new(
            key.span(),
            "argument `crate` needs a value: `crate = ::path::to::retry_runtime`",
        ));
    }
    input.parse::<Token![=]>()?;
    if let Ok(text) = input.fork().parse::<LitStr>() {
        let path = text.value();
        let message = format!("`crate` takes a path without quotes: `crate = {path}`");
        return Err(Error::new(text.span(), message));
    }
    input.call(Path::parse_mod_style)
}
