//! Measures coatings on photographs.
//!
//! Bytes go in ([`decode`]), a [`Picture`] comes out; a profile ([`reference`] or [`standard`]) turns it into a
//! [`Judgement`]; [`overlay`] draws the judgement onto the picture, [`print`] makes a file of a size to print. Nothing here touches a disk, a network or a
//! database, starts a thread or logs: the caller decides where and when the work runs.

pub mod decode;
mod downscale;
pub mod judgement;
mod lab;
pub mod overlay;
pub mod picture;
pub mod planes;
pub mod print;
pub mod reference;
pub mod standard;

pub use decode::{DecodeError, Format, Header, Limits, decode, inspect};
pub use judgement::{
    Capture, Defect, DefectClass, Judgement, Options, Profile, Rect, Region, RegionMap, Sensitivity,
    Severity, judge,
};
pub use picture::Picture;
pub use planes::LabPlanes;
