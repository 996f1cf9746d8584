//! The pauses between attempts: bounded, never shorter for a later attempt, spread as far as they say and no further.

use std::time::Duration;

use forgeos_worker::retry::{outage_delay, retry_delay};
use proptest::prelude::*;

/// Two seconds to ten minutes, and five seconds to five minutes, each spread by a quarter.
const RETRY: (f64, f64) = (1.5, 750.0);
const OUTAGE: (f64, f64) = (3.75, 375.0);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn every_pause_is_within_its_bounds(attempts in prop_oneof![0i32..40, any::<i32>().prop_map(|n| n.max(0)), Just(i32::MAX)],
                                        random in prop_oneof![0.0f64..=1.0, any::<f64>()]) {
        for (pause, bounds) in [(retry_delay(attempts, random), RETRY), (outage_delay(attempts, random), OUTAGE)] {
            let seconds = pause.as_secs_f64();
            prop_assert!((bounds.0..=bounds.1).contains(&seconds), "{} attempts: {} s", attempts, seconds);
        }
    }

    #[test]
    fn a_later_attempt_never_waits_less(attempts in 0i32..i32::MAX, random in 0.0f64..=1.0) {
        prop_assert!(retry_delay(attempts + 1, random) >= retry_delay(attempts, random));
        prop_assert!(outage_delay(attempts + 1, random) >= outage_delay(attempts, random));
    }

    #[test]
    fn the_spread_is_a_quarter_either_way(attempts in 1i32..i32::MAX, random in 0.0f64..=1.0) {
        let (least, pause, most) = (retry_delay(attempts, 0.0), retry_delay(attempts, random), retry_delay(attempts, 1.0));
        prop_assert!(least <= pause && pause <= most);
        let ratio = most.as_secs_f64() / least.as_secs_f64();
        prop_assert!((ratio - 5.0 / 3.0).abs() < 1e-6, "{}", ratio);
    }
}

#[test]
fn pauses_double_until_they_reach_their_cap() {
    let seconds: Vec<u64> = (1..=11).map(|attempts| retry_delay(attempts, 0.5).as_secs()).collect();
    assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
    assert_eq!(outage_delay(0, 0.5), Duration::from_secs(5));
}
