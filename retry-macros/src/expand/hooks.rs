use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, ExprClosure, Pat, spanned::Spanned};

use super::{Names, located_at};
use crate::args::Args;

/// The hooks of a function and how they are called.
pub(crate) struct Hooks<'a> {
    names: &'a Names,
    blocking: bool,
    before: Option<&'a Expr>,
    on_failure: Option<&'a Expr>,
    on_give_up: Option<&'a Expr>,
}

impl<'a> Hooks<'a> {
    pub(crate) fn wanted(args: &Args) -> bool {
        args.before.is_some() || args.on_failure.is_some() || args.on_give_up.is_some()
    }

    pub(crate) fn new(args: &'a Args, names: &'a Names) -> Self {
        Self {
            names,
            blocking: args.blocking.is_some(),
            before: args.before.as_ref(),
            on_failure: args.on_failure.as_ref(),
            on_give_up: args.on_give_up.as_ref(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_none() && self.on_failure.is_none() && self.on_give_up.is_none()
    }

    /// ```text
    /// Output: let mut call = Call::watched(policy);
    ///         let over = loop {
    ///             let begun = call.begin(policy);
    ///             let ended = call.run(begun, async { … }).await;
    ///             let (failed, error) = match call.finish(…) { Ok(outcome) => return outcome, Err(failed) => failed };
    ///             let retry = match call.judge(…) { GiveUp(over) => break over, Retry(retry) => retry };
    ///             let repaired = <on_failure>;
    ///             let paused = match call.let_go(retry, repaired) { Ok(paused) => paused, Err(over) => break over };
    ///             if let Some((retry, reason)) = call.wait(paused).await { break retry.stop(reason); }
    ///         };
    ///         <on_give_up>
    ///         over.into_outcome()
    /// ```
    ///
    /// A `before` hook can end the call after the wait, so the failure is kept until then:
    ///
    /// ```text
    /// Output: let mut last = None;
    ///         let over = loop {
    ///             let refused = call.enter();
    ///             let ready = if refused.is_none() { <before> } else { Ok(()) };
    ///             let stopped = match call.go_on(last, ready) { Ok(stopped) => stopped, Err(over) => break over };
    ///             let begun = call.begin(policy);
    ///             let ended = call.run_unless(refused, begun, async { … }).await;
    ///             …
    ///             let retry = match call.judge_if(stopped, …) { … };
    ///             let repaired = <on_failure>;
    ///             if let Err(reason) = call.pause(retry.pause(), repaired).await { break retry.stop(reason); }
    ///             last = Some(retry);
    ///         };
    /// ```
    pub(crate) fn expand(
        &self,
        start: &TokenStream,
        begin: &TokenStream,
        attempt: &TokenStream,
        settle: &TokenStream,
    ) -> TokenStream {
        let Names { private, begun, site: returned, .. } = self.names;
        let Before { start: first, enter } = self.expand_before();
        let pause = self.expand_pause();
        let give_up = self.expand_give_up();
        let outcome = quote_spanned!(*returned=> __retryable_over.into_outcome());
        quote_spanned! {Span::mixed_site()=>
            #start
            #first
            let __retryable_over = loop {
                #enter
                let #begun = #begin;
                #attempt
                let __retryable_retry = match #settle {
                    #private::Verdict::GiveUp(__retryable_over) => break __retryable_over,
                    #private::Verdict::Retry(__retryable_retry) => __retryable_retry,
                };
                #pause
            };
            #give_up
            #outcome
        }
    }

    fn expand_before(&self) -> Before {
        let Names { private, call, .. } = self.names;
        let site = Span::mixed_site();
        let Some(hook) = self.before else { return Before::default() };
        let run = self.run(hook, &quote_spanned!(site=> #call.upcoming()));
        Before {
            start: quote_spanned!(site=> let mut __retryable_last = #private::Option::None;),
            enter: quote_spanned! {site=>
                let __retryable_refused = #call.enter();
                let __retryable_ready = if __retryable_refused.is_none() { #run } else { #private::Result::Ok(()) };
                let __retryable_stopped = match #call.go_on(__retryable_last, __retryable_ready) {
                    #private::Result::Ok(__retryable_stopped) => __retryable_stopped,
                    #private::Result::Err(__retryable_over) => break __retryable_over,
                };
            },
        }
    }

    fn expand_pause(&self) -> TokenStream {
        let Names { private, call, .. } = self.names;
        let site = Span::mixed_site();
        let repaired = match self.on_failure {
            Some(hook) => self.run(hook, &quote_spanned!(site=> #call.failure(&__retryable_retry))),
            None => quote_spanned!(site=> #private::Result::Ok(())),
        };
        let repaired = quote_spanned!(site=> let __retryable_repaired = #repaired;);
        if self.before.is_some() {
            let arguments = quote_spanned!(site=> __retryable_retry.pause(), __retryable_repaired);
            let pause = if self.blocking {
                quote_spanned!(site=> #call.pause_blocking(#arguments))
            } else {
                quote_spanned!(site=> #call.pause(#arguments).await)
            };
            return quote_spanned! {site=>
                #repaired
                if let #private::Result::Err(__retryable_reason) = #pause {
                    break __retryable_retry.stop(__retryable_reason);
                }
                __retryable_last = #private::Option::Some(__retryable_retry);
            };
        }
        let wait = if self.blocking {
            quote_spanned!(site=> #call.wait_blocking(__retryable_paused))
        } else {
            quote_spanned!(site=> #call.wait(__retryable_paused).await)
        };
        quote_spanned! {site=>
            #repaired
            let __retryable_paused = match #call.let_go(__retryable_retry, __retryable_repaired) {
                #private::Result::Ok(__retryable_paused) => __retryable_paused,
                #private::Result::Err(__retryable_over) => break __retryable_over,
            };
            if let #private::Option::Some((__retryable_retry, __retryable_reason)) = #wait {
                break __retryable_retry.stop(__retryable_reason);
            }
        }
    }

    fn expand_give_up(&self) -> TokenStream {
        let call = &self.names.call;
        let site = Span::mixed_site();
        let ended = quote_spanned!(site=> #call.give_up(&__retryable_over));
        match self.on_give_up {
            // Whatever it answers, the call is over.
            Some(hook) => {
                let run = self.run(hook, &ended);
                quote_spanned!(site=> let _ = #run;)
            }
            None => quote_spanned!(site=> #ended;),
        }
    }

    /// Runs a hook to its end.
    ///
    /// What it sees is borrowed from the error, which would have to be `Sync` for the call to be `Send` if that lived
    /// while the hook is awaited; so it does only where the hook may use it until then.
    fn run(&self, hook: &Expr, seen: &TokenStream) -> TokenStream {
        // Ours, reported at the hook.
        let site = hook.span().resolved_at(Span::mixed_site());
        let private = located_at(&self.names.private, site);
        let call = &self.names.call;
        let seen = quote_spanned!(Span::mixed_site()=> let __retryable_seen = #seen;);
        let output = call_hook(hook, &private, site);
        if self.blocking {
            return quote_spanned!(site=> { #seen #private::check_hook(&#output) });
        }
        let run =
            |output| quote_spanned!(site=> #private::run_hook(#call.patience(), #output).await);
        match hook {
            Expr::Closure(ExprClosure { asyncness: None, .. }) => {
                let run = run(quote_spanned!(site=> __retryable_output));
                quote_spanned!(site=> { let __retryable_output = { #seen #output }; #run })
            }
            Expr::Closure(closure) if ignores_its_argument(closure) => {
                let run = run(output);
                quote_spanned!(site=> { { #seen } let __retryable_seen = #private::Unseen; #run })
            }
            _ => {
                let run = run(output);
                quote_spanned!(site=> { #seen #run })
            }
        }
    }
}

/// Calls a hook in place, where it can borrow the arguments of the function; closures are given the type of their
/// argument.
fn call_hook(hook: &Expr, private: &TokenStream, site: Span) -> TokenStream {
    match hook {
        Expr::Closure(closure) if closure.asyncness.is_some() => {
            quote_spanned!(site=> (#private::async_hook(&__retryable_seen, #hook))(&__retryable_seen))
        }
        Expr::Closure(_) => quote_spanned!(site=> #private::hook(&__retryable_seen, #hook)),
        _ => quote_spanned!(site=> (#hook)(&__retryable_seen)),
    }
}

/// What a `before` hook adds.
#[derive(Default)]
struct Before {
    start: TokenStream,
    enter: TokenStream,
}

fn ignores_its_argument(closure: &ExprClosure) -> bool {
    matches!(closure.inputs.first(), Some(Pat::Wild(_))) && closure.inputs.len() == 1
}
