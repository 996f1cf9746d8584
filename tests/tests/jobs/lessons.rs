//! Small drawn panels to learn from: plain ones, and ones with dark spots.

use forgeos_tests::TestWorld;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::pictures::put;

/// A small panel, with spots or without.
pub(crate) fn panel(seed: u64, spots: bool) -> Vec<u8> {
    forgeos_samples::lesson(seed, spots).bytes
}

/// Panels in the store, with the words for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lesson {
    pub(crate) images: Vec<Uuid>,
    pub(crate) labels: Vec<&'static str>,
}

impl Lesson {
    /// So many panels of each kind, in the folder of `owner`; other seeds are other panels.
    pub(crate) fn put(world: &TestWorld, owner: Option<Uuid>, of_each: u64, first_seed: u64) -> Self {
        let mut lesson = Self::default();
        for seed in first_seed..first_seed + of_each {
            for (spots, label) in [(false, "good"), (true, "defect")] {
                lesson.images.push(put(world, owner, &panel(seed, spots), "jpg"));
                lesson.labels.push(label);
            }
        }
        lesson
    }

    /// As `training_sessions.data` has it.
    pub(crate) fn data(&self) -> Value {
        json!({"images": self.images, "labels": self.labels})
    }

    /// A row of `training_sessions` about it.
    pub(crate) async fn session(&self, world: &TestWorld, owner: Option<Uuid>) -> Uuid {
        session(world, owner, &self.data()).await
    }
}

/// A row of `training_sessions` with any data.
pub(crate) async fn session(world: &TestWorld, owner: Option<Uuid>, data: &Value) -> Uuid {
    sqlx::query_scalar(
        "insert into training_sessions (user_id, data, status) values ($1, $2, 'pending') returning id",
    )
    .bind(owner)
    .bind(data)
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

/// A column of a session's row, as JSON.
pub(crate) async fn column(world: &TestWorld, session: Uuid, name: &str) -> Value {
    let asked =
        format!("select coalesce(to_jsonb({name}), 'null') from training_sessions where id = '{session}'");
    world.sql(asked).await.json()
}
