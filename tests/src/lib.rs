//! The support library of the tests: a real PostgreSQL, a fresh database a test, real workers.
//!
//! Nothing here imitates anything but an [S3 store](s3), whose programs cannot be had everywhere and do not fail when they
//! are told to; where [another's](moto) can be had, the same is tried on that. A test waits for a state of the world with a
//! generous deadline; it never sleeps for a guess. A failing set-up fails the test with one sentence.
#![allow(clippy::unwrap_used)]

pub mod caller;
pub mod crash;
pub mod disk;
pub mod faulty;
pub mod http;
pub mod job_types;
pub mod ledger;
pub mod line;
pub mod moto;
pub mod outage;
pub mod pgbouncer;
pub mod process;
pub mod rows;
pub mod s3;
pub mod server;
pub mod verdict;
pub mod worker;
pub mod world;

pub use caller::Caller;
pub use faulty::Faulty;
pub use job_types::{Noop, Scripted};
pub use ledger::Ledger;
pub use moto::Moto;
pub use pgbouncer::PgBouncer;
pub use process::{Output, Process};
pub use rows::{JobRow, Rows, SqlError};
pub use s3::S3;
pub use worker::InProcess;
pub use world::TestWorld;
