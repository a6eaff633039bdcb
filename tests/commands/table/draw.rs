//! Keyspaces and arguments drawn from a seed.

use fred::types::{
    Expiration, ExpireOptions, SetOptions, SortOrder, Value,
    geo::{GeoPosition, GeoUnit, GeoValue},
    sorted_sets::{AggregateOptions, Ordering, ZRange, ZRangeBound, ZRangeKind, ZSort},
};

/// Fills a server from a seed: four keys of one kind, or of any, two of any, each perhaps missing, and two that are.
pub(super) const STATE: &str = "
math.randomseed(tonumber(ARGV[1]))
redis.call('FLUSHALL')
local words = {'a', 'b', 'c', '1', '2', '10', '-1', 'x'}
local function word() return words[math.random(#words)] end
local makers = {
  string = function(key) redis.call('SET', key, word() .. word()) end,
  number = function(key) redis.call('SET', key, math.random(-9, 9)) end,
  list = function(key) redis.call('RPUSH', key, word()) end,
  set = function(key) redis.call('SADD', key, word()) end,
  zset = function(key) redis.call('ZADD', key, math.random(-2, 2), word()) end,
  hash = function(key) redis.call('HSET', key, word(), word()) end,
  log = function(key) redis.call('PFADD', key, word()) end,
  geo = function(key) redis.call('GEOADD', key, math.random(0, 5), math.random(0, 5), word()) end,
  stream = function(key, i) redis.call('XADD', key, i .. '-1', 'f', word()) end,
}
local kinds = {'string', 'number', 'list', 'set', 'zset', 'hash', 'log', 'geo', 'stream'}
for number = 0, 5 do
  local key, kind = 'k' .. number, ARGV[2]
  if kind == 'any' or number > 3 then kind = kinds[math.random(#kinds)] end
  if math.random(5) > 1 then
    for i = 1, math.random(8) do makers[kind](key, i) end
    if kind == 'stream' and math.random(3) > 1 then
      redis.call('XGROUP', 'CREATE', key, 'g', 0)
      redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', math.random(3), 'STREAMS', key, '>')
    end
    if math.random(4) == 1 then redis.call('EXPIRE', key, 1000) end
  end
end
";

/// Draws the arguments of one command.
pub(super) struct Draw(fastrand::Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())].clone()
    }

    pub(super) fn flag(&mut self) -> bool {
        self.0.bool()
    }

    pub(super) fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(draw(self)) } else { None }
    }

    pub(super) fn some<T>(&mut self, mut draw: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.0.usize(1..4)).map(|_| draw(self)).collect()
    }

    pub(super) fn key(&mut self) -> String {
        format!("k{}", self.0.u8(..8))
    }

    pub(super) fn keys(&mut self) -> Vec<String> {
        self.some(Self::key)
    }

    pub(super) fn word(&mut self) -> &'static str {
        self.one(&["a", "b", "c", "1", "2", "10", "-1", "x", "new"])
    }

    pub(super) fn words(&mut self) -> Vec<&'static str> {
        self.some(Self::word)
    }

    pub(super) fn pairs(&mut self) -> Vec<(String, &'static str)> {
        self.some(|draw| (draw.key(), draw.word()))
    }

    pub(super) fn fields(&mut self) -> Vec<(&'static str, &'static str)> {
        self.some(|draw| (draw.word(), draw.word()))
    }

    pub(super) fn index(&mut self) -> i64 {
        self.0.i64(-6..7)
    }

    pub(super) fn small(&mut self) -> u64 {
        self.0.u64(..5)
    }

    pub(super) fn limit(&mut self) -> (i64, i64) {
        (self.0.i64(0..3), self.index())
    }

    pub(super) fn condition(&mut self) -> Option<SetOptions> {
        self.maybe(|draw| draw.one(&[SetOptions::NX, SetOptions::XX]))
    }

    /// Times that have passed, that are far, and that are none; those in between pass during a test.
    pub(super) fn expiration(&mut self) -> Option<Expiration> {
        use Expiration::{EX, EXAT, KEEPTTL, PX, PXAT};
        let times = [EX(100), PX(100_000), EXAT(1), PXAT(1), EXAT(9_999_999_999), KEEPTTL, EX(0)];
        self.maybe(|draw| draw.one(&times))
    }

    pub(super) fn seconds(&mut self) -> i64 {
        self.one(&[-1, 0, 100, 2_000, i64::MAX])
    }

    pub(super) fn moment(&mut self) -> i64 {
        self.one(&[-1, 1, 9_999_999_999, 9_999_999_999_999, i64::MAX])
    }

    pub(super) fn expire_condition(&mut self) -> Option<ExpireOptions> {
        use ExpireOptions::{GT, LT, NX, XX};
        self.maybe(|draw| draw.one(&[GT, LT, NX, XX]))
    }

    pub(super) fn order(&mut self) -> Option<SortOrder> {
        self.maybe(|draw| draw.one(&[SortOrder::Asc, SortOrder::Desc]))
    }

    pub(super) fn pattern(&mut self) -> Option<fred::bytes_utils::Str> {
        self.maybe(|draw| draw.one(&["nosort", "k*", "k*->a"]).into())
    }

    pub(super) fn score(&mut self) -> f64 {
        self.one(&[-3.0, -1.0, 0.0, 0.5, 1.0, 3.0, f64::INFINITY, f64::NEG_INFINITY])
    }

    pub(super) fn scored(&mut self) -> Vec<(f64, &'static str)> {
        self.some(|draw| (draw.score(), draw.word()))
    }

    pub(super) fn ordering(&mut self) -> Option<Ordering> {
        self.maybe(|draw| draw.one(&[Ordering::GreaterThan, Ordering::LessThan]))
    }

    pub(super) fn sort(&mut self) -> Option<ZSort> {
        self.maybe(|draw| draw.one(&[ZSort::ByScore, ZSort::ByLex]))
    }

    /// The end of a range by index, score or member.
    pub(super) fn end(&mut self, by: Option<&ZSort>) -> ZRange {
        match by {
            None => ZRange::from(self.index()),
            Some(ZSort::ByScore) => self.numeric(),
            Some(ZSort::ByLex) => ZRange::from(self.lexical()),
        }
    }

    pub(super) fn lexical(&mut self) -> &'static str {
        self.one(&["[a", "(b", "[c", "[x", "(1", "-", "+"])
    }

    pub(super) fn numeric(&mut self) -> ZRange {
        let kind = self.one(&[ZRangeKind::Inclusive, ZRangeKind::Exclusive]);
        ZRange { kind, range: ZRangeBound::Score(f64::from(self.0.i8(-3..4))) }
    }

    pub(super) fn weights(&mut self, count: usize) -> Vec<f64> {
        if self.flag() { (0..count).map(|_| self.score()).collect() } else { Vec::new() }
    }

    pub(super) fn aggregate(&mut self) -> Option<AggregateOptions> {
        match self.0.u8(..4) {
            0 => Some(AggregateOptions::Sum),
            1 => Some(AggregateOptions::Min),
            2 => Some(AggregateOptions::Max),
            _ => None,
        }
    }

    pub(super) fn position(&mut self) -> GeoPosition {
        GeoPosition::from((self.0.f64() * 6.0, self.0.f64() * 6.0))
    }

    pub(super) fn positions(&mut self) -> Vec<GeoValue> {
        self.some(|draw| GeoValue { coordinates: draw.position(), member: draw.word().into() })
    }

    pub(super) fn unit(&mut self) -> GeoUnit {
        self.one(&[GeoUnit::Kilometers, GeoUnit::Meters])
    }

    pub(super) fn radius(&mut self) -> f64 {
        self.one(&[0.0, 100.0, 400.0, 100_000.0])
    }

    pub(super) fn any(&mut self) -> Option<(u64, bool)> {
        self.maybe(|draw| (draw.small() + 1, draw.flag()))
    }

    /// Where a search is made around: a member, or a place.
    pub(super) fn center(&mut self) -> (Option<Value>, Option<GeoPosition>) {
        if self.flag() { (Some(self.word().into()), None) } else { (None, Some(self.position())) }
    }

    pub(super) fn id(&mut self) -> &'static str {
        self.one(&["0-0", "1-1", "2-1", "3-1", "5-1", "7", "9-1", "20-5", "-", "+", "$"])
    }

    pub(super) fn cap(&mut self) -> (&'static str, &'static str, i64, Option<i64>) {
        let (kind, trim) = (self.one(&["MAXLEN", "MINID"]), self.one(&["=", "~"]));
        let limit = self.maybe(|draw| draw.one(&[0, 1, 2, 100]));
        (kind, trim, self.0.i64(0..6), limit.filter(|_| trim == "~"))
    }
}
