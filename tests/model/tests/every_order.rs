//! Every order of events within small bounds.
// Figures are printed for `--nocapture`.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use forgeos_model::{
    bounds::{Bounds, DEADLY, MEDDLED, RIVALS},
    checker::walk,
    properties,
};

fn holds_everywhere(what: &str, bounds: &Bounds) {
    let began = Instant::now();
    let walk = walk(bounds, None, &properties::ALL);
    println!("{what}: {} states, {} moves, {:.1?}", walk.states, walk.moves, began.elapsed());
    assert!(walk.counterexample.is_none(), "{what}: {:#?}", walk.counterexample);
    assert!(walk.states > 1_000, "{what}: the walk did not get anywhere");
}

#[test]
fn every_promise_holds_for_a_job_that_people_meddle_with() {
    holds_everywhere("meddled", &MEDDLED);
}

#[test]
fn every_promise_holds_for_a_job_whose_workers_die() {
    holds_everywhere("deadly", &DEADLY);
}

#[test]
fn every_promise_holds_for_two_jobs_with_one_key() {
    holds_everywhere("rivals", &RIVALS);
}
