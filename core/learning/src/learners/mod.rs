//! The learners: each takes rows of small integers and classes, and gives back scores of every class.
//!
//! Everything is exact integer arithmetic or additions in a fixed order, so that a seed gives one model whatever the
//! number of threads.

pub(crate) mod calibration;
pub(crate) mod emphasis;
pub(crate) mod forest;
pub(crate) mod kernel_machine;
pub(crate) mod linear;
pub(crate) mod scaling;
