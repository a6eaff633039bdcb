/// The name of an operation, for hooks and telemetry.
///
/// A trait, because every call carries the name: the attribute passes a reference to the text, which is half its size.
pub trait Name: Copy {
    /// Returns the text.
    fn text(self) -> &'static str;
}

impl Name for &'static str {
    #[inline]
    fn text(self) -> &'static str {
        self
    }
}

impl Name for &'static &'static str {
    #[inline]
    fn text(self) -> &'static str {
        self
    }
}

/// No name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unnamed;

impl Name for Unnamed {
    #[inline]
    fn text(self) -> &'static str {
        ""
    }
}
