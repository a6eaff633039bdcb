//! How large the futures of the forms are.

mod hand;
mod ours;
#[cfg(feature = "peers")]
mod peers;

use std::hint::black_box;

use tokio::task::yield_now;

use crate::operation::Failed;

/// The sizes of the future of one form, over operations that keep 16 bytes, 1 KiB and 16 KiB.
pub type Sizes = (&'static str, [usize; 3]);

/// An operation whose future holds `N` bytes.
pub async fn work<const N: usize>(seed: &u8) -> Result<u64, Failed> {
    let state = [black_box(*seed); N];
    yield_now().await;
    let first = black_box(&state).first().copied();
    first.map(u64::from).ok_or(Failed::Transient(1))
}

/// Measures one form over the three operations.
#[macro_export]
macro_rules! sizes {
    ($name:literal, $n:ident => $future:expr) => {{
        fn size<const $n: usize>() -> usize {
            ::std::mem::size_of_val(&$future)
        }
        ($name, [size::<16>(), size::<1024>(), size::<{ 16 * 1024 }>()])
    }};
}

/// Measures every form that was compiled in.
pub fn all() -> Vec<Sizes> {
    #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "peers add to it"))]
    let mut all = [hand::all(), ours::all()].concat();
    #[cfg(feature = "peers")]
    all.extend(peers::all());
    all
}
