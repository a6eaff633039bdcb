use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, ExprReference, Lit, Path, Token, spanned::Spanned};

use super::{Names, hidden, located_at};
use crate::{
    args::{Args, Guards, NestedArg},
    duration::DurationArg,
    policy::{JitterArg, Leaf, LimitArgs, PolicyArg, RetriesArg},
};

/// How the expansion names its policy.
///
/// A policy of literals is an inline `const`: checked by the compiler, and no part of the future.
/// A place, such as `PUSH` or `self.policy`, is borrowed when it is needed, never during an attempt.
/// Any other expression is evaluated once, when the call starts.
pub(crate) struct Plan {
    /// Statements before the loop.
    pub(crate) bindings: TokenStream,
    /// The policy with its guards, for the start of the call; a reference to it if there are none.
    pub(crate) start: TokenStream,
    /// A reference to the policy without the rules of `on`, for the start of an attempt.
    pub(crate) begin: TokenStream,
    /// A reference to the whole policy, for the end of an attempt.
    pub(crate) settle: TokenStream,
}

impl Plan {
    pub(crate) fn new(args: &Args, names: &Names) -> Self {
        let mut builder =
            Builder { names, site: names.site, bindings: TokenStream::new(), count: 0 };
        let default = PolicyArg::Exponential(Box::default());
        let parts = builder.policy(args.policy.as_ref().unwrap_or(&default));
        let Parts { start: begin, settle } = builder.limited(parts, &args.limits);
        let health = builder.health(&args.guards);
        let start = match args.blocking {
            Some(_) => builder.uninterrupted(&begin),
            None => begin.clone(),
        };
        let start = builder.guard(&start, &args.guards, &health);
        let settle = match &args.on {
            Some(rule) => builder.on(&settle, rule),
            None => settle,
        };
        let settle = if args.guards.is_empty() {
            settle
        } else {
            // What a call remembers of its health is part of its state, so that policies with guards decide as such.
            let private = &names.private;
            quote_spanned!(names.site=> &#private::guard(#settle) #health)
        };
        Self { bindings: builder.bindings, start, begin, settle }
    }
}

/// References to a policy or member: without and with the rules of `on`.
struct Parts {
    start: TokenStream,
    settle: TokenStream,
}

struct Builder<'a> {
    names: &'a Names,
    /// Where rustc reports what the policy and the error type have against each other.
    site: Span,
    bindings: TokenStream,
    count: usize,
}

impl Builder<'_> {
    fn policy(&mut self, policy: &PolicyArg) -> Parts {
        let runtime = &self.names.runtime;
        match policy {
            PolicyArg::Constant(leaf) => {
                let delay = leaf.delay.to_token_stream();
                self.leaf(leaf, &quote!(#runtime::RetryPolicy::constant(#delay)))
            }
            PolicyArg::Exponential(leaf) => {
                self.leaf(leaf, &quote!(#runtime::RetryPolicy::exponential()))
            }
            PolicyArg::Composite(composite) => {
                self.composite(&composite.members, &composite.limits)
            }
            PolicyArg::Never => {
                let error = hidden("error", self.site);
                Parts {
                    start: quote_spanned!(self.site=> &#runtime::Never),
                    settle: quote_spanned!(self.site=> &#error.never()),
                }
            }
            PolicyArg::Expr(expr) => self.expr(expr),
        }
    }

    /// ```text
    /// Input:  exponential(base_delay = "100ms", jitter = full, retries = 5, on = is_transient)
    /// Output: start:  &const { RetryPolicy::exponential().base_delay(…).jitter(Jitter::Full).retries(5) }
    ///         settle: &on(start, is_transient)
    /// ```
    fn leaf(&mut self, leaf: &Leaf, constructor: &TokenStream) -> Parts {
        let runtime = &self.names.runtime;
        let mut policy = constructor.clone();
        for (setting, value) in [("base_delay", &leaf.base_delay), ("max_delay", &leaf.max_delay)] {
            if let Some(value) = value {
                let setting = Ident::new(setting, Span::mixed_site());
                policy.extend(quote!(.#setting(#value)));
            }
        }
        if let Some(factor) = &leaf.factor {
            let factor = as_float(factor);
            policy.extend(quote!(.factor(#factor)));
        }
        match &leaf.jitter {
            Some(JitterArg::Family { variant, .. }) => {
                policy.extend(quote!(.jitter(#runtime::Jitter::#variant)));
            }
            Some(JitterArg::Expr(jitter)) => policy.extend(quote!(.jitter(#jitter))),
            None => {}
        }
        match &leaf.retries {
            Some(RetriesArg::Unlimited) => policy.extend(quote!(.unlimited())),
            Some(RetriesArg::Count(count)) => policy.extend(quote!(.retries(#count))),
            None => {}
        }
        if let Some(max_hint) = &leaf.max_hint {
            policy.extend(quote!(.max_hint(#max_hint)));
        }
        let limits = limits(&leaf.limits);
        let start = match Settings::of(leaf) {
            Settings::Literal => quote_spanned!(self.site=> &const { #policy #limits }),
            // What `validate` has checked of literals, the compiler checks of constants.
            Settings::Constant => {
                let private = &self.names.private;
                quote_spanned!(self.site=> &const { #private::possible(#policy.check()) #limits })
            }
            Settings::Expr => self.bind(&quote!(#policy #limits)),
        };
        let settle = match &leaf.on {
            Some(rule) => self.on(&start, rule),
            None => start.clone(),
        };
        Parts { start, settle }
    }

    /// ```text
    /// Input:  composite(a, b, c, deadline = "30s")
    /// Output: &Composite::new(a, Composite::new(b, c)).deadline(…)
    /// ```
    fn composite(&mut self, members: &[PolicyArg], composite_limits: &LimitArgs) -> Parts {
        let runtime = self.names.runtime.clone();
        let parts = members.iter().map(|member| self.policy(member)).collect::<Vec<_>>();
        let limits = limits(&self.bind_limits(composite_limits));
        let start = join_members(&runtime, parts.iter().map(|part| &part.start), &limits);
        let settle = join_members(&runtime, parts.iter().map(|part| &part.settle), &limits);
        Parts { start, settle }
    }

    /// ```text
    /// Input:  policy = PUSH, deadline = "30s", retry_for = "20s"
    /// Output: &deadline(&PUSH, …).retry_for(…)
    /// ```
    fn limited(&mut self, parts: Parts, outer: &LimitArgs) -> Parts {
        let mut outer = self.bind_limits(outer);
        // The first as a function, which takes any policy; what it returns has the others as methods.
        let first =
            outer.named_mut().into_iter().find_map(|(name, limit)| Some((name, limit.take()?)));
        let Some((function, limit)) = first else { return parts };
        let methods = limits(&outer);
        let wrap = |policy: &TokenStream, site: Span| {
            let private = located_at(&self.names.private, site);
            let function = Ident::new(function, site);
            let wrapped = quote_spanned!(site=> #private::#function(#policy, #limit));
            quote_spanned!(site=> &#wrapped #methods)
        };
        // rustc reports a value that is not a policy once per span, so all starts share one.
        let start = wrap(&parts.start, Span::mixed_site());
        let site = parts.settle.span().resolved_at(Span::mixed_site());
        Parts { start, settle: wrap(&parts.settle, site) }
    }

    /// Lets the attempts of a blocking function run to their end: its error type need not represent a limit.
    fn uninterrupted(&self, policy: &TokenStream) -> TokenStream {
        let private = &self.names.private;
        quote_spanned!(self.site=> &#private::uninterrupted(#policy))
    }

    fn bind_limits(&mut self, limits: &LimitArgs) -> LimitArgs {
        LimitArgs {
            deadline: self.bind_duration(limits.deadline.as_ref()),
            attempt_timeout: self.bind_duration(limits.attempt_timeout.as_ref()),
            retry_for: self.bind_duration(limits.retry_for.as_ref()),
        }
    }

    fn expr(&mut self, expr: &Expr) -> Parts {
        let reference = if is_place(expr) {
            quote_spanned!(expr.span()=> &#expr)
        } else {
            self.bind(&quote_spanned!(expr.span()=> #expr))
        };
        Parts { start: reference.clone(), settle: reference }
    }

    /// Evaluates an expression once, before the loop, and returns a reference to it.
    fn bind(&mut self, value: &TokenStream) -> TokenStream {
        let site = value.span().resolved_at(Span::mixed_site());
        let name = hidden(&format!("policy_{}", self.count), site);
        self.count += 1;
        self.bindings.extend(quote!(let #name = #value;));
        quote_spanned!(site=> &#name)
    }

    /// ```text
    /// Input:  reset_after = "1m", give_up_after = "10m"
    /// Output: .reset_after(…).give_up_after(…)
    /// ```
    fn health(&mut self, guards: &Guards) -> TokenStream {
        let reset_after = self.bind_duration(guards.reset_after.as_ref());
        let give_up_after = self.bind_duration(guards.give_up_after.as_ref());
        let mut calls = TokenStream::new();
        if let Some(healthy) = reset_after {
            calls.extend(quote!(.reset_after(#healthy)));
        }
        if let Some(failing) = give_up_after {
            calls.extend(quote!(.give_up_after(#failing)));
        }
        calls
    }

    /// ```text
    /// Input:  policy, budget = BUDGET, breaker = self.breaker
    /// Output: guard(policy).budget(&BUDGET).breaker(&self.breaker)
    /// ```
    fn guard(&self, policy: &TokenStream, guards: &Guards, health: &TokenStream) -> TokenStream {
        let Names { private, runtime, .. } = self.names;
        let Guards { budget, breaker, cancel, nested, .. } = guards;
        let mut calls = health.clone();
        if let Some(choice) = nested {
            let choice = match choice {
                NestedArg::Choice(choice) => quote!(#runtime::policy::Nested::#choice),
                NestedArg::Expr(choice) => choice.to_token_stream(),
            };
            calls.extend(quote!(.nested(#choice)));
        }
        for (method, shared) in [("budget", budget), ("breaker", breaker)] {
            if let Some(shared) = shared {
                let site = shared.span().resolved_at(Span::mixed_site());
                let method = Ident::new(method, Span::mixed_site());
                let shared = ExprReference {
                    attrs: Vec::new(),
                    and_token: Token![&](site),
                    mutability: None,
                    expr: Box::new(shared.clone()),
                };
                calls.extend(quote!(.#method(#shared)));
            }
        }
        let guarded = quote_spanned!(self.site=> #private::guard(#policy) #calls);
        match cancel {
            Some(token) => {
                let site = token.span().resolved_at(Span::mixed_site());
                let token = quote_spanned!(site=> &#token);
                quote_spanned!(site=> #private::cancel(#guarded, #token))
            }
            None if guards.is_empty() => policy.clone(),
            None => guarded,
        }
    }

    fn bind_duration(&mut self, duration: Option<&DurationArg>) -> Option<DurationArg> {
        match duration? {
            DurationArg::Literal { nanos, text, span } => {
                Some(DurationArg::Literal { nanos: *nanos, text: text.clone(), span: *span })
            }
            DurationArg::Expr(expr) => {
                let name = hidden(&format!("limit_{}", self.count), Span::mixed_site());
                self.count += 1;
                self.bindings.extend(quote!(let #name = #expr;));
                Some(DurationArg::Expr(syn::parse_quote!(#name)))
            }
        }
    }

    /// A closure is given its argument type, so that the user need not write it.
    fn on(&self, policy: &TokenStream, rule: &Expr) -> TokenStream {
        let Names { private, .. } = self.names;
        let site = rule.span().resolved_at(Span::mixed_site());
        let error = hidden("error", self.site);
        match rule {
            Expr::Closure(_) => {
                quote_spanned!(self.site=> &#error.classified(#private::on_error(#error, #policy, #rule)))
            }
            // Reported at the rule: what it lacks is its author's.
            _ => {
                let rule = match rule {
                    Expr::Reference(reference) => {
                        let rule = &reference.expr;
                        quote_spanned!(site=> #error.lend(&#rule))
                    }
                    // Lent, as places are to `policy` and `budget`.
                    _ if is_place(rule) => quote_spanned!(site=> #error.lend(&#rule)),
                    _ => quote_spanned!(site=> #error.own(#rule)),
                };
                quote_spanned!(site=> &#private::on(#policy, #error.rule(#rule)))
            }
        }
    }
}

/// Nests references to members to the right; limits need a value to be called on.
fn join_members<'a>(
    runtime: &TokenStream,
    members: impl DoubleEndedIterator<Item = &'a TokenStream>,
    limits: &TokenStream,
) -> TokenStream {
    let mut members = members.rev();
    let last = members.next().cloned().unwrap_or_default();
    let mut joined = last.clone();
    let mut composite = None;
    for member in members {
        joined = quote!(#runtime::Composite::new(#member, #joined));
        composite = Some(joined.clone());
    }
    match composite {
        Some(composite) => quote!(&#composite #limits),
        None if limits.is_empty() => last,
        // One member under limits: beside a member that never retries it means the same.
        None => quote!(&#runtime::Composite::new(#last, #runtime::Never) #limits),
    }
}

fn limits(limits: &LimitArgs) -> TokenStream {
    let set = limits.named().into_iter().filter_map(|(name, limit)| Some((name, limit.as_ref()?)));
    let calls = set.map(|(name, limit)| {
        let name = Ident::new(name, Span::mixed_site());
        quote!(.#name(#limit))
    });
    calls.collect()
}

/// When the settings of a policy are known.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Settings {
    Literal,
    /// By the compiler, for certain.
    Constant,
    /// At each call.
    Expr,
}

impl Settings {
    fn of(leaf: &Leaf) -> Self {
        let durations = [
            &leaf.delay,
            &leaf.base_delay,
            &leaf.max_delay,
            &leaf.max_hint,
            &leaf.limits.deadline,
            &leaf.limits.attempt_timeout,
            &leaf.limits.retry_for,
        ];
        let durations = durations.into_iter().flatten().map(|duration| match duration {
            DurationArg::Literal { .. } => Self::Literal,
            DurationArg::Expr(expr) => Self::of_expr(expr),
        });
        let jitter = leaf.jitter.iter().map(|jitter| match jitter {
            JitterArg::Family { .. } => Self::Literal,
            JitterArg::Expr(expr) => Self::of_expr(expr),
        });
        let retries = leaf.retries.iter().map(|retries| match retries {
            RetriesArg::Unlimited => Self::Literal,
            RetriesArg::Count(count) => Self::of_expr(count),
        });
        let factor = leaf.factor.iter().map(Self::of_expr);
        durations.chain(jitter).chain(retries).chain(factor).max().unwrap_or(Self::Literal)
    }

    /// A path in capitals is a constant, and so is a `Duration` that is made of constants.
    fn of_expr(expr: &Expr) -> Self {
        match expr {
            Expr::Lit(_) => Self::Literal,
            Expr::Path(path) if is_constant(&path.path) || is_jitter(&path.path) => Self::Constant,
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if makes_duration(&path.path) => call
                    .args
                    .iter()
                    .map(Self::of_expr)
                    .max()
                    .unwrap_or(Self::Expr)
                    .max(Self::Constant),
                _ => Self::Expr,
            },
            _ => Self::Expr,
        }
    }
}

fn is_constant(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
    })
}

fn is_jitter(path: &Path) -> bool {
    path.segments.iter().rev().nth(1).is_some_and(|segment| segment.ident == "Jitter")
}

fn makes_duration(path: &Path) -> bool {
    let mut segments = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let makes = |name: String| {
        matches!(name.as_str(), "new" | "from_secs" | "from_millis" | "from_micros" | "from_nanos")
    };
    segments.next().is_some_and(makes) && segments.next().is_some_and(|ty| ty == "Duration")
}

/// Tells whether an expression is a place: reading it again has no effect and borrows nothing in between.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

/// Reads `factor = 2` as `2.0`.
fn as_float(factor: &Expr) -> TokenStream {
    match factor {
        Expr::Lit(ExprLit { lit: Lit::Int(value), .. }) if value.suffix().is_empty() => {
            let float =
                proc_macro2::Literal::f64_suffixed(value.base10_parse().unwrap_or(f64::NAN));
            quote_spanned!(value.span()=> #float)
        }
        _ => factor.to_token_stream(),
    }
}
