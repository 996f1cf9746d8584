//! Names of files from anywhere: whatever becomes a key stays in its owner's folder and means one object only.

use std::path::{Component, Path};

use forgeos_core::{JobId, UserId, storage::Key};
use proptest::prelude::*;
use uuid::Uuid;

const ME: UserId = UserId(Uuid::from_u128(1));
const SOMEBODY: UserId = UserId(Uuid::from_u128(2));

/// Names as people and attackers write them.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,12}",
        2 => "[a-z0-9._ -]{1,12}",
        1 => any::<String>(),
        1 => Just(ME.to_string()),
        1 => Just(SOMEBODY.to_string()),
        1 => Just("service".to_owned()),
        3 => prop::sample::select(vec![
            "..", ".", "", "...", "/", "\\", "%2e%2e", "%2F", "\0", "\u{85}", "\u{2028}", "\u{202e}gpj.exe", "~",
            "C:", "//", ".. ", "\u{ff0e}\u{ff0e}", "\u{2215}", "CON", "a\u{301}", "?x=1", "#",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.join("/"))
}

/// As a file system reads it: only names, no way up and no root.
fn only_names(key: &Key) -> bool {
    Path::new(key.as_str()).components().all(|part| matches!(part, Component::Normal(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn a_users_name_leads_into_the_users_folder_or_nowhere(name in name()) {
        if let Ok(key) = Key::in_folder_of(ME, &name) {
            prop_assert!(key.belongs_to(ME) && !key.belongs_to(SOMEBODY), "{}", key);
            prop_assert_eq!(key.first_part(), ME.to_string());
            prop_assert!(only_names(&key), "{}", key);
            prop_assert_eq!(Key::parse(key.as_str()), Ok(key));
        }
    }

    #[test]
    fn what_a_job_writes_lies_where_its_name_says(item in name(), attempt in 1i32.., id in any::<u128>()) {
        let job = JobId(Uuid::from_u128(id));
        if let Ok(key) = Key::of_job(&ME.to_string(), job, attempt, &item, "jpg") {
            prop_assert!(key.belongs_to(ME), "{}", key);
            let parts: Vec<&str> = key.parts().collect();
            prop_assert_eq!(parts[1], job.to_string());
            prop_assert_eq!(parts[2], attempt.to_string());
            prop_assert!(key.as_str().ends_with(".jpg") && only_names(&key), "{}", key);
        }
    }

    #[test]
    fn two_attempts_and_two_items_never_share_a_file(
        first in "[a-z0-9-]{1,40}", second in "[a-z0-9-]{1,40}", attempts in (1i32..9, 1i32..9),
    ) {
        let job = JobId(Uuid::from_u128(3));
        let key = |item: &str, attempt| Key::of_job("service", job, attempt, item, "png").unwrap();
        let same = first == second && attempts.0 == attempts.1;
        prop_assert_eq!(key(&first, attempts.0) == key(&second, attempts.1), same);
    }
}
