//! The faults of a coating, each drawn onto a [`Surface`](crate::surface::Surface) and entered in the
//! [`Truth`](crate::truth::Truth).

pub(crate) mod bare_edge;
pub(crate) mod bead;
pub(crate) mod blister;
pub(crate) mod crack;
pub(crate) mod flake;
pub(crate) mod rust;
pub(crate) mod streak;
