use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Expr, ReturnType, Type,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use crate::{args::Args, item::AsyncFn};

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
///                     if false { let unreachable: Result<i64, Error> = loop {}; return unreachable; }
///                     { client.lpush("k", 1).await }
///                 }).await;
///                 let failed = match call.finish(&"push", ended, keep_value) {
///                     Ok(outcome) => return outcome,
///                     Err(failed) => failed,
///                 };
///                 match call.settle(
///                     &"push",
///                     &on(&const { RetryPolicy::constant(Duration::new(1, 0)) }, is_transient),
///                     &NOT_IDEMPOTENT,
///                     failed,
///                 ) {
///                     Break(outcome) => return outcome,
///                     Continue(paused) => if let Some(outcome) = call.wait(paused).await { return outcome },
///                 }
///                 begun = call.begin(&const { RetryPolicy::constant(Duration::new(1, 0)) });
///             }
///         }
/// ```
///
/// With hooks the verdict is taken apart instead, see [`Hooks`].
/// A `blocking` function runs a closure where the others await a block.
pub(crate) fn expand(args: &Args, item: &AsyncFn) -> TokenStream {
    let AsyncFn { attrs, vis, defaultness, sig, brace, body: _ } = item;
    let names = Names::new(args);
    let body = expand_body(args, item, &names);
    let mut function = quote!(#(#attrs)* #vis #defaultness #sig);
    // The user's own brace: with a new one, `dead_code` is silent and `missing_docs` points at the attribute.
    brace.surround(&mut function, |inner| inner.extend(body));
    function
}

/// Names of the expansion that the body cannot see, and the path of the runtime.
pub(crate) struct Names {
    pub(crate) private: TokenStream,
    pub(crate) runtime: TokenStream,
    pub(crate) call: Ident,
    pub(crate) begun: Ident,
    pub(crate) ended: Ident,
    pub(crate) failed: Ident,
    pub(crate) outcome: Ident,
}

impl Names {
    fn new(args: &Args) -> Self {
        let runtime =
            args.krate.as_ref().map_or_else(|| quote!(::retry_runtime), ToTokens::to_token_stream);
        let hidden = |name| Ident::new(name, Span::mixed_site());
        Self {
            private: quote!(#runtime::__private),
            runtime,
            call: hidden("call"),
            begun: hidden("begun"),
            ended: hidden("ended"),
            failed: hidden("failed"),
            outcome: hidden("outcome"),
        }
    }
}

fn expand_body(args: &Args, item: &AsyncFn, names: &Names) -> TokenStream {
    let Names { private, call, begun, ended, failed, outcome, .. } = names;
    let plan = Plan::new(args, item, names);
    let hooks = Hooks::new(args, names);
    let (bindings, start, policy) = (&plan.bindings, &plan.start, &plan.begin);
    let start_fn = match (hooks.is_empty(), args.guards.is_empty()) {
        (true, true) => quote!(start),
        (true, false) => quote!(start_guarded),
        (false, true) => quote!(watched),
        (false, false) => quote!(watched_guarded),
    };
    let number = args
        .attempt
        .as_ref()
        .map(|attempt| quote_spanned!(Span::mixed_site()=> let #attempt = #begun.attempt();));
    let run = expand_run(args, item, names);
    let attempt = quote_spanned! {Span::mixed_site()=>
        #number
        let #ended = #run;
    };
    let begin = quote_spanned!(Span::mixed_site()=> #call.begin(#policy));
    let finish = expand_finish(args, item, names);
    let settle = expand_settle(args, item, names, &plan);

    if hooks.is_empty() {
        let wait = match args.blocking {
            Some(_) => quote_spanned!(Span::mixed_site()=> #call.wait_blocking(paused)),
            None => quote_spanned!(Span::mixed_site()=> #call.wait(paused).await),
        };
        return quote_spanned! {Span::mixed_site()=>
            #bindings
            let mut #call = #private::Call::#start_fn(#start);
            let mut #begun = #begin;
            loop {
                #attempt
                let #failed = match #finish {
                    #private::Result::Ok(#outcome) => return #outcome,
                    #private::Result::Err(failed) => failed,
                };
                match #settle {
                    #private::Break(#outcome) => return #outcome,
                    #private::Continue(paused) => {
                        if let #private::Option::Some(#outcome) = #wait {
                            return #outcome;
                        }
                    }
                }
                #begun = #begin;
            }
        };
    }
    let start = quote!(#bindings let mut #call = #private::Call::#start_fn(#start););
    hooks.expand(&start, &begin, &attempt, &finish, &settle)
}

/// The name that hooks and telemetry know the operation by.
pub(crate) fn operation(args: &Args, item: &AsyncFn) -> String {
    args.name.as_ref().map_or_else(|| item.sig.ident.to_string(), syn::LitStr::value)
}

fn expand_run(args: &Args, item: &AsyncFn, names: &Names) -> TokenStream {
    let Names { call, begun, .. } = names;
    let body = expand_attempt(item);
    match args.blocking {
        Some(_) => quote!(#call.run_blocking(#begun, #body)),
        None => quote!(#call.run(#begun, #body).await),
    }
}

/// Puts the body in an `async` block, which is not `move`: `&mut` arguments are lent to every attempt anew, and
/// `?` and `return` end the attempt, wherever they stand.
///
/// ```text
/// Input:  -> Result<i64, Error> { client.lpush("k", 1).await }
/// Output: async {
///             if false { let unreachable: Result<i64, Error> = loop {}; return unreachable; }
///             { client.lpush("k", 1).await }
///         }
/// ```
///
/// The body of a `blocking` function becomes a closure that borrows just as well.
fn expand_attempt(item: &AsyncFn) -> TokenStream {
    let hint = return_type_hint(item);
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

/// Tells rustc what the block returns, so that a mismatch is reported at the user's `return` or tail value.
fn return_type_hint(item: &AsyncFn) -> TokenStream {
    let ReturnType::Type(_, ty) = &item.sig.output else { return TokenStream::new() };
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
            let unreachable: #ty = loop {};
            return unreachable;
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

/// The return type with our hygiene: where a missing `Classify` or `From<Cut>` has its cause.
pub(crate) fn return_span(item: &AsyncFn) -> Span {
    let span = match &item.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => item.sig.ident.span(),
    };
    span.resolved_at(Span::mixed_site())
}

fn expand_finish(args: &Args, item: &AsyncFn, names: &Names) -> TokenStream {
    let Names { private, call, ended, .. } = names;
    let operation = operation(args, item);
    let retry_value = match &args.on_ok {
        Some(closure @ Expr::Closure(_)) => closure.to_token_stream(),
        Some(function) => quote_spanned!(Span::mixed_site()=> |value| (#function)(value)),
        None => quote!(#private::keep_value),
    };
    let span = return_span(item);
    let method = Ident::new("finish", span);
    let arguments = quote_spanned!(span=> (&#operation, #ended, #retry_value));
    quote_spanned!(span=> #call.#method #arguments)
}

fn expand_settle(args: &Args, item: &AsyncFn, names: &Names, plan: &Plan) -> TokenStream {
    let Names { private, call, failed, .. } = names;
    let operation = operation(args, item);
    let rule = if args.idempotent.is_some() {
        format_ident!("IDEMPOTENT")
    } else {
        format_ident!("NOT_IDEMPOTENT")
    };
    let method = if Hooks::wanted(args) { "judge" } else { "settle" };
    let method = Ident::new(method, return_span(item));
    let policy = &plan.settle;
    let span = return_span(item);
    let failed = Ident::new(&failed.to_string(), span);
    // The policy first: it may look at the type of the failure, which is then moved.
    let arguments = quote_spanned!(span=> (&#operation, #policy, &#private::#rule, #failed));
    quote_spanned!(span=> #call.#method #arguments)
}
