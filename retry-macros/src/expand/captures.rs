//! How an attempt borrows the arguments.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{
    Attribute, FnArg, Pat, PatIdent, Receiver, ReceiverKind, ReturnType, Type,
    visit_mut::{self, VisitMut},
};

use crate::item::AsyncFn;

/// Makes the block of an attempt borrow arguments exclusively, as the function itself holds them.
///
/// A block that only reads an argument borrows it shared, and is then `Send` only if the argument is `Sync`, which a
/// loop by hand does not ask for: the request of a web server and the receiver of a channel are not.
/// How a block borrows is decided by all uses in it, also by one that no control flow reaches; whether a use is allowed
/// is checked only for those that one does. So the body still cannot change what is not `mut`.
///
/// ```text
/// Input:  request: Request, session: &mut Session
/// Output: let _ = &mut request; let _ = &mut *session;
/// ```
///
/// An argument that the policy has borrowed for the whole call is left alone, and so is one that the returned value may
/// borrow from, which outlives the attempt.
pub(super) fn exclusive(item: &AsyncFn, bindings: &TokenStream) -> TokenStream {
    if item.sig.asyncness.is_none() {
        return TokenStream::new();
    }
    let returned = Returned::of(&item.sig.output);
    let arguments = item.sig.inputs.iter().flat_map(places);
    arguments
        .filter(|place| match place {
            Place::Value(_) => returned != Returned::Borrow,
            Place::Borrowed(_) => returned == Returned::Value,
        })
        .filter(|place| mentions(&item.body, place.name()) && !mentions(bindings, place.name()))
        .map(|place| match place {
            Place::Value(name) => quote_spanned!(name.span()=> let _ = &mut #name;),
            Place::Borrowed(name) => quote_spanned!(name.span()=> let _ = &mut *#name;),
        })
        .collect()
}

/// What an argument binds.
enum Place {
    /// A value.
    Value(Ident),
    /// A mutable reference.
    Borrowed(Ident),
}

impl Place {
    fn name(&self) -> &Ident {
        match self {
            Self::Value(name) | Self::Borrowed(name) => name,
        }
    }
}

fn places(argument: &FnArg) -> Vec<Place> {
    match argument {
        FnArg::Receiver(receiver) if !is_conditional(&receiver.attrs) => of_receiver(receiver),
        FnArg::Typed(argument) if !is_conditional(&argument.attrs) => {
            match (bare(&argument.ty), &*argument.pat) {
                (Type::Reference(reference), Pat::Ident(name))
                    if reference.mutability.is_some() =>
                {
                    vec![Place::Borrowed(name.ident.clone())]
                }
                (Type::Reference(_), _) => Vec::new(),
                (_, pattern) => values(pattern),
            }
        }
        _ => Vec::new(),
    }
}

fn of_receiver(receiver: &Receiver) -> Vec<Place> {
    let name = Ident::new("self", receiver.self_token.span);
    match &receiver.kind {
        ReceiverKind::Value => vec![Place::Value(name)],
        ReceiverKind::Typed(_, ty) if !matches!(bare(ty), Type::Reference(_)) => {
            vec![Place::Value(name)]
        }
        ReceiverKind::Reference(_, _, Some(_)) => vec![Place::Borrowed(name)],
        _ => Vec::new(),
    }
}

/// Returns what a pattern binds by value.
fn values(pattern: &Pat) -> Vec<Place> {
    struct Bindings(Vec<Place>);
    impl VisitMut for Bindings {
        fn visit_pat_ident_mut(&mut self, binding: &mut PatIdent) {
            if binding.by_ref.is_none() {
                self.0.push(Place::Value(binding.ident.clone()));
            }
            visit_mut::visit_pat_ident_mut(self, binding);
        }
    }
    let mut bindings = Bindings(Vec::new());
    bindings.visit_pat_mut(&mut pattern.clone());
    bindings.0
}

fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

/// An argument that may not be there cannot be named.
fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

/// What the returned value may borrow.
#[derive(PartialEq)]
enum Returned {
    /// Nothing, as far as its type says.
    Value,
    /// What an `impl Trait` hides: a part of an argument that is borrowed anyway.
    Hidden,
    /// What it says.
    Borrow,
}

impl Returned {
    fn of(output: &ReturnType) -> Self {
        struct Seen(Returned);
        impl VisitMut for Seen {
            fn visit_lifetime_mut(&mut self, _: &mut syn::Lifetime) {
                self.0 = Returned::Borrow;
            }
            fn visit_type_reference_mut(&mut self, _: &mut syn::TypeReference) {
                self.0 = Returned::Borrow;
            }
            fn visit_type_impl_trait_mut(&mut self, ty: &mut syn::TypeImplTrait) {
                if self.0 == Returned::Value {
                    self.0 = Returned::Hidden;
                }
                visit_mut::visit_type_impl_trait_mut(self, ty);
            }
        }
        let mut seen = Seen(Self::Value);
        seen.visit_return_type_mut(&mut output.clone());
        seen.0
    }
}

/// Tells whether tokens name an argument, be it in a string to be formatted: only then does the block borrow it, and
/// `unused_variables` is to stay true of one that nobody uses.
fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    let text = name.to_string();
    let formatted = [format!("{{{text}}}"), format!("{{{text}:")];
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == text,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Literal(literal) => {
            let literal = literal.to_string();
            formatted.iter().any(|formatted| literal.contains(formatted.as_str()))
        }
        TokenTree::Punct(_) => false,
    })
}
