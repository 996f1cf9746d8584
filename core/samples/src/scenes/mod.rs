//! The photographs of the demo, one function each.

pub(crate) mod car;
pub(crate) mod floor;
pub(crate) mod lamps;
pub(crate) mod steel;
