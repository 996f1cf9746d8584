//! Reads and describes the pictures of a training, several at once.
//!
//! A picture that cannot be read is left out and listed; so is one whose file is the same as another's, because the same
//! file on both sides of a test would be counted as a success. What is held is bounded: encoded files and
//! pixels by what the compute threads admit; a description has some 20 kB.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use forgeos_core::{
    ErrorCode, JobContext, JobError, UserId,
    db::images::{self, ImageSource},
    storage::Key,
};
use forgeos_imaging::Limits;
use forgeos_learning::{Description, Region};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::data::Entry;
use crate::jobs::photographs::{self, ImageFailure, Trouble};

/// How long the describing of one picture may take once a thread has begun with it.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The pictures that can be learned from, and the others.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    /// In the order in which they were named.
    pub(super) pictures: Vec<Picture>,
    /// How many they are, also when they have been taken.
    pub(super) described: usize,
    pub(super) left_out: Vec<LeftOut>,
}

/// A picture that was read.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) entry: Entry,
    /// The name of its file, without the folder of its owner.
    pub(super) name: String,
    pub(super) description: Description,
}

/// A picture that takes no part, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    pub(super) image_id: Uuid,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// What is read of one picture.
struct Read {
    name: String,
    sha256: [u8; 32],
    description: Description,
}

/// Reads all pictures. An error concerns the whole job.
pub(super) async fn describe(
    ctx: &JobContext,
    owner: Option<UserId>,
    entries: Vec<Entry>,
) -> Result<Gallery, JobError> {
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.image).collect();
    let mut sources = images::find(&ctx.db, owner, &ids).await?;
    let total = entries.len() as u64;
    ctx.progress.set("describing", 0, total);
    let work = entries.into_iter().map(|entry| {
        let source = sources.remove(&entry.image).unwrap_or_else(|| ImageSource::ByName(Vec::new()));
        async move {
            match one(ctx, owner, source, &entry.regions).await {
                Ok(read) => Ok((entry, Ok(read))),
                Err(Trouble::Image(failure)) => Ok((entry, Err(failure))),
                Err(Trouble::Job(error)) => Err(error),
            }
        }
    });
    let work: Vec<_> = work.collect();
    let mut finished = stream::iter(work).buffered(ctx.compute.threads() + 2);
    let mut gallery = Gallery::default();
    let mut seen: HashMap<[u8; 32], (Uuid, String)> = HashMap::new();
    let mut done = 0;
    while let Some((entry, read)) = finished.try_next().await? {
        gallery.add(entry, read, &mut seen);
        done += 1;
        ctx.progress.set("describing", done, total);
    }
    Ok(gallery)
}

impl Gallery {
    fn add(
        &mut self,
        entry: Entry,
        read: Result<Read, ImageFailure>,
        seen: &mut HashMap<[u8; 32], (Uuid, String)>,
    ) {
        let failure = match read {
            Err(failure) => failure,
            Ok(read) => match seen.get(&read.sha256) {
                None => {
                    seen.insert(read.sha256, (entry.image, entry.label.clone()));
                    let Read { name, description, .. } = read;
                    self.described += 1;
                    return self.pictures.push(Picture { entry, name, description });
                }
                Some((first, label)) if *label == entry.label => ImageFailure::new(
                    ErrorCode::NothingToDo,
                    format!("the file is the same as that of image {first}, which counts once"),
                ),
                Some((first, label)) => ImageFailure::new(
                    ErrorCode::BadParams,
                    format!("the file is the same as that of image {first}, which is labelled `{label}`"),
                ),
            },
        };
        self.left_out.push(LeftOut {
            image_id: entry.image,
            code: failure.code.as_str(),
            message: failure.message,
        });
    }

    /// The pictures, for the training.
    pub(super) fn take_pictures(&mut self) -> Vec<Picture> {
        std::mem::take(&mut self.pictures)
    }

    /// The end of a sentence that refuses what is left.
    pub(super) fn left_out_words(&self) -> String {
        self.warning().map(|warning| format!(" ({warning})")).unwrap_or_default()
    }

    /// A sentence on what was left out, for the warnings of the evaluation.
    pub(super) fn warning(&self) -> Option<String> {
        let first = self.left_out.first()?;
        Some(match self.left_out.len() {
            1 => format!("one image was left out: {}", first.message),
            count => format!("{count} images were left out; the first: {}", first.message),
        })
    }
}

async fn one(
    ctx: &JobContext,
    owner: Option<UserId>,
    source: ImageSource,
    regions: &[Region],
) -> Result<Read, Trouble> {
    let limits = Limits::default();
    let mut found_at = None;
    let file = ctx.compute.admit_file().await?;
    let bytes = photographs::fetch(ctx, source, limits.max_bytes, &mut found_at).await?;
    let header = {
        let bytes = bytes.clone();
        ctx.compute.run(move || forgeos_imaging::inspect(&bytes, &limits)).await??
    };
    let memory = ctx.compute.reserve_memory(photographs::memory_for(&header, &bytes)).await?;
    let regions = regions.to_vec();
    let (begin, begun) = oneshot::channel();
    let work = ctx.compute.run(move || {
        // A thread cannot be interrupted: what it holds stays counted until it is done, time limit or not.
        let _held = (memory, file);
        let _ = begin.send(());
        describe_bytes(&bytes, &limits, &regions)
    });
    let overdue = async {
        // Waiting for a thread is not the picture's fault.
        let _ = begun.await;
        tokio::time::sleep(TIME_LIMIT).await;
    };
    let (sha256, description) = tokio::select! {
        described = work => described??,
        () = overdue => return Err(ImageFailure::new(
            ErrorCode::TimedOut,
            format!("describing the image took longer than {} s and was given up", TIME_LIMIT.as_secs()),
        ).into()),
    };
    Ok(Read { name: name_of(owner, found_at.as_ref()), sha256, description })
}

fn describe_bytes(
    bytes: &Bytes,
    limits: &Limits,
    regions: &[Region],
) -> Result<([u8; 32], Description), ImageFailure> {
    let description = forgeos_learning::describe(bytes, limits, regions)?;
    Ok((Sha256::digest(bytes).into(), description))
}

/// The key without its owner's folder: that folder is the same for all, and says nothing of what belongs together.
fn name_of(owner: Option<UserId>, key: Option<&Key>) -> String {
    let Some(key) = key else { return String::new() };
    let folder = owner.map(|user| format!("{user}/")).unwrap_or_default();
    key.as_str().strip_prefix(&folder).unwrap_or(key.as_str()).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(n: u128, label: &str) -> Entry {
        Entry { image: Uuid::from_u128(n), label: label.to_owned(), group: None, regions: Vec::new() }
    }

    fn read(content: u8) -> Result<Read, ImageFailure> {
        let picture = forgeos_imaging::Picture { width: 64, height: 48, rgb: vec![120; 64 * 48 * 3] };
        let description = forgeos_learning::describe_picture(&picture, &[]);
        Ok(Read { name: String::new(), sha256: [content; 32], description })
    }

    #[test]
    fn the_same_file_counts_once_and_a_contradiction_is_told() {
        let (mut gallery, mut seen) = (Gallery::default(), HashMap::new());
        gallery.add(entry(1, "good"), read(1), &mut seen);
        gallery.add(entry(2, "good"), read(1), &mut seen);
        gallery.add(entry(3, "defect"), read(1), &mut seen);
        gallery.add(entry(4, "defect"), Err(ImageFailure::not_found()), &mut seen);
        gallery.add(entry(5, "defect"), read(2), &mut seen);
        let kept: Vec<u128> = gallery.pictures.iter().map(|p| p.entry.image.as_u128()).collect();
        assert_eq!(kept, [1, 5]);
        let codes: Vec<&str> = gallery.left_out.iter().map(|left| left.code).collect();
        assert_eq!(codes, ["nothing_to_do", "bad_params", "not_found"]);
        assert!(gallery.left_out[1].message.contains("labelled `good`"));
        assert!(gallery.warning().unwrap().starts_with("3 images were left out"));
    }

    #[test]
    fn names_are_told_without_the_folder_of_the_owner() {
        let user = UserId(Uuid::from_u128(1));
        let key = Key::parse(format!("{user}/day one/part_07.jpg")).unwrap();
        assert_eq!(name_of(Some(user), Some(&key)), "day one/part_07.jpg");
        assert_eq!(name_of(None, Some(&key)), key.as_str());
    }
}
