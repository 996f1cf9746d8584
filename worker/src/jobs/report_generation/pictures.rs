//! The pictures of an analysis at print size. A picture that is not there, not its owner's or damaged costs nothing but
//! itself: the page says that it is not available. Only a store that does not answer at all stops the job.
//!
//! What is held is bounded: encoded files and pixels by what the compute threads admit.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use forgeos_core::{
    JobContext, JobError,
    db::report_sources::SourceAnalysis,
    storage::{Bucket, Key, StorageError},
};
use forgeos_imaging::{Limits, overlay::photograph_part, print::PrintPicture};
use forgeos_reporting::model::{Analysis, Picture};

use super::failure::threads_are_gone;
use crate::jobs::{patience::patiently, photographs};

/// Long side of the printed pictures of a report about so many analyses, in pixels: 300 per inch where a page is theirs;
/// where hundreds share a document they are 36 mm high, which makes 250 per inch of most and 150 of the widest. A
/// thousand pairs are then 50 to 80 MB.
pub(super) fn long_side_for(analyses: usize) -> u32 {
    match analyses {
        0..=20 => 1200,
        21..=150 => 640,
        _ => 480,
    }
}

/// A picture at print size.
struct Printed {
    picture: Picture,
    lightness: Vec<u32>,
    /// Whether its strip was cut off.
    cut: bool,
}

/// Fetches pictures.
#[derive(Debug, Clone)]
pub(super) struct Album {
    pub(super) ctx: JobContext,
    pub(super) limits: Limits,
    /// Pictures that were not to be had, though their analysis names them.
    pub(super) missing: Arc<AtomicU64>,
}

impl Album {
    /// Adds links to both pictures of an analysis, for files that show none.
    pub(super) fn link(&self, analysis: &mut Analysis, source: &SourceAnalysis) {
        let owner = self.ctx.job.user_id;
        let linked = |bucket, key: Option<Key>| {
            let url = Some(self.ctx.storage.url(bucket, &key?));
            Some(Picture { bytes: [].into(), extension: "jpg", url })
        };
        analysis.photograph = linked(Bucket::Images, source.photograph(owner).and_then(Result::ok));
        analysis.overlay = linked(Bucket::Outputs, source.visualization(owner));
    }

    /// Adds both pictures of an analysis, as far as they are to be had.
    pub(super) async fn illustrate(
        &self,
        analysis: &mut Analysis,
        source: &SourceAnalysis,
        long_side: u32,
    ) -> Result<(), JobError> {
        let owner = self.ctx.job.user_id;
        let drawn_of = analysis.metrics.width.zip(analysis.metrics.height);
        let (photograph, overlay) = tokio::try_join!(
            self.picture(Bucket::Images, source.photograph(owner).and_then(Result::ok), long_side, None),
            self.picture(Bucket::Outputs, source.visualization(owner), long_side, drawn_of),
        )?;
        let names = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        let missing = u64::from(names(&source.filename) && photograph.is_none())
            + u64::from(names(&source.output_filename) && overlay.is_none());
        self.missing.fetch_add(missing, Ordering::Relaxed);
        if let Some(Printed { picture, lightness, .. }) = photograph {
            analysis.photograph = Some(picture);
            analysis.lightness = Some(lightness);
        }
        analysis.overlay_needs_key = overlay.as_ref().is_some_and(|overlay| overlay.cut);
        analysis.overlay = overlay.map(|overlay| overlay.picture);
        Ok(())
    }

    /// With `drawn_of` the picture is an overlay of a photograph of that size: its strip, whose words are English, is cut
    /// off. One that was drawn by others stays as it is.
    async fn picture(
        &self,
        bucket: Bucket,
        key: Option<Key>,
        long_side: u32,
        drawn_of: Option<(u32, u32)>,
    ) -> Result<Option<Printed>, JobError> {
        let Some(key) = key else { return Ok(None) };
        let input = self.ctx.compute.admit_file().await.map_err(threads_are_gone)?;
        let Some(bytes) = self.fetch(bucket, &key).await? else { return Ok(None) };
        let limits = self.limits;
        let Ok(header) = forgeos_imaging::inspect(&bytes, &limits) else { return Ok(None) };
        let part = drawn_of.and_then(|size| photograph_part((header.width, header.height), size));
        let wanted = photographs::memory_for(&header, &bytes);
        let memory = self.ctx.compute.reserve_memory(wanted).await.map_err(threads_are_gone)?;
        let fitted = self
            .ctx
            .compute
            .run(move || {
                // A thread cannot be interrupted: what it holds stays counted until it is done.
                let _held = (memory, input);
                forgeos_imaging::print::fit_part(&bytes, &limits, long_side, part)
            })
            .await;
        Ok(match fitted {
            Ok(Ok(PrintPicture { jpeg, lightness, .. })) => {
                let url = Some(self.ctx.storage.url(bucket, &key));
                let picture = Picture { bytes: jpeg.into(), extension: "jpg", url };
                Some(Printed { picture, lightness, cut: part.is_some() })
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, bucket = bucket.as_str(), "a picture of a report cannot be decoded");
                None
            }
            Err(error) => {
                tracing::error!(%error, bucket = bucket.as_str(), "bringing a picture to print size broke down");
                None
            }
        })
    }

    async fn fetch(&self, bucket: Bucket, key: &Key) -> Result<Option<Bytes>, JobError> {
        let limit = self.limits.max_bytes;
        match patiently(|| self.ctx.storage.get_limited(bucket, key, limit)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ (StorageError::Refused { .. } | StorageError::Settings(_))) => Err(error.into()),
            // A store that answers for others has failed on this one only.
            Err(error @ StorageError::Unavailable(_)) if self.ctx.storage.probe(bucket).await.is_err() => {
                Err(error.into())
            }
            Err(error) => {
                tracing::debug!(%error, bucket = bucket.as_str(), "a picture of a report is not to be had");
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_analyses_the_smaller_their_pictures() {
        let sides: Vec<u32> = [1, 20, 21, 150, 151, 1000].map(long_side_for).into();
        assert_eq!(sides, [1200, 1200, 640, 640, 480, 480]);
    }
}
