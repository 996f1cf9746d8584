//! Random orders of events, made in the model and in the database at once: after every move both say the same.
//!
//! `PROPTEST_CASES` sets how many. A failure is shrunk to the fewest moves that show it.

use std::time::Instant;

use forgeos_model::{
    bounds::{Bounds, MEDDLED},
    moves::Move,
    state::{State, Status},
    step::{Flaw, step},
};
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestError, TestRunner},
};
use tokio::runtime::Runtime;

use crate::database::{Database, Sequence};

/// Two jobs, and no bound on what people and workers do.
const BUSY: Bounds = Bounds { jobs: 2, max_attempts: 2, one_key: false, most_attempts: i8::MAX, ..MEDDLED };

/// A move whose grip is counted from the latest claim back.
fn a_move() -> impl Strategy<Value = Move> {
    let job = 0u8..BUSY.jobs;
    let worker = 0u8..BUSY.workers;
    // Mostly the latest claims; older ones are those of paused workers.
    let grip = prop_oneof![4 => Just(0u8), 2 => Just(1), 1 => 2u8..5];
    prop_oneof![
        2 => job.clone().prop_map(Move::Enqueue),
        5 => job.clone().prop_map(Move::FallDue),
        3 => job.clone().prop_map(Move::RunOut),
        12 => (worker.clone(), job.clone()).prop_map(|(worker, job)| Move::Claim { worker, job }),
        3 => grip.clone().prop_map(Move::Heartbeat),
        3 => grip.clone().prop_map(Move::BeginWrite),
        2 => Just(Move::CommitWrite),
        1 => Just(Move::AbortWrite),
        2 => grip.clone().prop_map(Move::Complete),
        4 => grip.clone().prop_map(Move::FailForAMoment),
        2 => grip.clone().prop_map(Move::FailForGood),
        2 => grip.clone().prop_map(Move::Release),
        3 => grip.prop_map(Move::LastWords),
        1 => worker.clone().prop_map(Move::ReleaseUnknown),
        4 => Just(Move::Sweep),
        2 => Just(Move::CloseAbandonedCancels),
        2 => job.clone().prop_map(Move::Cancel),
        3 => job.prop_map(Move::Retry),
        1 => worker.prop_map(Move::Restart),
    ]
}

/// The move with its grip's own number; none where it makes no sense, so that a shorter sequence is one, too.
fn named(state: &State, made: Move) -> Option<Move> {
    let grip = |back: u8| u8::try_from(state.grips.len()).ok()?.checked_sub(back + 1);
    Some(match made {
        Move::Heartbeat(back) => Move::Heartbeat(grip(back)?),
        Move::BeginWrite(_) if state.open_write.is_some() => return None,
        Move::BeginWrite(back) => Move::BeginWrite(grip(back)?),
        Move::Complete(back) => Move::Complete(grip(back)?),
        Move::FailForAMoment(back) => Move::FailForAMoment(grip(back)?),
        Move::FailForGood(back) => Move::FailForGood(grip(back)?),
        Move::Release(back) => Move::Release(grip(back)?),
        Move::LastWords(back) => Move::LastWords(grip(back)?),
        Move::Enqueue(job) if state.rows[usize::from(job)].status != Status::Absent => return None,
        // It would wait for the write to end.
        Move::Retry(job) if state.is_held(job) => return None,
        other => other,
    })
}

async fn compare(database: &Database, flaw: Option<Flaw>, moves: &[Move]) -> Result<usize, String> {
    let mut state = State::new(&BUSY);
    let mut sequence = Sequence::begin(database, BUSY).await;
    let mut made_moves = 0;
    for &made in [Move::Enqueue(0)].iter().chain(moves) {
        let Some(made) = named(&state, made) else { continue };
        let taken = step(&BUSY, flaw, &state, made);
        let answer = sequence.make(&state, made).await;
        if answer != taken.answer {
            return Err(format!("{made:?}: the database answers {answer}, the model {}", taken.answer));
        }
        sequence.compare(&state, made, &taken.after).await?;
        state = taken.after;
        made_moves += 1;
    }
    Ok(made_moves)
}

/// Runs `cases` random sequences; the shortest one that shows a difference, and the difference.
fn try_orders(cases: u32, flaw: Option<Flaw>) -> Result<usize, (Vec<Move>, String)> {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::new());
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::with_cases(cases)
    };
    let total = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&prop::collection::vec(a_move(), 1..70), |moves| match runtime
        .block_on(compare(&database, flaw, &moves))
    {
        Ok(made) => {
            total.set(total.get() + made);
            Ok(())
        }
        Err(difference) => Err(TestCaseError::fail(difference)),
    });
    // The world's connections belong to the runtime.
    runtime.block_on(async { drop(database) });
    match outcome {
        Ok(()) => Ok(total.get()),
        Err(TestError::Fail(reason, moves)) => Err((moves, reason.message().to_owned())),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn model_and_database_agree_after_every_move_of_random_orders() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let began = Instant::now();
    match try_orders(cases, None) {
        Ok(moves) => println!("{cases} sequences, {moves} moves, {:.1?}", began.elapsed()),
        Err((moves, difference)) => panic!("{difference}\nmoves: {moves:?}"),
    }
}

/// The comparison itself can fail, and what it shows is short.
#[test]
fn a_model_with_a_flaw_is_told_from_the_database_in_a_few_moves() {
    for flaw in [
        Flaw::ReleaseLowersTheAttempt,
        Flaw::SettleIgnoresTheStatus,
        Flaw::OneAttemptTooMany,
        Flaw::RetryKeepsTheLease,
        Flaw::WriteDoesNotHoldTheRow,
    ] {
        let Err((moves, _)) = try_orders(2_000, Some(flaw)) else { panic!("{flaw:?} goes unnoticed") };
        println!("{flaw:?}: {} moves, {moves:?}", moves.len());
        assert!(moves.len() <= 12, "{flaw:?} is not shrunk: {moves:?}");
    }
}
