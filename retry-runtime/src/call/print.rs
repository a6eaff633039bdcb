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

/// Finds out how to print an error type that the expansion cannot name.
impl<E> ErrorType<E> {
    /// Returns the printer of the error type.
    pub fn printer(self) -> Printer<E> {
        Printer(Bare(PhantomData))
    }
}

/// Knows how an error is printed.
///
/// Method resolution finds `print` here if the error implements `Display`, otherwise on [`Bare`] or [`Mute`], to which
/// this dereferences.
#[derive(Debug)]
pub struct Printer<E>(Bare<E>);

impl<E: fmt::Display> Printer<E> {
    /// Prints the error with `Display`.
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

/// An error without `Display`.
#[derive(Debug)]
pub struct Bare<E>(PhantomData<fn() -> E>);

impl<E: fmt::Debug> Bare<E> {
    /// Prints the error with `Debug`.
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

/// An error without `Display` and `Debug`.
#[derive(Debug)]
pub struct Mute<E>(PhantomData<fn() -> E>);

impl<E> Mute<E> {
    /// Prints nothing.
    pub fn print(&self) -> Option<Print<E>> {
        None
    }
}
