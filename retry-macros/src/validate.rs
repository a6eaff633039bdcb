use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{
    Error, Expr, ExprLit, ExprUnary, FnArg, Lit, Pat, Receiver, ReceiverKind, Result, ReturnType,
    Signature, Type, UnOp,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use crate::{
    args::Args,
    duration::DurationArg,
    item::AsyncFn,
    misuse,
    policy::{JitterArg, Leaf, LimitArgs, PolicyArg},
};

/// Checks the function; every mistake found is reported.
pub(crate) fn item(item: &AsyncFn, blocking: Option<&Ident>) -> Result<()> {
    let sig = &item.sig;
    check_stacked(item)?;
    // A function that is not async needs no advice about its arguments.
    check_const(sig)?;
    match blocking {
        Some(blocking) => check_blocking(sig, blocking)?,
        None => check_async(sig, &item.body)?,
    }
    combine([check_return(sig), check_mut_arguments(sig)])
}

/// Checks the arguments against each other.
pub(crate) fn args(args: &Args) -> Result<()> {
    let misuse = combine([
        misuse::check_rule(args.on.as_ref()),
        misuse::check_callables(args),
        misuse::check_guards(&args.guards),
    ]);
    let Some(policy) = &args.policy else { return misuse };
    let uncut = match args.blocking {
        Some(_) => combine([check_uncut(policy), check_no_timeout(&args.limits)]),
        None => Ok(()),
    };
    // Of an attempt timeout that is refused, nothing else is said.
    let limits = uncut.and_then(|()| misuse::check_limits(args));
    combine([misuse, check_policy(policy), misuse::check_member_rules(policy), limits])
}

fn check_uncut(policy: &PolicyArg) -> Result<()> {
    let (limits, members) = match policy {
        PolicyArg::Constant(leaf) | PolicyArg::Exponential(leaf) => (&leaf.limits, &[][..]),
        PolicyArg::Composite(composite) => (&composite.limits, &composite.members[..]),
        PolicyArg::Never | PolicyArg::Expr(_) => return Ok(()),
    };
    combine(std::iter::once(check_no_timeout(limits)).chain(members.iter().map(check_uncut)))
}

fn check_no_timeout(limits: &LimitArgs) -> Result<()> {
    match &limits.attempt_timeout {
        Some(timeout) => Err(Error::new(
            timeout.span(),
            "an attempt that blocks its thread cannot be aborted; remove `attempt_timeout` and give the operation its own \
             timeout",
        )),
        None => Ok(()),
    }
}

fn check_blocking(sig: &Signature, blocking: &Ident) -> Result<()> {
    match sig.asyncness {
        Some(_) => Err(Error::new(
            blocking.span(),
            "`blocking` is for functions that block their thread; remove it from an `async fn`",
        )),
        None => Ok(()),
    }
}

pub(crate) fn combine(checks: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let errors = checks.into_iter().filter_map(Result::err);
    errors
        .reduce(|mut all, error| {
            all.combine(error);
            all
        })
        .map_or(Ok(()), Err)
}

/// The outer of two is expanded first, and sees the inner one.
fn check_stacked(item: &AsyncFn) -> Result<()> {
    let is_ours = |attr: &&syn::Attribute| {
        attr.path().segments.last().is_some_and(|segment| segment.ident == "retryable")
    };
    match item.attrs.iter().find(is_ours) {
        Some(attr) => Err(Error::new_spanned(
            attr.path(),
            "two `#[retryable]` attributes on one function multiply their attempts; keep one, with \
             `policy = composite(…)` if they retry different errors",
        )),
        None => Ok(()),
    }
}

fn check_const(sig: &Signature) -> Result<()> {
    match &sig.constness {
        Some(constness) => Err(Error::new_spanned(
            constness,
            "`#[retryable]` cannot be applied to a `const fn`, which cannot wait; remove `const`",
        )),
        None => Ok(()),
    }
}

fn check_async(sig: &Signature, body: &TokenStream) -> Result<()> {
    if sig.asyncness.is_some() {
        return Ok(());
    }
    let message = if returns_boxed_future(&sig.output) {
        "`#[retryable]` needs an `async fn`, but `#[async_trait]` has already rewritten this one; move the body to an \
         `async fn` outside the trait, or use a native `async fn` in the trait"
    } else if runs_a_runtime(body) {
        "`#[retryable]` needs an `async fn`, but this function runs its own runtime; if an attribute above does that, \
         put `#[retryable]` first"
    } else {
        "`#[retryable]` needs an `async fn`; write `async fn`, or `#[retryable(blocking)]` to retry a function that \
         blocks its thread"
    };
    Err(Error::new_spanned(sig.fn_token, message))
}

/// Recognises what attributes such as `#[tokio::main]` make of a function, where the body is not found in it.
fn runs_a_runtime(body: &TokenStream) -> bool {
    body.clone().into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == "block_on",
        TokenTree::Group(group) => runs_a_runtime(&group.stream()),
        _ => false,
    })
}

/// Recognises `Pin<Box<…>>`, which is what `#[async_trait]` leaves behind: it always runs before us.
fn returns_boxed_future(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    is_pin(ty)
}

fn check_return(sig: &Signature) -> Result<()> {
    match &sig.output {
        ReturnType::Default => Err(Error::new(
            sig.ident.span(),
            "`#[retryable]` needs a function that returns `Result`; only an `Err` can be retried",
        )),
        ReturnType::Type(..) => Ok(()),
    }
}

fn check_mut_arguments(sig: &Signature) -> Result<()> {
    combine(sig.inputs.iter().map(|argument| match argument {
        FnArg::Receiver(receiver) => check_receiver(receiver),
        FnArg::Typed(argument) => check_pattern(&argument.pat),
    }))
}

fn check_receiver(receiver: &Receiver) -> Result<()> {
    let Some(mutability) = &receiver.mutability else { return Ok(()) };
    match &receiver.kind {
        // A pinned reference is used through `as_mut`, which needs `mut`; what it points to is shared as with `&mut`.
        ReceiverKind::Typed(_, ty) if is_pin(ty) => Ok(()),
        _ => Err(Error::new_spanned(mutability, MUT_ARGUMENT)),
    }
}

const MUT_ARGUMENT: &str = "a `mut` argument keeps its value from one attempt to the next; remove `mut` and rebind a \
                            copy inside the body: `let mut x = x.clone();`";

fn is_pin(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Pin"),
        // A type that a `macro_rules!` macro passes on.
        Type::Group(group) => is_pin(&group.elem),
        Type::Paren(paren) => is_pin(&paren.elem),
        _ => false,
    }
}

fn check_pattern(pattern: &Pat) -> Result<()> {
    struct MutBindings(Vec<Span>);
    impl VisitMut for MutBindings {
        fn visit_pat_ident_mut(&mut self, ident: &mut syn::PatIdent) {
            if let (Some(mutability), None) = (&ident.mutability, &ident.by_ref) {
                self.0.push(mutability.span());
            }
            visit_mut::visit_pat_ident_mut(self, ident);
        }
    }
    let mut bindings = MutBindings(Vec::new());
    bindings.visit_pat_mut(&mut pattern.clone());
    combine(bindings.0.into_iter().map(|span| Err(Error::new(span, MUT_ARGUMENT))))
}

fn check_policy(policy: &PolicyArg) -> Result<()> {
    match policy {
        PolicyArg::Constant(leaf) => check_constant_jitter(leaf),
        PolicyArg::Exponential(leaf) => combine([check_max_delay(leaf), check_factor(leaf)]),
        PolicyArg::Composite(composite) => combine(composite.members.iter().map(check_policy)),
        PolicyArg::Never | PolicyArg::Expr(_) => Ok(()),
    }
}

fn check_constant_jitter(leaf: &Leaf) -> Result<()> {
    match &leaf.jitter {
        Some(JitterArg::Family { variant, name })
            if variant == "Decorrelated" || variant == "FromBase" =>
        {
            Err(Error::new(
                name.span(),
                format!(
                    "`{name}` jitter does nothing to a constant delay; use `full` or `equal`, or `exponential(…)`"
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn check_max_delay(leaf: &Leaf) -> Result<()> {
    let Some(DurationArg::Literal { nanos: max, text, span }) = &leaf.max_delay else {
        return Ok(());
    };
    match &leaf.base_delay {
        Some(DurationArg::Literal { nanos: base, text: base_text, .. }) if max < base => Err(
            Error::new(*span, format!("`max_delay` ({text}) is below `base_delay` ({base_text})")),
        ),
        // A base that is not set is no longer than the longest delay.
        _ => Ok(()),
    }
}

fn check_factor(leaf: &Leaf) -> Result<()> {
    let Some(factor) = &leaf.factor else { return Ok(()) };
    let value = match factor {
        Expr::Lit(ExprLit { lit: Lit::Float(value), .. }) => value.base10_parse::<f64>()?,
        Expr::Lit(ExprLit { lit: Lit::Int(value), .. }) => value.base10_parse::<f64>()?,
        Expr::Lit(ExprLit { lit, .. }) => {
            return Err(Error::new(lit.span(), "expected a number, such as `factor = 2.0`"));
        }
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => -1.0,
        _ => return Ok(()),
    };
    if value >= 1.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::new(
        factor.span(),
        "`factor` must be a finite number of at least 1, so that delays do not shrink; `factor = 1.0` keeps them constant",
    ))
}
