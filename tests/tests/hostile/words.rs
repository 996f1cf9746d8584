//! What may stand in a message that a user reads.

use forgeos_tests::JobRow;

/// Words of the program that say nothing to a user.
const OF_THE_PROGRAM: [&str; 8] =
    ["Some(", "None)", "Err(", "Error {", "Error(", "panicked", "unwrap", "called `"];

/// Panics unless this is one clear line.
#[track_caller]
pub(crate) fn assert_clear(what: &str, message: &str) {
    assert!(!message.trim().is_empty(), "{what}: no words");
    assert!(message.chars().count() <= 500, "{what}: {message:?}");
    assert!(!message.contains(char::is_control), "{what}: {message:?}");
    for word in OF_THE_PROGRAM {
        assert!(!message.contains(word), "{what}: {message:?}");
    }
}

/// Panics unless a job that failed says why, and it was not the worker's fault.
#[track_caller]
pub(crate) fn assert_explained(what: &str, job: &JobRow) {
    assert!(job.is_finished(), "{what}: {job:?}");
    if job.status() == "failed" {
        assert_clear(what, job.error_message());
        assert!(!["panicked", "internal", "null"].contains(&job.error_code()), "{what}: {job:?}");
    }
}
