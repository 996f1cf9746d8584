//! What a lane does while the object store is away: after two attempts in a row that ended because of it, nothing is
//! claimed for a while; then one job, to see. So the jobs that wait are not all claimed and given back again and again,
//! each with a pause of its own, and go on at once when the store is back.
//!
//! Each lane judges for itself: a bucket that is missing stops the jobs that need it and no others.

use std::time::{Duration, Instant};

/// So many in a row: one may be about one file only.
const ENOUGH: u32 = 2;
/// The first pause.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(30);

/// What an attempt tells of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreWord {
    /// It was away.
    Away,
    /// It was there, or was not what the attempt failed of.
    There,
    /// Nothing.
    Silent,
}

/// Whether a lane may claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// As much as it likes.
    Claim,
    /// One job at a time.
    ClaimOne,
    /// Nothing.
    Wait,
}

/// What a lane knows of the store.
#[derive(Debug, Default)]
pub struct Away {
    in_a_row: u32,
    until: Option<Instant>,
}

impl Away {
    /// Whether the lane may claim at this moment.
    #[must_use]
    pub fn may(&self, now: Instant) -> May {
        match self.until {
            None => May::Claim,
            Some(until) if now < until => May::Wait,
            Some(_) => May::ClaimOne,
        }
    }

    /// Takes in what an attempt tells. `random` (0 to 1) spreads the pauses. Answers whether the store has just gone
    /// (`true`) or come back (`false`).
    pub fn hear(&mut self, word: StoreWord, now: Instant, random: f64) -> Option<bool> {
        match word {
            StoreWord::Silent => None,
            StoreWord::There => {
                self.in_a_row = 0;
                self.until.take().map(|_| false)
            }
            StoreWord::Away => {
                // Those that were under way when it went tell the same thing.
                if self.may(now) == May::Wait {
                    return None;
                }
                self.in_a_row += 1;
                if self.in_a_row < ENOUGH {
                    return None;
                }
                let pause = (SHORTEST * 2u32.pow((self.in_a_row - ENOUGH).min(10))).min(LONGEST);
                let first = self.until.is_none();
                self.until = Some(now + pause.mul_f64(0.75 + 0.5 * random));
                first.then_some(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_pause_longer_and_longer_until_one_job_finds_the_store_back() {
        let (mut away, mut now) = (Away::default(), Instant::now());
        assert_eq!(away.hear(StoreWord::Away, now, 0.5), None, "one may be about one file");
        assert_eq!(away.may(now), May::Claim);
        assert_eq!(away.hear(StoreWord::Away, now, 0.5), Some(true));
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let began = now;
            assert_eq!(away.may(now), May::Wait);
            assert_eq!(away.hear(StoreWord::Away, now, 0.5), None, "what was under way changes nothing");
            while away.may(now) == May::Wait {
                now += Duration::from_millis(500);
            }
            pauses.push((now - began).as_secs());
            assert_eq!(away.may(now), May::ClaimOne);
            assert_eq!(away.hear(StoreWord::Silent, now, 0.5), None);
            assert_eq!(away.may(now), May::ClaimOne, "whoever says nothing decides nothing");
            assert_eq!(away.hear(StoreWord::Away, now, 0.5), None);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(away.hear(StoreWord::There, now, 0.5), Some(false));
        assert_eq!(away.may(now), May::Claim);
        assert_eq!(away.hear(StoreWord::There, now, 0.5), None);
    }

    #[test]
    fn one_file_that_fails_now_and_then_stops_nothing() {
        let (mut away, now) = (Away::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(away.hear(StoreWord::Away, now, 0.5), None);
            assert_eq!(away.hear(StoreWord::There, now, 0.5), None);
        }
        assert_eq!(away.may(now), May::Claim);
    }
}
