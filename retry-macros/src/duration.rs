use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Error, Expr, ExprLit, Lit, LitStr, Result,
    parse::{Parse, ParseStream},
    spanned::Spanned,
};

/// A duration argument: a literal such as `"250ms"`, or an expression of type `Duration`.
pub(crate) enum DurationArg {
    Literal { nanos: u128, text: String, span: Span },
    Expr(Box<Expr>),
}

impl Parse for DurationArg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let expr = input.parse::<Expr>()?;
        match &expr {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(Self::Literal {
                nanos: parse_nanos(text)?,
                text: text.value(),
                span: text.span(),
            }),
            Expr::Lit(ExprLit { lit, .. }) => Err(Error::new(
                lit.span(),
                "expected a duration with its unit, such as `\"250ms\"` or `\"1.5s\"`, or an expression of type `Duration`",
            )),
            _ => Ok(Self::Expr(Box::new(expr))),
        }
    }
}

impl DurationArg {
    /// Returns where it is written.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Literal { span, .. } => *span,
            Self::Expr(expr) => expr.span(),
        }
    }
}

impl ToTokens for DurationArg {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal { nanos, .. } => {
                // `parse_nanos` has refused what does not fit.
                let seconds = u64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(u64::MAX);
                let rest = u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0);
                tokens.extend(quote!(::core::time::Duration::new(#seconds, #rest)));
            }
            Self::Expr(expr) => expr.to_tokens(tokens),
        }
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

const UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
];

/// Parses `"250ms"`, `"1.5s"`, `"1h30m"`, exactly: fractions are counted in decimal, not in floating point.
fn parse_nanos(literal: &LitStr) -> Result<u128> {
    let text = literal.value();
    let error = |problem: &str| Err(Error::new(literal.span(), format!("`\"{text}\"` {problem}")));
    if text.starts_with('-') {
        return error("is negative; a duration must be zero or more");
    }
    let mut total = Some(0_u128);
    let mut last_unit = u128::MAX;
    let mut rest = text.as_str();
    loop {
        let (number, after) = split_where(rest, |c| !(c.is_ascii_digit() || c == '.'));
        let (unit, after) = split_where(after, |c| c.is_ascii_digit());
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return error(
                "is not a duration; write a number and a unit, such as `\"250ms\"`, `\"1.5s\"` or `\"1h30m\"`",
            );
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit.trim()) else {
            return match unit.trim() {
                "" => error("has no unit; write for example `\"1s\"` or `\"250ms\"`"),
                _ => error("has an unknown unit; use one of `ns`, `us`, `ms`, `s`, `m`, `h`"),
            };
        };
        if *nanos >= last_unit {
            return error(
                "has its units out of order; write the longer unit first, as in `\"1h30m\"`",
            );
        }
        last_unit = *nanos;
        let part = to_nanos(whole, fraction, *nanos);
        total = total.zip(part).and_then(|(total, part)| total.checked_add(part));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    match total {
        Some(nanos) if nanos / NANOS_PER_SECOND <= u128::from(u64::MAX) => Ok(nanos),
        _ => error("does not fit in a `Duration`"),
    }
}

fn split_where(text: &str, ends: impl FnMut(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// Returns `whole.fraction · unit`, cutting what is below a nanosecond.
fn to_nanos(whole: &str, fraction: &str, unit: u128) -> Option<u128> {
    let whole = whole.parse::<u128>().ok()?.checked_mul(unit)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Some(whole);
    }
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(unit)? / scale;
    whole.checked_add(part)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use syn::LitStr;

    use super::parse_nanos;

    fn nanos(text: &str) -> Option<u128> {
        parse_nanos(&LitStr::new(text, Span::call_site())).ok()
    }

    #[test]
    fn reads_every_unit_exactly() {
        assert_eq!(nanos("250ms"), Some(250_000_000));
        assert_eq!(nanos("1.5s"), Some(1_500_000_000));
        assert_eq!(nanos("2m"), Some(120_000_000_000));
        assert_eq!(nanos("0.1us"), Some(100));
        assert_eq!(nanos("0s"), Some(0));
        assert_eq!(nanos("1h30m"), Some(5_400_000_000_000));
        assert_eq!(nanos("1m 30s"), Some(90_000_000_000));
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in [
            "",
            "1",
            "s",
            "1 second",
            "-1s",
            "1.s",
            ".5s",
            "1.2.3s",
            "1e3s",
            "30m1h",
            "1s1s",
            "1h30",
            "99999999999999999999s",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
