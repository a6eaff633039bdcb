use proc_macro2::{Span, TokenStream};
use syn::{
    AttrStyle, Attribute, Error, Result, Signature, Token, Visibility, braced,
    parse::{Parse, ParseStream},
    token::Brace,
};

use crate::frame::Frame;

/// An annotated function; the body is kept as tokens, so that half-typed code gives rustc's own error, once.
pub(crate) struct AsyncFn {
    /// Outer attributes, and the inner ones of the body, which would sit in an expression there.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) brace: Brace,
    pub(crate) body: TokenStream,
    /// What another attribute has put around it.
    pub(crate) frame: Option<Frame>,
}

impl Parse for AsyncFn {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = if input.peek(Token![default]) { Some(input.parse()?) } else { None };
        if let Some(span) = other_item(input) {
            return Err(Error::new(span, "`#[retryable]` can only be applied to an `async fn`"));
        }
        let sig = input.parse::<Signature>()?;
        if input.peek(Token![;]) {
            return Err(input.error(
                "`#[retryable]` needs a function body; annotate the functions of the `impl`, or give this one a default body",
            ));
        }
        let content;
        let brace = braced!(content in input);
        attrs.extend(
            content
                .call(Attribute::parse_inner)?
                .into_iter()
                .map(|attr| Attribute { style: AttrStyle::Outer, ..attr }),
        );
        Ok(Self { attrs, vis, defaultness, sig, brace, body: content.parse()?, frame: None })
    }
}

/// Returns the span of the keyword of an item that is no function.
fn other_item(input: ParseStream<'_>) -> Option<Span> {
    let cursor = input.cursor();
    let (ident, rest) = cursor.ident()?;
    let starts_function = match ident.to_string().as_str() {
        "fn" | "async" | "unsafe" | "extern" => true,
        "const" => rest.ident().is_some_and(|(next, _)| {
            matches!(next.to_string().as_str(), "fn" | "async" | "unsafe" | "extern")
        }),
        _ => false,
    };
    (!starts_function).then(|| ident.span())
}
