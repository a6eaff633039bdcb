//! The `#[retryable]` attribute; use it through `retry_runtime::retryable`, where it is documented.

mod above;
mod args;
mod beside;
mod duration;
mod expand;
mod fragments;
mod frame;
mod item;
mod misuse;
mod parse;
mod policy;
mod suggest;
mod validate;
mod words;

use proc_macro::TokenStream;
use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;

use crate::{args::Args, item::AsyncFn};

/// Retries a function under a policy; documented in `retry_runtime`.
#[proc_macro_attribute]
pub fn retryable(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let expanded = try_expand(args.into(), item.clone()).unwrap_or_else(|error| {
        // The item survives every error, so that one mistake does not hide the function from the rest of the crate.
        let error = error.into_compile_error();
        [error, item].into_iter().collect()
    });
    expanded.into()
}

fn try_expand(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> syn::Result<proc_macro2::TokenStream> {
    let args = fragments::unpack(args);
    // Both are parsed before either error is reported: the two are different mistakes.
    let bare = bare_blocking(args.clone());
    let args = syn::parse2::<Args>(args);
    // Where the arguments do not parse, the function is not to be blamed for it.
    let blocking = args.as_ref().map_or(bare, |args| args.blocking.clone());
    let item = syn::parse2::<AsyncFn>(item)
        .map(|item| above::unframe(item, blocking.is_some()))
        .and_then(|item| validate::item(&item, blocking.as_ref()).map(|()| item));
    let args = args.and_then(|mut args| {
        let joined = beside::join(&mut args);
        validate::combine([joined, validate::args(&args)]).map(|()| args)
    });
    match (args, item) {
        (Ok(args), Ok(item)) => Ok(expand::expand(&args, &item).into_token_stream()),
        (Err(mut first), Err(second)) => {
            first.combine(second);
            Err(first)
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// Finds `blocking` where an argument begins.
fn bare_blocking(args: proc_macro2::TokenStream) -> Option<Ident> {
    let mut begins = true;
    args.into_iter().find_map(|token| {
        let begun = std::mem::replace(&mut begins, is_comma(&token));
        match token {
            TokenTree::Ident(ident) if begun && ident == "blocking" => Some(ident),
            _ => None,
        }
    })
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}
