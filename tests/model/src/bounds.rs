//! How far a walk goes.

/// How far the walk goes, and what the jobs are like.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many there are.
    pub jobs: u8,
    /// Processes that claim.
    pub workers: u8,
    /// `max_attempts` of every job.
    pub max_attempts: i8,
    /// All jobs have the same unique key.
    pub one_key: bool,
    /// How often somebody calls a job off.
    pub cancels: u8,
    /// How often somebody calls `retry_job`.
    pub retries: u8,
    /// How often a worker gives a job back, forgiven.
    pub releases: u8,
    /// How often a worker dies and starts again.
    pub restarts: u8,
    /// A job that is claimed more often than this goes on for ever.
    pub most_attempts: i8,
}

/// One job that people call off and retry while it is given back and its workers restart.
pub const MEDDLED: Bounds = Bounds {
    jobs: 1,
    workers: 2,
    max_attempts: 2,
    one_key: false,
    cancels: 2,
    retries: 1,
    releases: 1,
    restarts: 1,
    most_attempts: 8,
};

/// One job that has attempts enough and whose workers die.
pub const DEADLY: Bounds =
    Bounds { max_attempts: 5, cancels: 0, retries: 0, releases: 1, restarts: 1, ..MEDDLED };

/// Two jobs that want the same unique key.
pub const RIVALS: Bounds = Bounds {
    jobs: 2,
    max_attempts: 1,
    one_key: true,
    cancels: 1,
    retries: 1,
    releases: 0,
    restarts: 0,
    ..MEDDLED
};
