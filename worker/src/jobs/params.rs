//! What the params of several job types share: how ids and absent values are read.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, de::Error};
use uuid::Uuid;

/// Reads `null` as if the key were absent.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a list of ids. A bad one is named by its place and text, without duplicates in the result: the first place of
/// each counts.
pub(crate) fn unique_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)
        .map_err(|e| D::Error::custom(format!("a list of ids is wanted: {e}")))?;
    let mut seen = HashSet::with_capacity(texts.len());
    let mut ids = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let id: Uuid = text.trim().parse().map_err(|_| {
            let shown: String = text.chars().take(60).collect();
            D::Error::custom(format!("id number {} of the list, `{shown}`, is not a UUID", place + 1))
        })?;
        if seen.insert(id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The same for a list that may be absent or `null`.
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
