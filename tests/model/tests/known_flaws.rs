//! Rules that look right and are not: the walk must find for each the promise that it breaks.

// Figures are printed for `--nocapture`.
#![allow(clippy::print_stdout)]

use forgeos_model::{
    bounds::{Bounds, DEADLY, MEDDLED, RIVALS},
    checker::walk,
    properties::{self, Property},
    step::{Flaw, Harm},
};

/// Workers die, and nothing else happens: enough to see that a job goes round for ever.
const QUIETLY_DEADLY: Bounds = Bounds { releases: 0, restarts: 0, most_attempts: 5, ..DEADLY };

/// Every promise stands here with a flaw that breaks it: one that nothing breaks would prove nothing.
const FLAWS: [(Flaw, Bounds, Property); 19] = [
    (Flaw::ReleaseLowersTheAttempt, MEDDLED, Property::NoStatementHarms(Harm::StaleEffect)),
    (Flaw::ReleaseLowersTheAttempt, MEDDLED, Property::TheAttemptNeverFalls),
    (Flaw::ReleaseCountsACrash, MEDDLED, Property::CrashesAreLostLeases),
    (Flaw::SettleProvesTheWorkerOnly, MEDDLED, Property::NoStatementHarms(Harm::StaleEffect)),
    (Flaw::SettleIgnoresTheStatus, MEDDLED, Property::OnlyAllowedArrows),
    (Flaw::SettleIgnoresTheStatus, MEDDLED, Property::NoStatementHarms(Harm::SecondEnding)),
    (Flaw::CompletionOverwritesACancel, MEDDLED, Property::OnlyAllowedArrows),
    (Flaw::OneAttemptTooMany, MEDDLED, Property::NoMoreAttemptsThanAllowed),
    (Flaw::ClaimTakesNoLease, MEDDLED, Property::WhatRunsHasALeaseThatCanRunOut),
    (Flaw::SweepIgnoresTheClock, MEDDLED, Property::NoStatementHarms(Harm::LiveLeaseTaken)),
    (Flaw::SweepTakesCancelledJobs, MEDDLED, Property::OnlyAllowedArrows),
    (Flaw::SweepForgives, QUIETLY_DEADLY, Property::EveryFairPathEnds),
    (Flaw::SweepIgnoresCrashes, DEADLY, Property::TheThirdLostLeaseEndsTheJob),
    (Flaw::RetryKeepsTheLease, MEDDLED, Property::NoStatementHarms(Harm::StaleEffect)),
    (Flaw::RetryKeepsTheLease, MEDDLED, Property::WhatWaitsHasNoLease),
    (Flaw::RetryIgnoresTheKey, RIVALS, Property::OneLiveJobAKey),
    (Flaw::HeartbeatProvesNothing, MEDDLED, Property::NoStatementHarms(Harm::StaleRenewal)),
    (Flaw::WriteDoesNotHoldTheRow, MEDDLED, Property::NoStatementHarms(Harm::StaleEffect)),
    (Flaw::NobodyClosesCancels, MEDDLED, Property::EveryFairPathEnds),
];

#[test]
fn every_known_flaw_is_caught() {
    for (flaw, bounds, property) in FLAWS {
        let found = walk(&bounds, Some(flaw), &[property]);
        let Some(counterexample) = found.counterexample else {
            panic!("{flaw:?} goes unnoticed: {property:?} holds in all {} states", found.states);
        };
        println!("{flaw:?}: {} moves, {:?}", counterexample.path.len(), counterexample.path);
        assert_eq!(counterexample.property, property);
    }
    for promise in properties::ALL {
        assert!(FLAWS.iter().any(|(.., property)| *property == promise), "no flaw breaks {promise:?}");
    }
}

/// The token that is reused needs no crash: a pause of the old holder is enough.
#[test]
fn a_reused_token_is_found_without_anybody_dying() {
    let quiet = Bounds { restarts: 0, cancels: 0, retries: 0, ..MEDDLED };
    let property = Property::NoStatementHarms(Harm::StaleEffect);
    let found = walk(&quiet, Some(Flaw::ReleaseLowersTheAttempt), &[property]);
    assert!(found.counterexample.is_some());
    assert!(walk(&quiet, None, &[property]).counterexample.is_none());
}
