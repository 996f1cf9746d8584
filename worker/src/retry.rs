//! When the next attempt may start.

use std::time::Duration;

/// First pause after a failed attempt.
const RETRY_BASE: Duration = Duration::from_secs(2);
/// Longest pause between failed attempts.
const RETRY_CAP: Duration = Duration::from_secs(10 * 60);
/// First pause while the database or the store is away.
const OUTAGE_BASE: Duration = Duration::from_secs(5);
/// Longest pause while the database or the store is away.
const OUTAGE_CAP: Duration = Duration::from_secs(5 * 60);
/// After this long, counted from the first claim, an outage is no longer waited out.
pub const OUTAGE_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Pause before the attempt after `attempts_used` failed ones: doubled each time up to a cap, then spread evenly over
/// 75 % to 125 % of itself, so that jobs that failed together do not come back together.
#[must_use]
pub fn retry_delay(attempts_used: i32, random: f64) -> Duration {
    spread(RETRY_BASE, RETRY_CAP, attempts_used - 1, random)
}

/// The same while something that the job needs is away.
#[must_use]
pub fn outage_delay(attempts_forgiven: i32, random: f64) -> Duration {
    spread(OUTAGE_BASE, OUTAGE_CAP, attempts_forgiven, random)
}

fn spread(base: Duration, cap: Duration, doublings: i32, random: f64) -> Duration {
    let factor = 2f64.powi(doublings.clamp(0, 30));
    let pause = (base.as_secs_f64() * factor).min(cap.as_secs_f64());
    Duration::from_secs_f64(pause * (0.75 + 0.5 * random.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn delays_stay_within_their_bounds(attempts in i32::MIN..i32::MAX, random in 0.0f64..=1.0) {
            let retry = retry_delay(attempts.saturating_add(1), random);
            prop_assert!(retry >= RETRY_BASE.mul_f64(0.75) && retry <= RETRY_CAP.mul_f64(1.25));
            let outage = outage_delay(attempts, random);
            prop_assert!(outage >= OUTAGE_BASE.mul_f64(0.75) && outage <= OUTAGE_CAP.mul_f64(1.25));
        }

        #[test]
        fn a_later_attempt_never_waits_less(attempt in 1i32..40, random in 0.0f64..=1.0) {
            prop_assert!(retry_delay(attempt + 1, random) >= retry_delay(attempt, random));
        }
    }
}
