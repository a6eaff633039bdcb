use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, spanned::Spanned};

use super::Names;
use crate::{args::Args, item::AsyncFn};

/// The hooks of a function and how they are called.
pub(crate) struct Hooks<'a> {
    names: &'a Names,
    operation: String,
    before: Option<&'a Expr>,
    on_failure: Option<&'a Expr>,
    on_give_up: Option<&'a Expr>,
}

impl<'a> Hooks<'a> {
    pub(crate) fn wanted(args: &Args) -> bool {
        args.before.is_some() || args.on_failure.is_some() || args.on_give_up.is_some()
    }

    pub(crate) fn new(args: &'a Args, item: &AsyncFn, names: &'a Names) -> Self {
        Self {
            names,
            operation: args
                .name
                .as_ref()
                .map_or_else(|| item.sig.ident.to_string(), syn::LitStr::value),
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
    ///         let (outcome, reason, cut) = loop {
    ///             call.begin();
    ///             let ended = call.run(async { … }).await;
    ///             let (outcome, pause, cut) = match call.judge(…).unless(stopped) {
    ///                 Success(outcome) => return outcome,
    ///                 GiveUp(outcome, reason, cut) => break (outcome, reason, cut),
    ///                 Retry(outcome, pause, cut) => (outcome, pause, cut),
    ///             };
    ///             if let Err(reason) = <on_failure> { break (outcome, reason, cut) }
    ///             if let Err(reason) = call.check_time(&pause) { break (outcome, reason, cut) }
    ///             wait(pause.delay()).await;
    ///             if let Err(reason) = <before> { break (outcome, reason, cut) }
    ///         };
    ///         <on_give_up>
    ///         outcome
    /// ```
    pub(crate) fn expand(
        &self,
        start: &TokenStream,
        begin: &TokenStream,
        attempt: &TokenStream,
        settle: &TokenStream,
    ) -> TokenStream {
        let Names { private, call, ended, outcome, .. } = self.names;
        let site = Span::mixed_site();
        let operation = &self.operation;
        let run = |hook: Option<&Expr>, argument: TokenStream| {
            hook.map(|hook| {
                let hook_call = self.call(hook);
                quote_spanned!(site=> {
                    let seen = #argument;
                    #private::run_hook(#call.deadline(), #hook_call).await
                })
            })
        };
        let stop_on = |hook: Option<TokenStream>| {
            hook.map(|hook| {
                quote_spanned! {site=>
                    if let #private::Result::Err(reason) = #hook {
                        break (#outcome, reason, cut);
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
        let before = stop_on(first);
        let on_failure = stop_on(run(
            self.on_failure,
            quote_spanned!(site=> #call.failure(#operation, &#outcome, &pause, cut)),
        ));
        let check_time = stop_on(Some(quote_spanned!(site=> #call.check_time(&pause))));
        let on_give_up = self.on_give_up.map(|hook| {
            let hook_call = self.call(hook);
            quote_spanned! {site=>
                {
                    let seen = #call.give_up(#operation, &#outcome, reason, cut);
                    // Whatever it answers, the call is over.
                    let _ = #private::run_hook(#private::Option::None, #hook_call).await;
                }
            }
        });
        // Unused names would be reported in the user's function.
        let last = if on_give_up.is_some() {
            quote_spanned!(site=> (#outcome, reason, cut))
        } else {
            quote_spanned!(site=> (#outcome, _, _))
        };
        quote_spanned! {site=>
            #start
            #stopped
            let #last = loop {
                #begin
                let #ended = #call.run(#attempt).await;
                let (#outcome, pause, cut) = match #settle #unless {
                    #private::Verdict::Success(#outcome) => return #outcome,
                    #private::Verdict::GiveUp(#outcome, reason, cut) => break (#outcome, reason, cut),
                    #private::Verdict::Retry(#outcome, pause, cut) => (#outcome, pause, cut),
                };
                #on_failure
                #check_time
                #private::wait(pause.delay()).await;
                #before
            };
            #on_give_up
            #outcome
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
