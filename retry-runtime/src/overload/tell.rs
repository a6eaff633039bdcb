//! What this module tells, in one place so that its models can listen.

pub(super) use crate::telemetry::transition;
