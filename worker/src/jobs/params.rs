//! What the params of several job types share: how ids are read, and what every list of formats must be.

use std::collections::HashSet;

use forgeos_core::{JobError, error::in_one_line};
use serde::{Deserialize, Deserializer, de::Error};
use uuid::Uuid;

/// Most characters of a bad text that a message repeats.
const SHOWN: usize = 60;

/// Reads a list of ids. A bad one is named by its place and text; without duplicates in the result: the first place of
/// each counts.
pub(crate) fn unique_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
    let ids = Vec::<Id>::deserialize(deserializer)?;
    let mut seen = HashSet::with_capacity(ids.len());
    Ok(ids.into_iter().map(|id| id.0).filter(|id| seen.insert(*id)).collect())
}

/// The same with duplicates, each in its place.
pub(crate) fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
    Ok(Vec::<Id>::deserialize(deserializer)?.into_iter().map(|id| id.0).collect())
}

/// One id.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    Ok(Id::deserialize(deserializer)?.0)
}

/// [`unique_ids`] for a list that may be absent or `null`.
pub(crate) fn optional_unique_ids<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Uuid>>, D::Error> {
    struct Ids(Vec<Uuid>);
    impl<'de> Deserialize<'de> for Ids {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            unique_ids(deserializer).map(Self)
        }
    }
    Ok(Option::<Ids>::deserialize(deserializer)?.map(|ids| ids.0))
}

/// Reads one id, which may be absent or `null`.
pub(crate) fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    Ok(Option::<Id>::deserialize(deserializer)?.map(|id| id.0))
}

/// An id whose errors say what is wanted.
struct Id(Uuid);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.trim()
            .parse()
            .map(Self)
            .map_err(|_| D::Error::custom(format!("must be a UUID, not `{}`", in_one_line(&text, SHOWN))))
    }
}

/// Whether the formats of a job, where they are given, name any at all.
pub(crate) fn some_format<F>(formats: Option<&[F]>, allowed: &str) -> Result<(), JobError> {
    match formats {
        Some([]) => Err(JobError::bad_params(format!("`formats` is empty; allowed: {allowed}"))),
        _ => Ok(()),
    }
}
