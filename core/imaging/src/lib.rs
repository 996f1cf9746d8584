//! Measures coatings on photographs.
//!
//! Bytes go in ([`decode`]), a [`Picture`] comes out; a profile ([`reference`] or [`standard`]) turns it into a
//! [`Judgement`]; [`overlay`] draws the judgement onto the picture. Nothing here touches a disk, a network or a
//! database, starts a thread or logs: the caller decides where and when the work runs.

pub mod decode;
pub mod judgement;
pub mod overlay;
pub mod picture;
pub mod reference;
pub mod standard;

pub use decode::{DecodeError, Format, Header, Limits, decode, inspect};
pub use judgement::{
    Defect, DefectClass, Judgement, Options, Profile, Rect, Region, RegionMap, Sensitivity, Severity, judge,
};
pub use picture::Picture;
