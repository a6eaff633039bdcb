//! Sees through what surrounds a value without changing it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::Expr;

use crate::words::POLICIES;

/// Unpacks the values that stand in parentheses, and those that a `macro_rules!` macro passes on.
///
/// A fragment such as `$delay:expr` arrives in a group without delimiters, in which a parser sees no literal, no name
/// and no closure. Only groups that are a whole value are unpacked: in others they keep an expression together, and are
/// given parentheses, because syn prints them without.
///
/// ```text
/// Input:  policy = (exponential(base_delay = ⟦"1s"⟧, retries = ⟦unlimited⟧)), on = ⟦|error| ⟦a + b⟧ * 2 > 1⟧
/// Output: policy = exponential(base_delay = "1s", retries = unlimited), on = |error| (a + b) * 2 > 1
/// ```
pub(crate) fn unpack(tokens: TokenStream) -> TokenStream {
    let tokens = tokens.into_iter().collect::<Vec<_>>();
    let begins_value = |at: usize| at == 0 || is_punct(&tokens[at - 1], &['=', ',']);
    let ends_value = |at: usize| tokens.get(at + 1).is_none_or(|next| is_punct(next, &[',']));
    let unpack_at = |(at, token): (usize, &TokenTree)| match token {
        TokenTree::Group(group) if begins_value(at) && ends_value(at) && only_wraps(group) => {
            unpack(group.stream())
        }
        TokenTree::Group(group) if at > 0 && is_policy(&tokens[at - 1]) => {
            regroup(group, group.delimiter(), unpack(group.stream()))
        }
        _ => keep_together(token),
    };
    tokens.iter().enumerate().flat_map(unpack_at).collect()
}

/// Tells a value in parentheses from a tuple.
fn only_wraps(group: &Group) -> bool {
    let wraps_one =
        || matches!(syn::parse2(TokenTree::from(group.clone()).into()), Ok(Expr::Paren(_)));
    match group.delimiter() {
        Delimiter::None => true,
        Delimiter::Parenthesis => wraps_one(),
        Delimiter::Brace | Delimiter::Bracket => false,
    }
}

/// Puts the expressions in groups without delimiters in parentheses, where it matters.
fn keep_together(token: &TokenTree) -> TokenStream {
    let TokenTree::Group(group) = token else { return token.clone().into() };
    let inner = group.stream().into_iter().flat_map(|token| keep_together(&token)).collect();
    let delimiter = match group.delimiter() {
        Delimiter::None if has_operator(group.stream()) => Delimiter::Parenthesis,
        delimiter => delimiter,
    };
    regroup(group, delimiter, inner)
}

fn has_operator(tokens: TokenStream) -> bool {
    matches!(
        syn::parse2(tokens),
        Ok(Expr::Binary(_) | Expr::Unary(_) | Expr::Cast(_) | Expr::Range(_) | Expr::Closure(_))
    )
}

fn regroup(group: &Group, delimiter: Delimiter, inner: TokenStream) -> TokenStream {
    let mut regrouped = Group::new(delimiter, inner);
    regrouped.set_span(group.span());
    TokenTree::from(regrouped).into()
}

fn is_punct(token: &TokenTree, among: &[char]) -> bool {
    matches!(token, TokenTree::Punct(punct) if among.contains(&punct.as_char()))
}

fn is_policy(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(name) if POLICIES.contains(&name.to_string().as_str()))
}
