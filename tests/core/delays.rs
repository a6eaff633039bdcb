//! How long to wait: exact delays, saturation, and the distribution of every jitter family.

use std::{collections::HashSet, io, time::Duration};

use retry_runtime::{
    Constant, Exponential, Jitter, RetryPolicy,
    backoff::{Backoff, Random, RetryContext},
    policy::ConfigError,
    retryable,
};
use retry_tests::{is_alone, run_alone};

const SAMPLES: usize = 20_000;
const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn delay(backoff: &impl Backoff, retry: u32) -> Duration {
    backoff.delay(&mut RetryContext::new(retry, None, &mut Random::seeded(1)))
}

const PLAIN: Exponential = Exponential::new().jitter(Jitter::None);

#[test]
fn doubles_from_the_base_up_to_the_longest_delay() {
    let delays = (1..=11).map(|retry| delay(&PLAIN, retry).as_millis()).collect::<Vec<_>>();
    assert_eq!(delays, [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000]);
}

#[test]
fn saturates_at_every_attempt_number() {
    let endless = PLAIN.max_delay(Duration::MAX);
    for retry in [1023, 1024, 1025, u32::MAX] {
        assert_eq!(delay(&PLAIN, retry), Duration::from_secs(20));
        assert_eq!(delay(&endless, retry), Duration::MAX);
        assert_eq!(delay(&PLAIN.factor(f64::MAX), retry), Duration::from_secs(20));
    }
    assert_eq!(delay(&PLAIN, 0), delay(&PLAIN, 1));
    assert_eq!(delay(&PLAIN.base_delay(Duration::ZERO), u32::MAX), Duration::ZERO);
    assert_eq!(delay(&PLAIN.base_delay(Duration::MAX), 7), Duration::MAX);
    assert_eq!(delay(&Constant::new(Duration::MAX), u32::MAX), Duration::MAX);
}

#[test]
fn every_family_survives_the_longest_duration() {
    let base = Exponential::new().base_delay(Duration::MAX);
    for jitter in
        [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::FromBase]
    {
        let wait = &mut Random::seeded(3);
        let drawn =
            base.jitter(jitter).delay(&mut RetryContext::new(u32::MAX, Some(Duration::MAX), wait));
        assert!(drawn <= Duration::MAX, "{jitter}");
    }
}

#[test]
fn refuses_impossible_settings_with_the_value() {
    for factor in [f64::NAN, f64::INFINITY, 0.5, -1.0] {
        let error = Exponential::checked(MILLI, factor, MILLI).unwrap_err();
        assert!(matches!(error, ConfigError::Factor(found) if found.to_bits() == factor.to_bits()));
    }
    assert_eq!(
        Exponential::checked(MILLI * 2, 2.0, MILLI),
        Err(ConfigError::MaxDelayBelowBase { base_delay: MILLI * 2, max_delay: MILLI })
    );
    assert_eq!(
        Constant::checked(MILLI, Jitter::Decorrelated),
        Err(ConfigError::JitterNeedsGrowth(Jitter::Decorrelated))
    );
}

/// The order of the two mattered once, and one alone panicked (BaryoDev/Carom#35).
#[test]
fn no_setting_panics_and_the_longest_delay_holds() {
    let short = PLAIN.max_delay(10 * MILLI);
    for backoff in [short, short.base_delay(SECOND), PLAIN.base_delay(SECOND).max_delay(10 * MILLI)]
    {
        assert_eq!((delay(&backoff, 1), delay(&backoff, 9)), (10 * MILLI, 10 * MILLI));
    }
    assert_eq!(delay(&short.base_delay(5 * MILLI), 1), 5 * MILLI);
    assert_eq!(delay(&PLAIN.base_delay(30 * SECOND), 9), 30 * SECOND);
    assert_eq!(short.check(), Ok(short));
    assert!(short.base_delay(11 * MILLI).check().is_err());
    let constant = Constant::new(SECOND).jitter(Jitter::Decorrelated);
    assert_eq!(delay(&constant, 3), SECOND);
    assert_eq!(constant.check(), Err(ConfigError::JitterNeedsGrowth(Jitter::Decorrelated)));
}

#[test]
fn every_value_of_every_setting_makes_a_backoff() {
    let mut random = fastrand::Rng::with_seed(22);
    for _ in 0..20_000 {
        let mut duration = || match random.u8(0..6) {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            2 => Duration::from_nanos(1),
            _ => Duration::from_nanos(random.u64(..) >> random.u32(0..64)),
        };
        let (base, longest) = (duration(), duration());
        let factor = f64::from_bits(random.u64(..));
        let retry = random.u32(..) >> random.u32(0..32);
        for jitter in
            [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::FromBase]
        {
            let backoff = Exponential::new().base_delay(base).max_delay(longest).factor(factor);
            let wait = &mut Random::seeded(1);
            let drawn =
                backoff.jitter(jitter).delay(&mut RetryContext::new(retry, Some(longest), wait));
            assert!(drawn <= longest, "{jitter} of {base:?}, {longest:?}, {factor}: {drawn:?}");
        }
        let shrinking = PLAIN.base_delay(base).factor(factor.min(1.0));
        assert_eq!(delay(&shrinking, retry), base, "{factor}");
    }
}

#[retryable(policy = exponential(base_delay = "1s", max_delay = longest, factor = factor, retries = 1))]
async fn configured(longest: Duration, factor: f64, calls: &mut u32) -> io::Result<u32> {
    *calls += 1;
    if *calls == 2 { Ok(1) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
}

#[tokio::test(start_paused = true)]
async fn no_setting_makes_a_call_panic() {
    let begin = tokio::time::Instant::now();
    assert_eq!(configured(MILLI, f64::NAN, &mut 0).await.unwrap(), 1);
    assert!(begin.elapsed() <= 2 * MILLI, "{:?}", begin.elapsed());
}

/// Draws delays in milliseconds for the fourth retry of base 100 ms (nominal 800 ms, capped at 700 ms).
fn samples(jitter: Jitter, previous: Duration) -> Vec<f64> {
    let backoff = Exponential::new().base_delay(MILLI * 100).max_delay(MILLI * 700).jitter(jitter);
    let mut random = Random::seeded(42);
    let mut drawn = (0..SAMPLES)
        .map(|_| {
            backoff.delay(&mut RetryContext::new(4, Some(previous), &mut random)).as_secs_f64()
                * 1e3
        })
        .collect::<Vec<_>>();
    drawn.sort_by(f64::total_cmp);
    drawn
}

/// Asserts the one-sample Kolmogorov–Smirnov test against the uniform distribution on `low ..= high`, at the 0.1 %
/// level: the statistic stays below `1.95 / sqrt(n)` (Smirnov's asymptotic table).
fn assert_uniform(sorted: &[f64], low: f64, high: f64) {
    #[expect(clippy::cast_precision_loss, reason = "twenty thousand is exact")]
    let count = sorted.len() as f64;
    let statistic = sorted.iter().zip(0u32..).fold(0.0_f64, |worst, (sample, rank)| {
        assert!((low..=high).contains(sample), "{sample} is outside {low} ..= {high}");
        let expected = (sample - low) / (high - low);
        let (below, upto) = (f64::from(rank) / count, f64::from(rank + 1) / count);
        worst.max((expected - below).abs()).max((expected - upto).abs())
    });
    assert!(statistic < 1.95 / count.sqrt(), "Kolmogorov–Smirnov statistic {statistic}");
}

#[test]
fn full_jitter_is_uniform_from_zero_to_the_capped_delay() {
    assert_uniform(&samples(Jitter::Full, MILLI), 0.0, 700.0);
}

#[test]
fn equal_jitter_is_uniform_in_the_upper_half() {
    assert_uniform(&samples(Jitter::Equal, MILLI), 350.0, 700.0);
}

#[test]
fn from_base_jitter_is_uniform_from_the_base() {
    assert_uniform(&samples(Jitter::FromBase, MILLI), 100.0, 700.0);
}

#[test]
fn decorrelated_jitter_is_uniform_from_the_base_to_three_times_the_last_wait() {
    assert_uniform(&samples(Jitter::Decorrelated, MILLI * 200), 100.0, 600.0);
}

#[test]
fn decorrelated_jitter_never_exceeds_the_longest_delay() {
    let drawn = samples(Jitter::Decorrelated, MILLI * 700);
    assert!(drawn.last().is_some_and(|longest| (*longest - 700.0).abs() < 1e-9));
}

#[test]
fn no_jitter_is_exact() {
    assert!(samples(Jitter::None, MILLI).iter().all(|drawn| (drawn - 700.0).abs() < 1e-9));
}

/// The first retry of coredis is not jittered (its finding C1): all clients come back in the same moment.
#[test]
fn the_first_retry_is_spread() {
    let mut random = Random::seeded(5);
    let backoff = Exponential::new().base_delay(MILLI * 100);
    let mut drawn = (0..SAMPLES)
        .map(|_| backoff.delay(&mut RetryContext::new(1, None, &mut random)).as_secs_f64() * 1e3)
        .collect::<Vec<_>>();
    drawn.sort_by(f64::total_cmp);
    assert_uniform(&drawn, 0.0, 100.0);
}

#[test]
fn processes_do_not_share_a_sequence() {
    if is_alone() {
        let mut random = Random::from_entropy();
        let drawn = Exponential::new().delay(&mut RetryContext::new(1, None, &mut random));
        println!("jitter={}", drawn.as_nanos());
        return;
    }
    let jitters = (0..24)
        .map(|_| {
            let text = run_alone("delays::processes_do_not_share_a_sequence");
            let (_, rest) = text.split_once("jitter=").expect("a jitter was printed");
            rest.split_whitespace().next().unwrap_or_default().to_owned()
        })
        .collect::<HashSet<_>>();
    assert_eq!(jitters.len(), 24);
}

/// coredis' jitter exceeds a longest delay that is below the base delay (its finding C16).
#[test]
fn a_longest_delay_below_the_base_holds_and_is_found_by_a_check() {
    let policy = RetryPolicy::exponential().base_delay(SECOND).max_delay(MILLI);
    assert!(policy.schedule().all(|bounds| bounds == (Duration::ZERO..=MILLI)));
    assert_eq!(
        policy.check(),
        Err(ConfigError::MaxDelayBelowBase { base_delay: SECOND, max_delay: MILLI })
    );
}
