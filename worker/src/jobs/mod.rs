//! Placeholder.

macro_rules! placeholder {
    ($name:ident, $word:literal) => {
        /// Placeholder.
        #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name {}
        impl forgeos_core::Job for $name {
            const NAME: &'static str = $word;
            type Results = ();
            async fn run(&self, _: &forgeos_core::JobContext) -> Result<(), forgeos_core::JobError> {
                Ok(())
            }
        }
    };
}
placeholder!(BatchAnalysis, "batch_analysis");
placeholder!(ReportGeneration, "report_generation");
placeholder!(ModelTraining, "model_training");
placeholder!(DataExport, "data_export");
