//! The [cluster](https://redis.io/commands#cluster) commands.

use ::fred::{
    bytes_utils::Str,
    interfaces::ClusterInterface,
    types::{
        Key, MultipleHashSlots,
        cluster::{ClusterFailoverFlag, ClusterResetFlag, ClusterSetSlotState},
    },
};

use crate::fred::{
    Replay::{Idempotent, NotIdempotent, Read, SameState},
    commands::commands,
};

#[rustfmt::skip] // One line per command.
commands! { ClusterInterface;
    "CLUSTER BUMPEPOCH" [NotIdempotent] cluster_bumpepoch<R>() -> R;
    "CLUSTER FLUSHSLOTS" [SameState] cluster_flushslots<>();
    "CLUSTER MYID" [Read] cluster_myid<R>() -> R;
    "CLUSTER NODES" [Read] cluster_nodes<R>() -> R;
    "CLUSTER SAVECONFIG" [Idempotent] cluster_saveconfig<>();
    "CLUSTER SLOTS" [Read] cluster_slots<R>() -> R;
    "CLUSTER INFO" [Read] cluster_info<R>() -> R;
    "CLUSTER ADDSLOTS" [SameState] cluster_add_slots<S>(slots: S => Into<MultipleHashSlots>.inner);
    "CLUSTER COUNT-FAILURE-REPORTS" [Read] cluster_count_failure_reports<R, S>(node_id: S => Into<Str>) -> R;
    "CLUSTER COUNTKEYSINSLOT" [Read] cluster_count_keys_in_slot<R>(slot: u16) -> R;
    "CLUSTER DELSLOTS" [SameState] cluster_del_slots<S>(slots: S => Into<MultipleHashSlots>.inner);
    "CLUSTER FAILOVER" [NotIdempotent] cluster_failover<>(flag: Option<ClusterFailoverFlag>);
    "CLUSTER FORGET" [SameState] cluster_forget<S>(node_id: S => Into<Str>);
    "CLUSTER GETKEYSINSLOT" [Read] cluster_get_keys_in_slot<R>(slot: u16, count: u64) -> R;
    "CLUSTER KEYSLOT" [Read] cluster_keyslot<R, K>(key: K => Into<Key>) -> R;
    "CLUSTER MEET" [Idempotent] cluster_meet<S>(ip: S => Into<Str>, port: u16);
    "CLUSTER REPLICATE" [Idempotent] cluster_replicate<S>(node_id: S => Into<Str>);
    "CLUSTER REPLICAS" [Read] cluster_replicas<R, S>(node_id: S => Into<Str>) -> R;
    "CLUSTER RESET" [NotIdempotent] cluster_reset<>(mode: Option<ClusterResetFlag>);
    "CLUSTER SET-CONFIG-EPOCH" [SameState] cluster_set_config_epoch<>(epoch: u64);
    "CLUSTER SETSLOT" [SameState] cluster_setslot<>(slot: u16, state: ClusterSetSlotState);
}
