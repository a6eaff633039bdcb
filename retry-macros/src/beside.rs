//! Settings that stand beside the policy: they belong to it, or limit one that has a name.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Error, Expr, Result};

use crate::{
    args::Args,
    policy::{LimitArgs, PolicyArg, RetriesArg},
    words,
};

/// Moves the settings into a policy that is written in the attribute, so that they are checked and expanded there.
///
/// ```text
/// Input:  policy = constant(delay = "1s"), retries = 5, deadline = "30s"
/// Output: policy = constant(delay = "1s", retries = 5, deadline = "30s")
/// ```
///
/// The limits of `never()` and of an expression stay: they are put around it.
pub(crate) fn join(args: &mut Args) -> Result<()> {
    if args.beside.is_empty() {
        return Ok(());
    }
    let beside = std::mem::take(&mut args.beside);
    let policy = args.policy.get_or_insert_with(|| PolicyArg::Exponential(Box::default()));
    let retries = args.retries.take();
    match policy {
        PolicyArg::Constant(leaf) | PolicyArg::Exponential(leaf) => {
            move_into(&mut leaf.retries, retries, "retries", &beside)?;
            join_limits(&mut leaf.limits, &mut args.limits, &beside)
        }
        PolicyArg::Composite(composite) => {
            join_limits(&mut composite.limits, &mut args.limits, &beside)?;
            retries.map_or(Ok(()), |_| Err(in_members(&beside)))
        }
        PolicyArg::Never => retries.map_or(Ok(()), |retries| {
            let message = format!(
                "`never()` makes no retry; write `policy = exponential(retries = {})`",
                written(&retries)
            );
            Err(Error::new(span_of("retries", &beside), message))
        }),
        PolicyArg::Expr(policy) => retries.map_or(Ok(()), |retries| {
            Err(Error::new(span_of("retries", &beside), of_expression(policy, &retries)))
        }),
    }
}

fn join_limits(limits: &mut LimitArgs, outer: &mut LimitArgs, beside: &[Ident]) -> Result<()> {
    for ((name, inner), (_, outer)) in limits.named_mut().into_iter().zip(outer.named_mut()) {
        move_into(inner, outer.take(), name, beside)?;
    }
    Ok(())
}

fn move_into<T>(
    slot: &mut Option<T>,
    outer: Option<T>,
    name: &str,
    beside: &[Ident],
) -> Result<()> {
    match (slot.is_some(), outer) {
        (true, Some(_)) => Err(Error::new(
            span_of(name, beside),
            format!("`{name}` is set twice: here and inside the policy; keep one"),
        )),
        (false, Some(value)) => {
            *slot = Some(value);
            Ok(())
        }
        (_, None) => Ok(()),
    }
}

fn span_of(name: &str, beside: &[Ident]) -> Span {
    beside.iter().find(|key| *key == name).map_or_else(Span::call_site, Ident::span)
}

fn in_members(beside: &[Ident]) -> Error {
    let key = Ident::new("retries", span_of("retries", beside));
    words::as_composite_setting(&key)
        .unwrap_or_else(|| Error::new(key.span(), "`retries` is a setting of each member"))
}

fn of_expression(policy: &Expr, retries: &RetriesArg) -> String {
    let text = policy.to_token_stream().to_string();
    let text = text.replace(" :: ", "::").replace(" . ", ".").replace(" (", "(").replace("& ", "&");
    // What is longer, or starts with an operator, is not worth repeating.
    let text = match policy {
        Expr::Path(_) | Expr::Field(_) | Expr::Call(_) | Expr::MethodCall(_)
            if text.len() <= 40 =>
        {
            text.as_str()
        }
        _ => "(…)",
    };
    let method = match retries {
        RetriesArg::Unlimited => "unlimited()".to_owned(),
        RetriesArg::Count(_) => format!("retries({})", written(retries)),
    };
    format!("a policy that has a name keeps its own `retries`; write `policy = {text}.{method}`")
}

fn written(retries: &RetriesArg) -> String {
    match retries {
        RetriesArg::Unlimited => "unlimited".to_owned(),
        RetriesArg::Count(count) => count.to_token_stream().to_string(),
    }
}
