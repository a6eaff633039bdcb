use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Signature, token::Brace};

/// What another attribute has put around the body.
pub(crate) struct Frame {
    pub(crate) sig: Signature,
    pub(crate) brace: Brace,
    pub(crate) tokens: Vec<TokenTree>,
    /// Where the body is: a token, or one in the group at that place.
    pub(crate) at: usize,
    pub(crate) inside: Option<usize>,
}

impl Frame {
    /// Puts a body where the other was.
    pub(crate) fn refill(&self, body: &TokenStream) -> TokenStream {
        replace(&self.tokens, self.at, |old| match (self.inside, old) {
            (Some(inside), TokenTree::Group(group)) => {
                let inner = group.stream().into_iter().collect::<Vec<_>>();
                let filled = replace(&inner, inside, |old| regroup(old, body.clone()));
                regroup(old, filled)
            }
            _ => regroup(old, body.clone()),
        })
    }
}

fn replace(tokens: &[TokenTree], at: usize, with: impl Fn(&TokenTree) -> TokenTree) -> TokenStream {
    let replaced = tokens.iter().enumerate();
    replaced.map(|(place, token)| if place == at { with(token) } else { token.clone() }).collect()
}

fn regroup(old: &TokenTree, inner: TokenStream) -> TokenTree {
    let delimiter = match old {
        TokenTree::Group(group) => group.delimiter(),
        _ => Delimiter::None,
    };
    let mut group = Group::new(delimiter, inner);
    group.set_span(old.span());
    group.into()
}
