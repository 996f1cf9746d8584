//! Names of objects. A [`Key`] is checked once, where it enters; nothing else is ever passed to a store.
//!
//! Keys are refused, never repaired: a repaired key could name another object than the one that was checked.

use std::fmt;

use crate::ids::{JobId, UserId};

/// Longest key, in bytes (S3's limit).
pub const MAX_KEY_BYTES: usize = 1024;
/// Longest part of a key, in bytes (the limit of most file systems).
pub const MAX_PART_BYTES: usize = 255;

/// The name of an object inside its bucket: parts joined by `/`, the owner's folder first.
///
/// No part is empty, `.` or `..`; there is no backslash, no `%` and no control character, so that no store, file system
/// or URL reads the name as another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Two slashes in a row, one at an end, or no text at all.
    #[error("a file name must not have an empty part between slashes")]
    EmptyPart,
    /// `.` or `..` as a part.
    #[error("a file name must not have `.` or `..` as a part")]
    RelativePart,
    /// A character that stores or URLs read differently.
    #[error("a file name must not contain a backslash, `%` or a control character")]
    ForbiddenCharacter,
    /// Over [`MAX_KEY_BYTES`] or [`MAX_PART_BYTES`].
    #[error("a file name may have at most {MAX_KEY_BYTES} bytes, {MAX_PART_BYTES} between two slashes")]
    TooLong,
}

impl Key {
    /// Checks a text.
    pub fn parse(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        if text.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong);
        }
        if text.chars().any(|c| c == '\\' || c == '%' || c.is_control()) {
            return Err(KeyError::ForbiddenCharacter);
        }
        for part in text.split('/') {
            match part {
                "" => return Err(KeyError::EmptyPart),
                "." | ".." => return Err(KeyError::RelativePart),
                part if part.len() > MAX_PART_BYTES => return Err(KeyError::TooLong),
                _ => {}
            }
        }
        Ok(Self(text))
    }

    /// Where a user's own file name leads: the key itself when it starts with the user's folder, else below it.
    pub fn in_folder_of(user: UserId, name: &str) -> Result<Self, KeyError> {
        if name.starts_with(&format!("{user}/")) {
            Self::parse(name)
        } else {
            Self::parse(format!("{user}/{name}"))
        }
    }

    /// The file that a job writes for one of its items: `{owner}/{job}/{attempt}/{item}.{extension}`. Every attempt
    /// writes files of its own, so that a late one never replaces what a row points to.
    pub fn of_job(
        owner: &str,
        job: JobId,
        attempt: i32,
        item: &str,
        extension: &str,
    ) -> Result<Self, KeyError> {
        Self::parse(format!("{owner}/{job}/{attempt}/{item}.{extension}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first folder; the whole key when it has none.
    #[must_use]
    pub fn first_part(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The parts between the slashes.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether the object lies in this user's folder.
    #[must_use]
    pub fn belongs_to(&self, user: UserId) -> bool {
        self.0.strip_prefix(&user.to_string()).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Key {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn every_way_out_of_a_folder_is_refused() {
        for (text, why) in [
            ("", KeyError::EmptyPart),
            ("/a", KeyError::EmptyPart),
            ("a/", KeyError::EmptyPart),
            ("a//b", KeyError::EmptyPart),
            (".", KeyError::RelativePart),
            ("a/../b", KeyError::RelativePart),
            ("a/./b", KeyError::RelativePart),
            ("a\\..\\b", KeyError::ForbiddenCharacter),
            ("a/%2e%2e/b", KeyError::ForbiddenCharacter),
            ("a/b\0.png", KeyError::ForbiddenCharacter),
            ("a/b\n.png", KeyError::ForbiddenCharacter),
            ("a/b\u{85}.png", KeyError::ForbiddenCharacter),
        ] {
            assert_eq!(Key::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(Key::parse("x".repeat(MAX_PART_BYTES + 1)), Err(KeyError::TooLong));
        assert_eq!(Key::parse("x/".repeat(600) + "y"), Err(KeyError::TooLong));
        assert!(Key::parse("a/...").is_ok());
        assert!(Key::parse("blå bil/bilde (1).jpeg").is_ok());
    }

    #[test]
    fn a_folder_is_compared_whole() {
        let me = user(1);
        assert!(Key::parse(format!("{me}/a.png")).unwrap().belongs_to(me));
        assert!(!Key::parse(format!("{me}")).unwrap().belongs_to(me));
        assert!(!Key::parse(format!("{me}x/a.png")).unwrap().belongs_to(me));
        assert!(!Key::parse(format!("{}/a.png", user(2))).unwrap().belongs_to(me));
    }

    #[test]
    fn a_name_that_starts_with_somebody_elses_folder_stays_below_ones_own() {
        let key = Key::in_folder_of(user(1), &format!("{}/a.png", user(2))).unwrap();
        assert_eq!(key.as_str(), format!("{}/{}/a.png", user(1), user(2)));
    }

    proptest! {
        #[test]
        fn whatever_parses_keeps_every_rule(text in "(\\PC|[./%\\\\\0-\u{1f}]){0,40}") {
            if let Ok(key) = Key::parse(text.clone()) {
                prop_assert_eq!(key.as_str(), text.as_str());
                prop_assert!(!text.contains(['\\', '%']) && !text.chars().any(char::is_control));
                for part in text.split('/') {
                    prop_assert!(!part.is_empty() && part != "." && part != "..");
                }
            }
        }

        #[test]
        fn what_a_user_names_is_the_users(name in "(\\PC|/|\\.){1,40}", id in any::<u128>()) {
            if let Ok(key) = Key::in_folder_of(user(id), &name) {
                prop_assert!(key.belongs_to(user(id)));
            }
        }

        #[test]
        fn a_parsed_key_never_leaves_the_folder_it_is_joined_to(text in "([a-c./]){1,30}") {
            if let Ok(key) = Key::parse(text) {
                let mut depth = 0_i32;
                for component in std::path::Path::new(key.as_str()).components() {
                    prop_assert!(matches!(component, std::path::Component::Normal(_)));
                    depth += 1;
                }
                prop_assert_eq!(depth as usize, key.parts().count());
            }
        }
    }
}
