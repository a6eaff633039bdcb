use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Expr, ReturnType, Type,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use crate::{args::Args, item::AsyncFn, policy::PolicyArg};

mod captures;
mod hooks;
mod plan;

use hooks::Hooks;
use plan::Plan;

/// Rewrites the function; cannot fail.
///
/// ```text
/// Input:  #[retryable(policy = constant(delay = "1s"), on = is_transient)]
///         async fn push(client: &Client) -> Result<i64, Error> { client.lpush("k", 1).await }
///
/// Output: async fn push(client: &Client) -> Result<i64, Error> {
///             let mut call = Call::start(&const { RetryPolicy::constant(Duration::new(1, 0)) });
///             let mut begun = call.begin(&const { RetryPolicy::constant(Duration::new(1, 0)) });
///             loop {
///                 let ended = call.run(begun, async {
///                     if false { let never: Result<i64, Error> = loop {}; return never; }
///                     { client.lpush("k", 1).await }
///                 }).await;
///                 let (failed, error) = match call.finish(&"push", ended) {
///                     Ok(outcome) => return outcome,
///                     Err(failed) => failed,
///                 };
///                 let paused = match call.settle(
///                     &"push",
///                     &on(&const { RetryPolicy::constant(Duration::new(1, 0)) }, is_transient),
///                     &NOT_IDEMPOTENT,
///                     failed,
///                 ) {
///                     Break(outcome) => return outcome,
///                     Continue(paused) => paused,
///                 };
///                 if let Some((kept, reason)) = call.wait(paused).await {
///                     return call.fail(kept, reason);
///                 }
///                 begun = call.begin(&const { RetryPolicy::constant(Duration::new(1, 0)) });
///             }
///         }
/// ```
///
/// Each step takes what the one before it made, and nothing of a failure is left in a variable, or in the scrutinee of a
/// `match`, when the wait begins: there it would have to be `Send` for the call to be.
///
/// With hooks the verdict is taken apart instead, see [`Hooks`].
/// A `blocking` function runs a closure where the others await a block.
pub(crate) fn expand(args: &Args, item: &AsyncFn) -> TokenStream {
    let AsyncFn { attrs, vis, defaultness, sig, brace, body: _, frame } = item;
    let names = Names::new(args, item);
    let body = expand_body(args, item, &names);
    let (sig, brace, body) = match frame {
        None => (sig, brace, body),
        Some(frame) => (&frame.sig, &frame.brace, frame.refill(&body)),
    };
    let mut function = quote!(#(#attrs)* #vis #defaultness #sig);
    // The user's own brace: with a new one, `dead_code` is silent and `missing_docs` points at the attribute.
    brace.surround(&mut function, |inner| inner.extend(body));
    function
}

/// Makes a name of the expansion.
///
/// The body cannot see it, and no item can be called so: a pattern that is also the name of a constant, a static or a
/// unit struct means that item, whatever the hygiene of its span (actix makes a `struct stop;` of `async fn stop`).
pub(crate) fn hidden(name: &str, span: Span) -> Ident {
    Ident::new(&format!("__retryable_{name}"), span.resolved_at(Span::mixed_site()))
}

/// Moves tokens to where errors about them are to be reported.
pub(crate) fn located_at(tokens: &TokenStream, site: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(site));
        token
    });
    moved.collect()
}

/// Names of the expansion, and the path of the runtime.
pub(crate) struct Names {
    /// The return type with our hygiene: where a missing `Classify` or `From<Aborted>` has its cause.
    pub(crate) site: Span,
    pub(crate) private: TokenStream,
    pub(crate) runtime: TokenStream,
    pub(crate) call: Ident,
    pub(crate) begun: Ident,
    pub(crate) ended: Ident,
    pub(crate) failed: Ident,
    pub(crate) error: Ident,
    pub(crate) outcome: Ident,
}

impl Names {
    fn new(args: &Args, item: &AsyncFn) -> Self {
        let ours = || quote_spanned!(Span::mixed_site()=> ::retry_runtime);
        let runtime = args.krate.as_ref().map_or_else(ours, ToTokens::to_token_stream);
        let hidden = |name| hidden(name, Span::mixed_site());
        Self {
            site: return_span(item),
            private: quote_spanned!(Span::mixed_site()=> #runtime::__private),
            runtime,
            call: hidden("call"),
            begun: hidden("begun"),
            ended: hidden("ended"),
            failed: hidden("failed"),
            error: hidden("error"),
            outcome: hidden("outcome"),
        }
    }
}

fn expand_body(args: &Args, item: &AsyncFn, names: &Names) -> TokenStream {
    let Names { private, call, begun, outcome, .. } = names;
    let plan = Plan::new(args, names);
    let hooks = Hooks::new(args, names);
    let (bindings, start, policy) = (&plan.bindings, &plan.start, &plan.begin);
    let operation = operation(args, item);
    let start_fn = match (hooks.is_empty(), args.guards.is_empty()) {
        (true, true) => quote!(start),
        (true, false) => quote!(start_guarded),
        (false, true) => quote!(watched),
        (false, false) => quote!(watched_guarded),
    };
    let start = quote_spanned! {Span::mixed_site()=>
        #bindings
        let mut #call = #private::Call::#start_fn(#start);
        #call.open(&#operation);
    };
    let begin = quote_spanned!(Span::mixed_site()=> #call.begin(#policy));
    let attempt = expand_attempt(args, item, names, bindings);
    let settle = expand_settle(args, item, names, &plan);
    if !hooks.is_empty() {
        return hooks.expand(&start, &begin, &attempt, &settle);
    }
    let wait = match args.blocking {
        Some(_) => quote_spanned!(Span::mixed_site()=> #call.wait_blocking(__retryable_paused)),
        None => quote_spanned!(Span::mixed_site()=> #call.wait(__retryable_paused).await),
    };
    let fail = quote_spanned!(names.site=> #call.fail(__retryable_kept, __retryable_reason));
    quote_spanned! {Span::mixed_site()=>
        #start
        let mut #begun = #begin;
        loop {
            #attempt
            let __retryable_paused = match #settle {
                #private::Break(#outcome) => return #outcome,
                #private::Continue(__retryable_paused) => __retryable_paused,
            };
            if let #private::Option::Some((__retryable_kept, __retryable_reason)) = #wait {
                return #fail;
            }
            #begun = #begin;
        }
    }
}

/// The name that hooks and telemetry know the operation by.
pub(crate) fn operation(args: &Args, item: &AsyncFn) -> String {
    args.name.as_ref().map_or_else(|| item.sig.ident.to_string(), syn::LitStr::value)
}

/// Runs an attempt, and returns from the function if it succeeds.
fn expand_attempt(
    args: &Args,
    item: &AsyncFn,
    names: &Names,
    bindings: &TokenStream,
) -> TokenStream {
    let Names { private, call, begun, ended, failed, error, outcome, .. } = names;
    let number = args
        .attempt
        .as_ref()
        .map(|attempt| quote_spanned!(Span::mixed_site()=> let #attempt = #begun.attempt();));
    let block = expand_block(item, bindings);
    let refused = match &args.before {
        Some(_) => quote_spanned!(Span::mixed_site()=> __retryable_refused,),
        None => TokenStream::new(),
    };
    let run = match (&args.blocking, &args.before) {
        (None, None) => quote!(#call.run(#begun, #block).await),
        (None, Some(_)) => quote!(#call.run_unless(#refused #begun, #block).await),
        (Some(_), None) => quote!(#call.run_blocking(#begun, #block)),
        (Some(_), Some(_)) => quote!(#call.run_blocking_unless(#refused #begun, #block)),
    };
    let finish = expand_finish(args, item, names);
    let operation = operation(args, item);
    let explain = quote_spanned! {names.site=>
        let #failed = #call.explain(&#operation, #failed, #error.printer().print());
    };
    quote_spanned! {Span::mixed_site()=>
        #number
        let #ended = #run;
        let (#failed, #error) = match #finish {
            #private::Result::Ok(#outcome) => return #outcome,
            #private::Result::Err(#failed) => #failed,
        };
        #explain
    }
}

/// Puts the body in an `async` block, which is not `move`: `&mut` arguments are lent to each attempt again, and
/// `?` and `return` end the attempt, wherever they stand.
///
/// ```text
/// Input:  -> Result<i64, Error> { client.lpush("k", 1).await }
/// Output: async {
///             if false { let never: Result<i64, Error> = loop {}; return never; }
///             { client.lpush("k", 1).await }
///         }
/// ```
///
/// The body of a `blocking` function becomes a closure that borrows just as well.
fn expand_block(item: &AsyncFn, bindings: &TokenStream) -> TokenStream {
    let hint = expand_hint(item, bindings);
    let body = &item.body;
    // A group of its own, because a `use` in the body would otherwise shadow the types of the hint; spanned at the
    // user's brace, so that a missing tail value is reported there, with hygiene of ours, so that `unused_braces`
    // stays quiet.
    let user = item.brace.span.join();
    let span = user.resolved_at(Span::mixed_site());
    let body = quote_spanned!(span=> { #body });
    // The block is the user's as well: code coverage counts nothing in one that a macro has written.
    if item.sig.asyncness.is_some() {
        quote_spanned!(user=> async { #hint #body })
    } else {
        quote_spanned!(user=> || { #hint #body })
    }
}

/// Tells rustc what the block returns, so that a mismatch is reported at the user's `return` or tail value, and how to
/// borrow the arguments, see [`captures`].
fn expand_hint(item: &AsyncFn, bindings: &TokenStream) -> TokenStream {
    let ReturnType::Type(_, ty) = &item.sig.output else { return TokenStream::new() };
    let captures = captures::exclusive(item, bindings);
    let mut ty = Type::clone(ty);
    EraseImplTrait.visit_type_mut(&mut ty);
    quote_spanned! {ty.span()=>
        #[allow(
            unknown_lints,
            unreachable_code,
            unused_variables,
            clippy::diverging_sub_expression,
            clippy::empty_loop,
            clippy::let_unit_value,
            clippy::let_with_type_underscore,
            clippy::needless_return
        )]
        if false {
            let __retryable_never: #ty = loop {};
            return __retryable_never;
            #captures
        }
    }
}

/// Replaces `impl Trait`, which a `let` cannot have as its type, by `_`.
struct EraseImplTrait;

impl VisitMut for EraseImplTrait {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(_) = ty {
            *ty = syn::parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}

fn return_span(item: &AsyncFn) -> Span {
    let span = match &item.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => item.sig.ident.span(),
    };
    span.resolved_at(Span::mixed_site())
}

fn expand_finish(args: &Args, item: &AsyncFn, names: &Names) -> TokenStream {
    let call = &names.call;
    let operation = operation(args, item);
    let span = names.site;
    let ended = hidden("ended", span);
    let (method, retry_value) = match &args.on_ok {
        None => ("finish", TokenStream::new()),
        Some(closure @ Expr::Closure(_)) => ("finish_wanted", quote!(, #closure)),
        Some(function) => {
            let wanted = quote_spanned!(Span::mixed_site()=> , |__retryable_value| (#function)(__retryable_value));
            ("finish_wanted", wanted)
        }
    };
    let method = Ident::new(method, span);
    let arguments = quote_spanned!(span=> (&#operation, #ended #retry_value));
    quote_spanned!(span=> #call.#method #arguments)
}

fn expand_settle(args: &Args, item: &AsyncFn, names: &Names, plan: &Plan) -> TokenStream {
    let Names { private, call, .. } = names;
    let operation = operation(args, item);
    let rule = if args.idempotent.is_some() {
        format_ident!("IDEMPOTENT")
    } else {
        format_ident!("NOT_IDEMPOTENT")
    };
    let rule = quote_spanned!(names.site=> #private::#rule);
    // Only our own policies are known to ask the errors; others may name them.
    let rule = if args.on.is_none() && args.policy.as_ref().is_none_or(PolicyArg::asks_errors) {
        let error = hidden("error", names.site);
        quote_spanned!(names.site=> #error.by_disposition(#rule))
    } else {
        rule
    };
    let span = names.site;
    let (method, stopped) = match &args.before {
        Some(_) => ("judge_if", quote_spanned!(Span::mixed_site()=> __retryable_stopped,)),
        None if Hooks::wanted(args) => ("judge", TokenStream::new()),
        None => ("settle", TokenStream::new()),
    };
    let method = Ident::new(method, span);
    let policy = &plan.settle;
    let failed = hidden("failed", span);
    let arguments = quote_spanned!(span=> (#stopped &#operation, #policy, &#rule, #failed));
    quote_spanned!(span=> #call.#method #arguments)
}
