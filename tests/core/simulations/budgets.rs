//! How a budget trades success for load, where attempts fail independently of each other.
//!
//! The workload on which the published budgets were compared: 100 clients with 10 calls a second each, Poisson, for
//! 120 s; every attempt fails with the same probability and takes no time.
//! The reference numbers are of the AWS bucket with the three attempts of the AWS SDKs.

use std::time::Duration;

use retry_runtime::{
    Budget,
    backoff::Random,
    budget::{Charge, Cost},
};

use super::until_next;

const CLIENTS: u64 = 100;
const CALLS_PER_SECOND: f64 = 10.0;
const LENGTH: Duration = Duration::from_secs(120);
// A full budget allows 35 retries where everything fails, which are over after 35 calls: 3.5 s on average.
const STEADY_FROM: Duration = Duration::from_secs(30);

/// The failure rate, and what the AWS bucket of 2026 gives: percent of calls that succeed, and attempts per call.
const REFERENCE: [(f64, f64, f64); 7] = [
    (0.01, 100.0, 1.01),
    (0.05, 99.99, 1.05),
    (0.10, 99.91, 1.11),
    (0.20, 99.18, 1.24),
    (0.30, 88.17, 1.26),
    (0.50, 56.90, 1.13),
    (1.00, 0.0, 1.03),
];

#[derive(Default, Clone, Copy)]
struct Sum {
    calls: u32,
    successes: u32,
    attempts: u32,
}

impl Sum {
    fn success(self) -> f64 {
        100.0 * f64::from(self.successes) / f64::from(self.calls)
    }

    fn load(self) -> f64 {
        f64::from(self.attempts) / f64::from(self.calls)
    }
}

/// Makes one call and counts it.
fn call(budget: Option<&Budget>, retries: u32, failure_rate: f64, random: &mut Random) -> Sum {
    let mut paid: Option<Charge> = None;
    for retry in 0..=retries {
        if random.unit() >= failure_rate {
            match (budget, paid.take()) {
                (Some(budget), Some(charge)) => budget.refund(charge),
                (Some(budget), None) => budget.succeeded(),
                (None, _) => (),
            }
            return Sum { calls: 1, successes: 1, attempts: retry + 1 };
        }
        if let Some(budget) = budget.filter(|_| retry < retries) {
            let Ok(permit) = budget.withdraw(Cost::Transient) else {
                return Sum { calls: 1, successes: 0, attempts: retry + 1 };
            };
            paid = Some(permit.start());
        }
    }
    Sum { calls: 1, successes: 0, attempts: retries + 1 }
}

/// Returns the sums of the whole run and of its steady state.
fn run(budgeted: bool, retries: u32, failure_rate: f64) -> [Sum; 2] {
    let mut sums = [Sum::default(); 2];
    for client in 0..CLIENTS {
        let budget = budgeted.then(Budget::new);
        let mut random = Random::seeded(client);
        let mut now = until_next(&mut random, CALLS_PER_SECOND);
        while now < LENGTH {
            let call = call(budget.as_ref(), retries, failure_rate, &mut random);
            let (whole, steady) = (0, 1);
            for sum in &mut sums[whole..=if now < STEADY_FROM { whole } else { steady }] {
                sum.calls += call.calls;
                sum.successes += call.successes;
                sum.attempts += call.attempts;
            }
            now += until_next(&mut random, CALLS_PER_SECOND);
        }
    }
    sums
}

#[test]
fn reproduces_the_bucket_of_the_aws_sdks() {
    println!("percent of calls that succeed / attempts per call");
    println!(
        "failures |        none |    3 retries | budget, 2 r. | budget, 3 r. | its steady state | reference"
    );
    for (failure_rate, success, load) in REFERENCE {
        let cell = |sum: Sum| format!("{:6.2} / {:.2}", sum.success(), sum.load());
        let [none, _] = run(false, 0, failure_rate);
        let [unbounded, _] = run(false, 3, failure_rate);
        let [two, two_steady] = run(true, 2, failure_rate);
        let [three, three_steady] = run(true, 3, failure_rate);
        let columns = [none, unbounded, two, three, three_steady].map(cell);
        println!("    {failure_rate:4.2} | {} | {success:6.2} / {load:.2}", columns.join(" | "));

        assert!((two.success() - success).abs() < 1.0, "{failure_rate}: {}", two.success());
        assert!((two.load() - load).abs() < 0.015, "{failure_rate}: {}", two.load());
        let expected = 100.0 * (1.0 - failure_rate.powi(4));
        assert!((unbounded.success() - expected).abs() < 0.3, "{failure_rate}");
        for sum in [two, two_steady, three, three_steady] {
            if failure_rate <= 0.2 {
                assert!(sum.success() >= 99.0, "{failure_rate}: {}", sum.success());
            }
            if failure_rate >= 1.0 {
                assert!(sum.load() <= 1.05, "{failure_rate}: {}", sum.load());
            }
        }
    }
}
