//! Values that compile, or nearly do, and cannot be what was meant.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Expr, ExprLit, Lit, Path, PathArguments, Result};

use crate::{
    args::{Args, Guards},
    duration::DurationArg,
    policy::{JitterArg, Leaf, LimitArgs, PolicyArg, RetriesArg},
};

/// Refuses values of `on` that are no rule.
pub(crate) fn check_rule(rule: Option<&Expr>) -> Result<()> {
    let Some(rule) = rule else { return Ok(()) };
    let fix = match rule {
        Expr::Closure(closure) => {
            let Some(asyncness) = closure.asyncness else { return Ok(()) };
            return Err(Error::new(asyncness.span, "`on` cannot wait; remove `async`"));
        }
        Expr::Path(path) if is_variant(&path.path) => matching(rule),
        _ if inside_err(rule).is_some() => matching(rule),
        Expr::Call(call) if is_pattern(rule) => match &*call.func {
            Expr::Path(_) => matching(rule),
            _ => return Ok(()),
        },
        Expr::Binary(_) | Expr::Struct(_) if is_pattern(rule) => matching(rule),
        Expr::Macro(call) if call.mac.path.is_ident("matches") => {
            "on = |error| matches!(error, …)".to_owned()
        }
        Expr::Lit(ExprLit { lit: Lit::Bool(all), .. }) if all.value => "on = |_| true".to_owned(),
        Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_) => "on = |error| …".to_owned(),
        _ => return Ok(()),
    };
    let message = format!("`on` takes a closure, a function, or an error class set; write `{fix}`");
    Err(Error::new_spanned(rule, message))
}

/// Refuses hooks and `on_ok` that cannot be called.
pub(crate) fn check_callables(args: &Args) -> Result<()> {
    let Args { on_ok, before, on_failure, on_give_up, .. } = args;
    let callables = [
        ("on_ok", on_ok, "value"),
        ("before", before, "attempt"),
        ("on_failure", on_failure, "failure"),
        ("on_give_up", on_give_up, "end"),
    ];
    for (name, callable, argument) in callables {
        if let Some(value @ (Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_))) = callable {
            let message =
                format!("`{name}` takes a closure or a function; write `{name} = |{argument}| …`");
            return Err(Error::new_spanned(value, message));
        }
    }
    Ok(())
}

/// Writes the closure that compares an error with what looks like a pattern.
fn matching(rule: &Expr) -> String {
    // A rule sees the error alone.
    if let Some(inner) = inside_err(rule) {
        return match inner {
            Expr::Infer(_) => "on = |_| true".to_owned(),
            inner => matching(inner),
        };
    }
    let text = rule.to_token_stream().to_string();
    let text = text.replace(" :: ", "::").replace(" (", "(").replace("( ", "(").replace(" )", ")");
    if text.contains("ErrorKind::") {
        format!("on = |error| matches!(error.kind(), {text})")
    } else {
        format!("on = |error| matches!(error, {text})")
    }
}

/// Returns `pattern` of `Err(pattern)`.
fn inside_err(rule: &Expr) -> Option<&Expr> {
    match rule {
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(path) if path.path.is_ident("Err") => call.args.first(),
            _ => None,
        },
        _ => None,
    }
}

/// Tells `Error::Variant` from a function, a constant or a value.
fn is_variant(path: &Path) -> bool {
    let is_camel =
        |name: &str| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
    let mut segments = path.segments.iter().rev();
    let last = segments.next();
    last.is_some_and(|last| {
        matches!(last.arguments, PathArguments::None) && is_camel(&last.ident.to_string())
    }) && segments.next().is_some_and(|owner| is_camel(&owner.ident.to_string()))
}

/// Tells whether an expression makes sense as a pattern only.
fn is_pattern(expr: &Expr) -> bool {
    match expr {
        Expr::Infer(_) => true,
        Expr::Range(range) => range.start.is_none() && range.end.is_none(),
        Expr::Path(path) => is_variant(&path.path),
        Expr::Call(call) => call.args.iter().any(|arg| {
            matches!(arg, Expr::Infer(_) | Expr::Range(_))
                || matches!(arg, Expr::Call(_)) && is_pattern(arg)
        }),
        Expr::Struct(value) => value.dot2_token.is_some() && value.rest.is_none(),
        Expr::Binary(binary) => is_pattern(&binary.left) || is_pattern(&binary.right),
        _ => false,
    }
}

/// Refuses guards that are made where they are used: each call would have its own.
pub(crate) fn check_guards(guards: &Guards) -> Result<()> {
    let Guards { budget, breaker, cancel, .. } = guards;
    let made = [
        (budget, "budget", "never runs out", "BUDGET", "Budget"),
        (breaker, "breaker", "never opens", "BREAKER", "CircuitBreaker"),
    ];
    for (guard, name, fault, place, ty) in made {
        if let Some(guard) = guard
            && is_made(guard)
        {
            return Err(Error::new_spanned(
                guard,
                format!(
                    "this creates a new {name} for every call, so it {fault}; share one: \
                     `static {place}: LazyLock<{ty}> = LazyLock::new({ty}::new);`, and write `{name} = {place}`"
                ),
            ));
        }
    }
    match cancel {
        Some(token) if is_made(token) => Err(Error::new_spanned(
            token,
            "this creates a new token for every call, so nothing can cancel it; take one as an argument, or from `self`",
        )),
        _ => Ok(()),
    }
}

fn is_made(expr: &Expr) -> bool {
    match expr {
        Expr::Reference(reference) => is_made(&reference.expr),
        Expr::MethodCall(call) => is_made(&call.receiver),
        Expr::Try(tried) => is_made(&tried.expr),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                is_maker(&path.path) || wraps(&path.path) && call.args.iter().any(is_made)
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_maker(path: &Path) -> bool {
    let mut segments = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let (Some(function), Some(ty)) = (segments.next(), segments.next()) else { return false };
    matches!(function.as_str(), "new" | "default" | "builder")
        && matches!(
            ty.as_str(),
            "Budget"
                | "BudgetBuilder"
                | "CircuitBreaker"
                | "CircuitBreakerBuilder"
                | "CancellationToken"
                | "Default"
        )
}

fn wraps(path: &Path) -> bool {
    let mut segments = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    segments.next().is_some_and(|function| function == "new")
        && segments
            .next()
            .is_some_and(|ty| matches!(ty.as_str(), "Arc" | "Rc" | "Box" | "LazyLock"))
}

/// Refuses limits under which something that was asked for never happens.
pub(crate) fn check_limits(args: &Args) -> Result<()> {
    check_pair(&args.limits)?;
    args.policy.as_ref().map_or(Ok(()), check_limits_of)
}

fn check_limits_of(policy: &PolicyArg) -> Result<()> {
    match policy {
        PolicyArg::Constant(leaf) => check_pair(&leaf.limits).and_then(|()| check_first_wait(leaf)),
        PolicyArg::Exponential(leaf) => {
            check_pair(&leaf.limits).and_then(|()| check_first_wait(leaf))
        }
        PolicyArg::Composite(composite) => {
            check_pair(&composite.limits)?;
            composite.members.iter().try_for_each(check_limits_of)
        }
        PolicyArg::Never | PolicyArg::Expr(_) => Ok(()),
    }
}

fn check_pair(limits: &LimitArgs) -> Result<()> {
    let zero = |limit: Option<&DurationArg>, message: &str| match limit {
        Some(DurationArg::Literal { nanos: 0, span, .. }) => Err(Error::new(*span, message)),
        _ => Ok(()),
    };
    zero(
        limits.deadline.as_ref(),
        "a deadline of zero prevents every attempt; remove it to set no deadline",
    )?;
    zero(
        limits.attempt_timeout.as_ref(),
        "an attempt timeout of zero aborts every attempt that has to wait; remove it to set no timeout",
    )?;
    zero(
        limits.retry_for.as_ref(),
        "`retry_for` of zero allows no retry; write `retries = 0`, or remove it to set no limit",
    )?;
    let Some((deadline, whole)) = literal(limits.deadline.as_ref()) else { return Ok(()) };
    for (name, limit) in limits.named() {
        if let Some(DurationArg::Literal { nanos, text, span }) = limit
            && *nanos > deadline
        {
            return Err(Error::new(
                *span,
                format!(
                    "`{name}` ({text}) is longer than `deadline` ({whole}), so it never applies; shorten it"
                ),
            ));
        }
    }
    Ok(())
}

/// A limit that the first wait would pass ends every call at its first failure.
fn check_first_wait(leaf: &Leaf) -> Result<()> {
    check_wait_before(leaf, "deadline", leaf.limits.deadline.as_ref())?;
    check_wait_before(leaf, "retry_for", leaf.limits.retry_for.as_ref())
}

fn check_wait_before(leaf: &Leaf, name: &str, limit: Option<&DurationArg>) -> Result<()> {
    let never = matches!(&leaf.retries, Some(RetriesArg::Count(count)) if is_zero(count));
    let wait = literal(leaf.delay.as_ref()).or_else(|| literal(leaf.base_delay.as_ref()));
    let (Some((end, text)), Some((wait, wait_text)), false) = (literal(limit), wait, never) else {
        return Ok(());
    };
    // What jitter leaves of the wait at least.
    let least = match &leaf.jitter {
        None if leaf.delay.is_some() => wait,
        Some(JitterArg::Family { variant, .. }) if variant == "None" || variant == "FromBase" => {
            wait
        }
        Some(JitterArg::Family { variant, .. }) if variant == "Equal" => wait / 2,
        _ => return Ok(()),
    };
    if least < end {
        return Ok(());
    }
    Err(Error::new(
        limit.map_or_else(Span::call_site, DurationArg::span),
        format!(
            "no retry fits: the first wait ({wait_text}) would exceed `{name}` ({text}); raise the limit, or write `retries = 0`"
        ),
    ))
}

fn is_zero(count: &Expr) -> bool {
    matches!(count, Expr::Lit(ExprLit { lit: Lit::Int(value), .. }) if value.base10_digits() == "0")
}

fn literal(duration: Option<&DurationArg>) -> Option<(u128, &str)> {
    match duration {
        Some(DurationArg::Literal { nanos, text, .. }) => Some((*nanos, text)),
        _ => None,
    }
}

/// The rules of all members.
pub(crate) fn check_member_rules(policy: &PolicyArg) -> Result<()> {
    match policy {
        PolicyArg::Constant(leaf) | PolicyArg::Exponential(leaf) => check_rule(leaf.on.as_ref()),
        PolicyArg::Composite(composite) => {
            composite.members.iter().try_for_each(check_member_rules)
        }
        PolicyArg::Never | PolicyArg::Expr(_) => Ok(()),
    }
}
