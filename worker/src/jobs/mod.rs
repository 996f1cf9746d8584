//! The job types of the product, one file or folder each. A type is a struct that is its typed params.

pub mod batch_analysis;
pub mod data_export;
mod leftovers;
pub mod model_training;
pub(crate) mod models;
mod params;
mod patience;
mod photographs;
pub mod report_generation;
mod side_by_side;

pub use batch_analysis::BatchAnalysis;
pub use data_export::DataExport;
pub use model_training::ModelTraining;
pub use report_generation::ReportGeneration;
