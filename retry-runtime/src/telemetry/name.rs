/// The name of an operation, for hooks and telemetry.
///
/// A type, because every call carries it: the attribute gives a reference, which is half as long as the text's.
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
