//! An outage takes no lease from those who live, and a death is not mistaken for an outage.

// Figures are printed for `--nocapture`.
#![allow(clippy::print_stdout)]

use forgeos_model::contact::{ContactFlaw, LEASE, live_lease_swept, longest_wait};

#[test]
fn no_outage_takes_the_lease_of_a_worker_that_lives() {
    let (moments, counterexample) = live_lease_swept(None);
    println!("{moments} moments");
    assert_eq!(counterexample, None);
    assert!(moments > 500, "only {moments} moments: the walk went nowhere");
}

#[test]
fn every_rule_that_looks_right_and_is_not_is_caught() {
    for flaw in
        [ContactFlaw::NoContactNeeded, ContactFlaw::LongGap, ContactFlaw::GapUnseen, ContactFlaw::OldProof]
    {
        let (moments, counterexample) = live_lease_swept(Some(flaw));
        let Some(path) = counterexample else { panic!("{flaw:?} goes unnoticed in {moments} moments") };
        println!("{flaw:?}: {} ticks, {path:?}", path.len());
    }
}

/// What a process alone has seen is safe to go by too. But where processes live for less than a lease nobody ever
/// sweeps, and so the contact stands in the database.
#[test]
fn a_dead_workers_lease_is_swept_as_it_runs_out_however_short_the_others_live() {
    assert_eq!(live_lease_swept(Some(ContactFlaw::OwnContactOnly)).1, None);
    assert_eq!(longest_wait(Some(ContactFlaw::OwnContactOnly), 3), None);
    for lives in [1, 2, 3, LEASE] {
        let wait = longest_wait(None, lives);
        assert!(wait.is_some_and(|ticks| ticks <= LEASE + 3), "{lives}: {wait:?}");
    }
}
