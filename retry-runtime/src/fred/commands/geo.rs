//! The [geospatial](https://redis.io/commands#geo) commands.

use ::fred::{
    interfaces::GeoInterface,
    types::{
        Any, Key, MultipleValues, SetOptions, SortOrder, Value,
        geo::{GeoPosition, GeoUnit, MultipleGeoValues},
    },
};

use crate::fred::{
    Replay::{self, Idempotent, NotIdempotent, Read, SameState},
    commands::{commands, store_class},
};

#[rustfmt::skip] // One line per command.
commands! { GeoInterface;
    "GEOADD" [SameState] geoadd<R, K, V>(key: K => Into<Key>, options: Option<SetOptions>, changed: bool, values: V => Into<MultipleGeoValues>) -> R;
    "GEOHASH" [Read] geohash<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
    "GEOPOS" [Read] geopos<R, K, V>(key: K => Into<Key>, members: V => TryInto<MultipleValues>) -> R;
    "GEODIST" [Read] geodist<R, K, S, D>(key: K => Into<Key>, src: S => TryInto<Value>, dest: D => TryInto<Value>, unit: Option<GeoUnit>) -> R;
    "GEORADIUS" [store_class_of(&key, [store.as_ref(), storedist.as_ref()])] georadius<R, K, P>(key: K => Into<Key>, position: P => Into<GeoPosition>, radius: f64, unit: GeoUnit, withcoord: bool, withdist: bool, withhash: bool, count: Option<(u64, Any)>, ord: Option<SortOrder>, store: Option<Key>, storedist: Option<Key>) -> R;
    "GEORADIUSBYMEMBER" [store_class_of(&key, [store.as_ref(), storedist.as_ref()])] georadiusbymember<R, K, V>(key: K => Into<Key>, member: V => TryInto<Value>, radius: f64, unit: GeoUnit, withcoord: bool, withdist: bool, withhash: bool, count: Option<(u64, Any)>, ord: Option<SortOrder>, store: Option<Key>, storedist: Option<Key>) -> R;
    "GEOSEARCH" [Read] geosearch<R, K>(key: K => Into<Key>, from_member: Option<Value>, from_lonlat: Option<GeoPosition>, by_radius: Option<(f64, GeoUnit)>, by_box: Option<(f64, f64, GeoUnit)>, ord: Option<SortOrder>, count: Option<(u64, Any)>, withcoord: bool, withdist: bool, withhash: bool) -> R;
    "GEOSEARCHSTORE" [store_class(&dest, [source.clone()])] geosearchstore<R, D, S>(dest: D => Into<Key>, source: S => Into<Key>, from_member: Option<Value>, from_lonlat: Option<GeoPosition>, by_radius: Option<(f64, GeoUnit)>, by_box: Option<(f64, f64, GeoUnit)>, ord: Option<SortOrder>, count: Option<(u64, Any)>, storedist: bool) -> R;
}

/// A destination that is also the source is computed upon again.
fn store_class_of(key: &Key, destinations: [Option<&Key>; 2]) -> Replay {
    if destinations.contains(&Some(key)) { NotIdempotent } else { Idempotent }
}
