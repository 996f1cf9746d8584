//! The hot statements of the queue: claim, heartbeat, settle, sweep. Each is one statement; each write after a claim
//! proves the lease (`id`, `attempt`, `locked_by`, `status = 'running'`).
//!
//! Times that people may have written are brought into the range that clients can read: one row must not fail a claim.
//!
//! They run on a pool with [`super::Planning::Queue`]; `= any($1)` leads to the primary key.

pub mod caps;
mod claim;
mod heartbeat;
mod settle;
mod sweep;
mod turns;

pub use claim::{ClaimRequest, claim, release_unknown};
pub use heartbeat::{LostLease, heartbeat};
pub use settle::{Completion, Ending, complete, end};
pub use sweep::{Swept, close_abandoned_cancels, note_contact, sweep};
pub use turns::Turn;
