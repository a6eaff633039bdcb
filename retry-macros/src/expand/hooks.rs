use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, spanned::Spanned};

use super::Names;
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
    ///         let stopped = <before the first attempt>;
    ///         let mut begun = call.begin(policy);
    ///         let (outcome, stop, cut) = loop {
    ///             let ended = call.run(begun, async { … }).await;
    ///             let failed = match call.finish(…) { Ok(outcome) => return outcome, Err(failed) => failed };
    ///             let (outcome, pause, cut) = match call.judge(…).unless(stopped) {
    ///                 GiveUp(outcome, stop, cut) => break (outcome, stop, cut),
    ///                 Retry(outcome, pause, cut) => (outcome, pause, cut),
    ///             };
    ///             if let Err(reason) = <on_failure> { break (outcome, stop(&pause, reason), cut) }
    ///             if let Err(reason) = call.check_time(&pause) { break … }
    ///             if let Err(reason) = call.pause(pause.delay()).await { break … }
    ///             if let Err(reason) = <before> { break … }
    ///             if let Err(reason) = call.may_begin() { break … }
    ///             begun = call.begin(policy);
    ///         };
    ///         { let seen = call.give_up(&outcome, stop, cut); <on_give_up> }
    ///         outcome
    /// ```
    pub(crate) fn expand(
        &self,
        start: &TokenStream,
        begin: &TokenStream,
        attempt: &TokenStream,
        finish: &TokenStream,
        settle: &TokenStream,
    ) -> TokenStream {
        let Names { private, call, begun, failed, outcome, .. } = self.names;
        let site = Span::mixed_site();
        let run = |hook: Option<&Expr>, argument: TokenStream| {
            hook.map(|hook| {
                let run_hook = self.run(&quote_spanned!(site=> #call.deadline()), hook);
                quote_spanned!(site=> {
                    let seen = #argument;
                    #run_hook
                })
            })
        };
        let stop_on = |hook: Option<TokenStream>| {
            hook.map(|hook| {
                quote_spanned! {site=>
                    if let #private::Result::Err(reason) = #hook {
                        break (#outcome, #private::stop(&pause, reason), cut);
                    }
                }
            })
        };
        let first = run(self.before, quote_spanned!(site=> #call.upcoming()));
        let (stopped, unless) = match &first {
            Some(first) => (
                quote_spanned!(site=> let stopped = #first;),
                quote_spanned!(site=> .unless(stopped)),
            ),
            None => (TokenStream::new(), TokenStream::new()),
        };
        let may_begin =
            first.as_ref().and_then(|_| stop_on(Some(quote_spanned!(site=> #call.may_begin()))));
        let before = stop_on(first);
        let on_failure = stop_on(run(
            self.on_failure,
            quote_spanned!(site=> #call.failure(&#outcome, &pause, cut)),
        ));
        let check_time = stop_on(Some(quote_spanned!(site=> #call.check_time(&pause))));
        let on_give_up = self.on_give_up.map(|hook| {
            let run_hook = self.run(&quote_spanned!(site=> #private::Option::None), hook);
            // Whatever it answers, the call is over.
            quote_spanned!(site=> let _ = #run_hook;)
        });
        let pause = if self.blocking {
            quote_spanned!(site=> #call.pause_blocking(pause.delay()))
        } else {
            quote_spanned!(site=> #call.pause(pause.delay()).await)
        };
        let pause = stop_on(Some(pause));
        quote_spanned! {site=>
            #start
            #stopped
            let mut #begun = #begin;
            let (#outcome, stop, cut) = loop {
                #attempt
                let #failed = match #finish {
                    #private::Result::Ok(#outcome) => return #outcome,
                    #private::Result::Err(failed) => failed,
                };
                let (#outcome, pause, cut) = match #settle #unless {
                    #private::Verdict::GiveUp(#outcome, stop, cut) => break (#outcome, stop, cut),
                    #private::Verdict::Retry(#outcome, pause, cut) => (#outcome, pause, cut),
                };
                #on_failure
                #check_time
                #pause
                #before
                #may_begin
                #begun = #begin;
            };
            {
                let seen = #call.give_up(&#outcome, stop, cut);
                #on_give_up
            }
            #outcome
        }
    }

    /// Runs a hook to its end.
    fn run(&self, deadline: &TokenStream, hook: &Expr) -> TokenStream {
        let private = &self.names.private;
        let hook_call = self.call(hook);
        if self.blocking {
            quote_spanned!(Span::mixed_site()=> #private::check_hook(&#hook_call))
        } else {
            quote_spanned!(Span::mixed_site()=> #private::run_hook(#deadline, #hook_call).await)
        }
    }

    /// Calls a hook in place, where it can borrow the arguments of the function; closures are given the type of
    /// their argument.
    fn call(&self, hook: &Expr) -> TokenStream {
        let private = &self.names.private;
        // Ours, reported at the hook.
        let site = hook.span().resolved_at(Span::mixed_site());
        match hook {
            Expr::Closure(closure) if closure.asyncness.is_some() => {
                quote_spanned!(site=> (#private::async_hook(&seen, #hook))(&seen))
            }
            Expr::Closure(_) => quote_spanned!(site=> (#private::hook(&seen, #hook))(&seen)),
            _ => quote_spanned!(site=> (#hook)(&seen)),
        }
    }
}
