//! The five buckets.

use serde::{Deserialize, Serialize};

/// Where a file lives; the same words in every store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// Photographs that users put there.
    Images,
    /// Visualizations of analyses.
    Outputs,
    /// Reports.
    Reports,
    /// Trained models.
    Models,
    /// Exported tables.
    Exports,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 5] = [Self::Images, Self::Outputs, Self::Reports, Self::Models, Self::Exports];

    /// Its name in every store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Outputs => "outputs",
            Self::Reports => "reports",
            Self::Models => "models",
            Self::Exports => "exports",
        }
    }
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown bucket `{0}`; allowed: images, outputs, reports, models, exports")]
pub struct UnknownBucket(String);

impl std::str::FromStr for Bucket {
    type Err = UnknownBucket;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|b| b.as_str() == text).ok_or_else(|| UnknownBucket(text.to_owned()))
    }
}
