//! The hash slot of the first key of a command.

use ::fred::{
    types::{Key, MultipleKeys},
    util::redis_keyslot,
};

/// Asks an argument for its slot: the methods of [`ByKey`] are found before those of [`ByNothing`], which need one more
/// reference.
pub(in crate::fred) struct Probe<'a, T>(pub(in crate::fred) &'a T);

/// An argument that holds keys.
#[allow(dead_code, reason = "without any interface no command has a key")]
pub(in crate::fred) trait ByKey {
    fn slot(&self) -> Option<u16>;
}

impl ByKey for Probe<'_, Key> {
    fn slot(&self) -> Option<u16> {
        Some(redis_keyslot(self.0.as_bytes()))
    }
}

impl ByKey for Probe<'_, MultipleKeys> {
    fn slot(&self) -> Option<u16> {
        self.0.clone().inner().first().map(|key| redis_keyslot(key.as_bytes()))
    }
}

/// Any other argument.
pub(in crate::fred) trait ByNothing {
    fn slot(&self) -> Option<u16>;
}

impl<T> ByNothing for &Probe<'_, T> {
    fn slot(&self) -> Option<u16> {
        None
    }
}
