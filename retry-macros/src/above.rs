//! Attributes above ours, which are expanded first.

use proc_macro2::{Delimiter, Group, TokenTree};
use syn::{GenericArgument, PathArguments, ReturnType, Token, Type, TypeParamBound, token::Brace};

use crate::{frame::Frame, item::AsyncFn};

/// Looks for the body of an `async fn` that another attribute has rewritten.
///
/// ```text
/// Input:  fn main() -> Result { let body = async { BODY }; … .block_on(body) }       #[tokio::main], #[tokio::test]
///         fn main() -> Result { System::new().block_on(async move { BODY }) }        #[actix_web::main]
///         fn f(n: u32) -> Pin<Box<dyn Future<Output = Result>>> { Box::pin(async move { BODY }) }
///                                                                                    #[async_recursion], or by hand
/// Output: async fn main() -> Result { BODY }, and what was around it
/// ```
///
/// A function that is declared `blocking` runs a runtime of its own on purpose, unless an attribute has made it do so.
pub(crate) fn unframe(item: AsyncFn, blocking: bool) -> AsyncFn {
    if item.sig.asyncness.is_some() {
        return item;
    }
    let tokens = item.body.clone().into_iter().collect::<Vec<_>>();
    let boxed = boxed_output(&item.sig.output);
    let places = (0..tokens.len()).filter_map(|at| find(&tokens, at, boxed.is_some()));
    let found = places.into_iter().find(|(_, inside, ..)| inside.is_none() || !blocking);
    let Some((at, inside, keyword, body)) = found else { return item };
    // `#[async_trait]` has moved the arguments into the block: there is nothing left for a second attempt.
    if body.stream().to_string().contains("__ret") {
        return item;
    }
    let mut sig = item.sig.clone();
    sig.asyncness = Some(Token![async](keyword.span()));
    if let Some(output) = boxed {
        sig.output = output;
    }
    let brace = Brace { span: body.delim_span() };
    let frame = Frame { sig: item.sig, brace: item.brace, tokens, at, inside };
    AsyncFn { sig, brace, body: body.stream(), frame: Some(frame), ..item }
}

type Found = (usize, Option<usize>, TokenTree, Group);

fn find(tokens: &[TokenTree], at: usize, boxed: bool) -> Option<Found> {
    if at >= 4
        && is_ident(&tokens[at - 4], "let")
        && is_ident(&tokens[at - 3], "body")
        && is_ident(&tokens[at - 1], "async")
    {
        return Some((at, None, tokens[at - 1].clone(), braces(&tokens[at])?));
    }
    // What stands before it would not be repeated.
    let caller = if boxed { "pin" } else { "block_on" };
    let is_first = !tokens[..at].iter().any(is_semicolon);
    if at == 0 || !is_ident(&tokens[at - 1], caller) || !is_first {
        return None;
    }
    let TokenTree::Group(group) = &tokens[at] else { return None };
    let inner = group.stream().into_iter().collect::<Vec<_>>();
    match inner.as_slice() {
        [keyword, body] if is_ident(keyword, "async") => {
            Some((at, Some(1), keyword.clone(), braces(body)?))
        }
        [keyword, moves, body] if is_ident(keyword, "async") && is_ident(moves, "move") => {
            Some((at, Some(2), keyword.clone(), braces(body)?))
        }
        _ => None,
    }
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_semicolon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';')
}

fn braces(token: &TokenTree) -> Option<Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.clone()),
        _ => None,
    }
}

/// Returns `-> R` of `-> Pin<Box<dyn Future<Output = R> + …>>`.
fn boxed_output(output: &ReturnType) -> Option<ReturnType> {
    let ReturnType::Type(arrow, ty) = output else { return None };
    let Type::TraitObject(object) = argument(argument(ty, "Pin")?, "Box")? else { return None };
    let future = object.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    })?;
    let PathArguments::AngleBracketed(arguments) = &future.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => {
            Some(ReturnType::Type(*arrow, Box::new(assoc.ty.clone())))
        }
        _ => None,
    })
}

/// Returns `T` of `name<T>`.
fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
