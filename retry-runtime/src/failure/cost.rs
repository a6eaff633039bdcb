/// Says what a failed attempt tells about the load, and so what its retry costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cost {
    /// The attempt was never sent because of our own connection's state: it loaded no server, its retry costs nothing.
    Free,
    /// The server said that it is busy: it is alive and rejects cheaply.
    Throttling,
    /// The attempt failed or timed out: it may have cost the server its full work.
    Transient,
}
