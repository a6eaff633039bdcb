//! How an error whose type is not named is printed, for events.
#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the types have the same method, of which the expansion finds the first that fits"
)]

use std::{fmt, marker::PhantomData, ops::Deref};

use crate::call::ErrorType;

/// Prints an error.
pub(crate) type Print<E> = fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result;

/// An error, and how it is printed.
pub(crate) struct Printed<'a, E>(pub(crate) &'a E, pub(crate) Print<E>);

impl<E> fmt::Display for Printed<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.1)(self.0, formatter)
    }
}

/// What the expansion asks of a type without naming it: how it is printed.
impl<E> ErrorType<E> {
    /// Returns what knows how the error is printed.
    pub fn printer(self) -> Printer<E> {
        Printer(Bare(PhantomData))
    }
}

/// Knows how an error is printed.
///
/// The method is found here if it implements `Display`, else on [`Bare`] or [`Mute`], to which this dereferences.
#[derive(Debug)]
pub struct Printer<E>(Bare<E>);

impl<E: fmt::Display> Printer<E> {
    /// Prints what the error says to users.
    pub fn print(&self) -> Option<Print<E>> {
        Some(E::fmt)
    }
}

impl<E> Deref for Printer<E> {
    type Target = Bare<E>;

    fn deref(&self) -> &Bare<E> {
        &self.0
    }
}

/// An error that says nothing to users.
#[derive(Debug)]
pub struct Bare<E>(PhantomData<fn() -> E>);

impl<E: fmt::Debug> Bare<E> {
    /// Prints what the error says to programmers.
    pub fn print(&self) -> Option<Print<E>> {
        Some(E::fmt)
    }
}

impl<E> Deref for Bare<E> {
    type Target = Mute<E>;

    fn deref(&self) -> &Mute<E> {
        const { &Mute(PhantomData) }
    }
}

/// An error that says nothing.
#[derive(Debug)]
pub struct Mute<E>(PhantomData<fn() -> E>);

impl<E> Mute<E> {
    /// Prints nothing.
    pub fn print(&self) -> Option<Print<E>> {
        None
    }
}
