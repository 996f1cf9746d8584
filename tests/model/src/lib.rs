//! The life of a job as a model: what each statement of the queue does to a row, what can happen next, and what must
//! hold whatever the order.
//!
//! Nothing here knows SQL, time or processes. The walk through every order lives in [`checker`] and needs no database;
//! the tests of the queue compare the same transition function, [`step::step`], with a real one. `docs/model.md` says
//! what the model holds and what it leaves out.
//!
//! A package of its own, because it depends on nothing and is optimised in every profile.

pub mod bounds;
pub mod checker;
pub mod contact;
pub mod moves;
pub mod properties;
pub mod state;
pub mod step;
