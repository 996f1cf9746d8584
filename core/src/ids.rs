//! Ids as types, so that a job's id is never passed where a user's belongs; and ids that are derived, so that a second
//! run writes the same rows.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID, like 123e4567-e89b-12d3-a456-426614174000")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.trim().parse().map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id!(
    /// A row of `jobs`.
    JobId
);
id!(
    /// The owner of rows and files: `auth.uid()` on Supabase.
    UserId
);
id!(
    /// One start of one worker process; random, so that a restart is never taken for its predecessor.
    WorkerId
);

impl WorkerId {
    /// A fresh id for this start.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

/// The namespace of every derived id. Never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x7f3b_1c52_9d0e_4c61_a5d8_3e0f_6b9a_2471);

impl JobId {
    /// The id of the row of `kind` (`analysis`, `artifact`, …) that this job makes for `item`: the same at every
    /// attempt (UUID version 5, RFC 9562).
    #[must_use]
    pub fn derive(self, kind: &str, item: &str) -> Uuid {
        Uuid::new_v5(&NAMESPACE, format!("{}/{kind}/{item}", self.0).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_depend_on_job_kind_and_item_only() {
        let (a, b) = (JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2)));
        assert_eq!(a.derive("analysis", "x"), a.derive("analysis", "x"));
        assert_ne!(a.derive("analysis", "x"), a.derive("artifact", "x"));
        assert_ne!(a.derive("analysis", "x"), a.derive("analysis", "y"));
        assert_ne!(a.derive("analysis", "x"), b.derive("analysis", "x"));
    }
}
