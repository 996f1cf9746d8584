//! The jobs of the product, from one insert to rows and files, through real processes of the real program.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bad_images;
mod bad_params;
mod batch;
mod cancel;
mod crash;
mod export;
mod export_faults;
mod export_memory;
mod export_s3;
mod export_schedule;
mod few_connections;
mod foreign;
mod job_log;
mod least_privilege;
mod lessons;
mod models;
mod moto;
mod ownership;
mod pictures;
mod report;
mod report_under_way;
mod shutdown;
mod supabase_storage;
mod training;
mod training_refused;
mod training_under_way;
