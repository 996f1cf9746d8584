//! Learns to tell photographs apart from a few labelled ones.
//!
//! [`describe`] turns a photograph into numbers, [`train`] turns described and labelled photographs into a [`Model`]
//! with an [`Evaluation`] that holds for pictures of parts not seen before, and [`Model::judge`] says what a described
//! photograph shows. Values in, values out: nothing here touches a disk, a network or a database, or logs.

mod ensemble;
pub mod evaluation;
mod evidence;
pub mod features;
mod folds;
pub mod groups;
mod learners;
pub mod model;
pub mod plots;
mod sample;
mod training;

pub use evaluation::Evaluation;
pub use features::{Description, FEATURE_SET, Region, describe, describe_picture};
pub use model::{JudgedRegion, Judgement, Model, ModelError};
pub use plots::Plot;
pub use sample::{Options, Phase, Sample, Unwatched, Watch};
pub use training::{FEWEST_PER_LABEL, MOST_SAMPLES, TrainError, Trained, train};
