//! What the database answered, as text: tests compare with what a person would see in `psql`.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

/// All rows of a statement, each value as text, null as `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows(pub Vec<Vec<Option<String>>>);

impl Rows {
    /// The first value of the only row; panics when there is not exactly one row.
    #[must_use]
    pub fn value(&self) -> &str {
        assert_eq!(self.0.len(), 1, "one row expected: {self:?}");
        self.0[0][0].as_deref().unwrap_or("null")
    }

    /// The first value of every row.
    #[must_use]
    pub fn column(&self) -> Vec<&str> {
        self.0.iter().map(|row| row[0].as_deref().unwrap_or("null")).collect()
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only value as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.value()).unwrap_or_else(|e| panic!("not JSON ({e}): {self:?}"))
    }
}

/// A refusal of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// SQLSTATE.
    pub code: String,
    /// Its words.
    pub message: String,
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(refusal) => Self {
                code: refusal.code().unwrap_or_default().into_owned(),
                message: refusal.message().to_owned(),
            },
            None => panic!("the database could not be asked: {error}"),
        }
    }
}

/// Runs SQL through the simple protocol: several statements are allowed, the rows of all of them are answered.
pub async fn run(connection: &mut PgConnection, sql: &str) -> Result<Rows, SqlError> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await?;
    Ok(Rows(rows.iter().map(as_text).collect()))
}

fn as_text(row: &PgRow) -> Vec<Option<String>> {
    (0..row.len()).map(|i| row.try_get_unchecked::<Option<String>, _>(i).unwrap()).collect()
}

/// A row of `jobs`.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct JobRow {
    pub id: Uuid,
    pub status: Option<String>,
    pub job_type: Option<String>,
    pub results: Option<Value>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub user_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub run_at: Option<DateTime<Utc>>,
    pub attempt: i32,
    pub attempts_forgiven: i32,
    pub crashes: i32,
    pub locked_by: Option<Uuid>,
    pub locked_until: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub progress: Option<Value>,
}

impl JobRow {
    /// `jobs.status`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("null")
    }

    /// `jobs.error_code`.
    #[must_use]
    pub fn error_code(&self) -> &str {
        self.error_code.as_deref().unwrap_or("null")
    }

    /// `jobs.error_message`.
    #[must_use]
    pub fn error_message(&self) -> &str {
        self.error_message.as_deref().unwrap_or("")
    }

    /// A value in `results`, by key.
    #[must_use]
    pub fn result(&self, key: &str) -> &Value {
        self.results.as_ref().map_or(&Value::Null, |r| &r[key])
    }

    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.status(), "completed" | "failed" | "cancelled")
    }
}
