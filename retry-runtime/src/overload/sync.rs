//! The shared state of this module, in one place so that its models can put checked types here.

pub(super) use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};
