//! The atomics of this module, in one place, so that the models can replace them with checked types.

pub(super) use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};
