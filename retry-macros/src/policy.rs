use proc_macro2::{Ident, Span};
use syn::{
    Error, Expr, ExprCall, ExprLit, ExprUnary, Lit, Result, Token, UnOp,
    ext::IdentExt as _,
    parenthesized,
    parse::{Parse, ParseStream, discouraged::Speculative},
    spanned::Spanned,
    token::Paren,
    visit_mut::{self, VisitMut},
};

use crate::{
    duration::DurationArg,
    parse::{arguments, lone_ident, parse_value, set_once},
    suggest::unknown,
    words::{self, LIMITS, POLICIES},
};

/// The value of `policy`: one of ours, or any expression.
pub(crate) enum PolicyArg {
    Constant(Box<Leaf>),
    Exponential(Box<Leaf>),
    Composite(Box<Members>),
    Never,
    Expr(Box<Expr>),
}

impl PolicyArg {
    /// Tells whether the policy certainly asks the errors themselves, because a part of it names none.
    pub(crate) fn asks_errors(&self) -> bool {
        match self {
            Self::Constant(leaf) | Self::Exponential(leaf) => leaf.on.is_none(),
            Self::Composite(composite) => composite.members.iter().any(Self::asks_errors),
            Self::Never | Self::Expr(_) => false,
        }
    }
}

/// The settings of `constant` and `exponential`.
#[derive(Default)]
pub(crate) struct Leaf {
    pub(crate) delay: Option<DurationArg>,
    pub(crate) base_delay: Option<DurationArg>,
    pub(crate) max_delay: Option<DurationArg>,
    pub(crate) factor: Option<Expr>,
    pub(crate) jitter: Option<JitterArg>,
    pub(crate) retries: Option<RetriesArg>,
    pub(crate) max_hint: Option<DurationArg>,
    pub(crate) on: Option<Expr>,
    pub(crate) limits: LimitArgs,
}

/// The members of `composite`, and its limits.
#[derive(Default)]
pub(crate) struct Members {
    pub(crate) members: Vec<PolicyArg>,
    pub(crate) limits: LimitArgs,
}

#[derive(Default)]
pub(crate) struct LimitArgs {
    pub(crate) deadline: Option<DurationArg>,
    pub(crate) attempt_timeout: Option<DurationArg>,
    pub(crate) retry_for: Option<DurationArg>,
}

impl LimitArgs {
    /// The limits by their names.
    pub(crate) fn named(&self) -> [(&'static str, &Option<DurationArg>); 3] {
        let Self { deadline, attempt_timeout, retry_for } = self;
        [("deadline", deadline), ("attempt_timeout", attempt_timeout), ("retry_for", retry_for)]
    }

    pub(crate) fn named_mut(&mut self) -> [(&'static str, &mut Option<DurationArg>); 3] {
        let Self { deadline, attempt_timeout, retry_for } = self;
        [("deadline", deadline), ("attempt_timeout", attempt_timeout), ("retry_for", retry_for)]
    }
}

/// The value of `jitter`: the name of a family, or an expression of type `Jitter`.
pub(crate) enum JitterArg {
    Family { variant: Ident, name: Ident },
    Expr(Box<Expr>),
}

/// The value of `retries`.
pub(crate) enum RetriesArg {
    Unlimited,
    Count(Box<Expr>),
}

impl Parse for PolicyArg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let fork = input.fork();
        if let Ok(name) = fork.parse::<Ident>() {
            if fork.peek(Paren) {
                let content;
                parenthesized!(content in fork);
                if let Some(policy) = parse_call(&name, &content)? {
                    input.advance_to(&fork);
                    if input.peek(Token![.]) {
                        let message = format!(
                            "settings go into the parentheses: `{name}(…, deadline = \"30s\")`; for methods, start with \
                             `RetryPolicy::{name}(…)`"
                        );
                        return Err(input.error(message));
                    }
                    return Ok(policy);
                }
            } else if POLICIES.contains(&name.to_string().as_str())
                && (fork.is_empty() || fork.peek(Token![,]))
            {
                let example = match name.to_string().as_str() {
                    "constant" => "constant(delay = \"1s\")",
                    "composite" => "composite(constant(…), exponential(…))",
                    other => &format!("{other}()"),
                };
                return Err(Error::new(
                    name.span(),
                    format!("expected the settings of the policy: `{example}`"),
                ));
            }
        }
        let expr = input.parse::<Expr>()?;
        check_policy_expr(&expr)?;
        Ok(Self::Expr(Box::new(expr)))
    }
}

/// Refuses text, and our policies where they are not directly the value.
fn check_policy_expr(expr: &Expr) -> Result<()> {
    struct Ours(Option<Ident>);
    impl VisitMut for Ours {
        fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
            let has_settings = call.args.iter().any(|arg| matches!(arg, Expr::Assign(_)));
            if let (Some(name), true) = (lone_ident(&call.func), has_settings)
                && POLICIES.contains(&name.to_string().as_str())
            {
                self.0 = Some(name);
            } else {
                visit_mut::visit_expr_call_mut(self, call);
            }
        }
    }
    if let Expr::Lit(ExprLit { lit, .. }) = expr {
        let name = match lit {
            Lit::Str(text) if POLICIES.contains(&text.value().as_str()) => text.value(),
            _ => "exponential".to_owned(),
        };
        let settings = if name == "constant" { "delay = \"1s\"" } else { "" };
        let message =
            format!("expected a policy, such as `policy = {name}({settings})`, or an expression");
        return Err(Error::new(lit.span(), message));
    }
    let mut ours = Ours(None);
    ours.visit_expr_mut(&mut expr.clone());
    match ours.0 {
        Some(name) => Err(Error::new(
            name.span(),
            format!(
                "`{name}(…)` with settings works only directly after `policy =`; in an expression, write \
                 `RetryPolicy::{name}(…)` and its methods"
            ),
        )),
        None => Ok(()),
    }
}

/// Parses `name(content)` if it is one of our policies, or a slip for one.
fn parse_call(name: &Ident, content: ParseStream<'_>) -> Result<Option<PolicyArg>> {
    match name.to_string().as_str() {
        "constant" => {
            let leaf = parse_leaf(
                content,
                &[
                    "delay",
                    "jitter",
                    "retries",
                    "max_hint",
                    "on",
                    "deadline",
                    "attempt_timeout",
                    "retry_for",
                ],
            )?;
            if leaf.delay.is_none() {
                return Err(Error::new(
                    name.span(),
                    "`constant` needs a delay: `constant(delay = \"1s\")`",
                ));
            }
            Ok(Some(PolicyArg::Constant(Box::new(leaf))))
        }
        "exponential" => {
            const SETTINGS: &[&str] = &[
                "base_delay",
                "max_delay",
                "factor",
                "jitter",
                "retries",
                "max_hint",
                "on",
                "deadline",
                "attempt_timeout",
                "retry_for",
            ];
            Ok(Some(PolicyArg::Exponential(Box::new(parse_leaf(content, SETTINGS)?))))
        }
        "composite" => parse_composite(name.span(), content).map(Some),
        "never" if content.is_empty() => Ok(Some(PolicyArg::Never)),
        "never" => Err(content.error("`never` takes no settings; there is no retry to configure")),
        // A call of the user's own has no `name = value` arguments.
        _ if content.peek(Ident::peek_any)
            && content.peek2(Token![=])
            && !content.peek2(Token![==]) =>
        {
            Err(words::as_policy(name).unwrap_or_else(|| unknown("policy", name, POLICIES)))
        }
        _ => {
            content.parse::<proc_macro2::TokenStream>()?;
            Ok(None)
        }
    }
}

fn parse_leaf(content: ParseStream<'_>, settings: &[&str]) -> Result<Leaf> {
    let mut leaf = Leaf::default();
    let example = if settings.contains(&"delay") { "delay = \"1s\"" } else { "retries = 3" };
    arguments(content, &format!("a setting such as `{example}`"), |key| {
        if !settings.contains(&key.to_string().as_str()) {
            return Err(words::as_setting(key, settings)
                .unwrap_or_else(|| unknown("setting", key, settings)));
        }
        match key.to_string().as_str() {
            "delay" => set_once(&mut leaf.delay, key, parse_value(content, key)?),
            "base_delay" => set_once(&mut leaf.base_delay, key, parse_value(content, key)?),
            "max_delay" => set_once(&mut leaf.max_delay, key, parse_value(content, key)?),
            "factor" => set_once(&mut leaf.factor, key, parse_value(content, key)?),
            "jitter" => set_once(&mut leaf.jitter, key, parse_value(content, key)?),
            "retries" => set_once(&mut leaf.retries, key, parse_value(content, key)?),
            "max_hint" => set_once(&mut leaf.max_hint, key, parse_value(content, key)?),
            "on" => set_once(&mut leaf.on, key, parse_value(content, key)?),
            _ => parse_limit(&mut leaf.limits, key, content),
        }
    })?;
    Ok(leaf)
}

pub(crate) fn parse_limit(
    limits: &mut LimitArgs,
    key: &Ident,
    content: ParseStream<'_>,
) -> Result<()> {
    let named = limits.named_mut().into_iter().find(|(name, _)| key == name);
    named.map_or(Ok(()), |(_, limit)| set_once(limit, key, parse_value(content, key)?))
}

fn parse_composite(span: Span, content: ParseStream<'_>) -> Result<PolicyArg> {
    let mut composite = Members::default();
    while !content.is_empty() {
        if content.peek(Ident::peek_any) && content.peek2(Token![=]) && !content.peek2(Token![==]) {
            let key = content.parse::<Ident>()?;
            if !LIMITS.contains(&key.to_string().as_str()) {
                return Err(words::as_composite_setting(&key)
                    .unwrap_or_else(|| unknown("setting", &key, LIMITS)));
            }
            parse_limit(&mut composite.limits, &key, content)?;
        } else {
            composite.members.push(content.parse()?);
        }
        if content.is_empty() {
            break;
        }
        content.parse::<Token![,]>()?;
    }
    if composite.members.is_empty() {
        return Err(Error::new(
            span,
            "`composite` needs at least one member, such as `composite(constant(delay = \"1s\"), exponential())`",
        ));
    }
    Ok(PolicyArg::Composite(Box::new(composite)))
}

impl Parse for JitterArg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        const FAMILIES: &[&str] = &["none", "full", "equal", "decorrelated", "from_base"];
        let expr = input.parse::<Expr>()?;
        if let Expr::Lit(ExprLit { lit, .. }) = &expr {
            let named = match lit {
                Lit::Str(text) => FAMILIES.iter().find(|name| **name == text.value()),
                _ => None,
            };
            return Err(Error::new(
                lit.span(),
                match named {
                    Some(name) => {
                        format!("`jitter` takes a name without quotes: `jitter = {name}`")
                    }
                    None => "expected one of `none`, `full`, `equal`, `decorrelated`, `from_base`"
                        .to_owned(),
                },
            ));
        }
        let Some(name) = lone_ident(&expr) else {
            return Ok(Self::Expr(Box::new(expr)));
        };
        let text = name.to_string();
        let is_camel = text.starts_with(char::is_uppercase) && text.contains(char::is_lowercase);
        let meant = FAMILIES.iter().find(|family| text.to_lowercase() == family.replace('_', ""));
        if let (Some(family), true) = (meant, is_camel) {
            let message = format!("unknown jitter `{name}`; did you mean `{family}`?");
            return Err(Error::new(name.span(), message));
        }
        let variant = match name.to_string().as_str() {
            "none" => "None",
            "full" => "Full",
            "equal" => "Equal",
            "decorrelated" => "Decorrelated",
            "from_base" => "FromBase",
            // A constant of the user's own.
            other if other.starts_with(char::is_uppercase) => {
                return Ok(Self::Expr(Box::new(expr)));
            }
            _ => return Err(unknown("jitter", &name, FAMILIES)),
        };
        Ok(Self::Family { variant: Ident::new(variant, name.span()), name })
    }
}

impl Parse for RetriesArg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let expr = input.parse::<Expr>()?;
        match lone_ident(&expr).map(|name| name.to_string()).as_deref() {
            Some("unlimited") => return Ok(Self::Unlimited),
            Some("infinite" | "infinity" | "forever") => {
                return Err(Error::new(
                    expr.span(),
                    "write `retries = unlimited` to retry without a limit",
                ));
            }
            Some("none" | "never") => {
                return Err(Error::new(expr.span(), "write `retries = 0` to never retry"));
            }
            _ => {}
        }
        match &expr {
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => Err(Error::new(
                expr.span(),
                "`retries` cannot be negative; write `retries = 0` to never retry, or `retries = unlimited`",
            )),
            Expr::Lit(ExprLit { lit: Lit::Int(count), .. }) => match count.base10_parse::<u32>() {
                Ok(_) => Ok(Self::Count(Box::new(expr))),
                Err(_) => Err(Error::new(
                    count.span(),
                    "`retries` must fit in a `u32`; write `retries = unlimited` to retry without a limit",
                )),
            },
            Expr::Lit(ExprLit { lit, .. }) => Err(Error::new(
                lit.span(),
                "expected the number of attempts after the first, such as `retries = 2`",
            )),
            _ => Ok(Self::Count(Box::new(expr))),
        }
    }
}
