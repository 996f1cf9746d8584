//! Somebody who speaks to the database the way PostgREST does: a role and the claims of a token, one transaction a
//! request.

use sqlx::PgPool;
use uuid::Uuid;

use crate::rows::{self, Rows, SqlError};

/// A role with claims.
#[derive(Debug, Clone)]
pub struct Caller {
    pool: PgPool,
    preamble: String,
    /// The signed-in user.
    pub user: Option<Uuid>,
}

impl Caller {
    pub(crate) fn new(pool: PgPool, role: &str, user: Option<Uuid>) -> Self {
        let mut claims = serde_json::json!({ "role": role });
        if let Some(user) = user {
            claims["sub"] = serde_json::json!(user);
        }
        let preamble = format!("set local role {role}; set local request.jwt.claims = '{claims}'");
        Self { pool, preamble, user }
    }

    /// The role alone, as a direct login would have it.
    pub(crate) fn without_claims(pool: PgPool, role: &str) -> Self {
        Self { pool, preamble: format!("set local role {role}"), user: None }
    }

    /// Runs SQL in a transaction of its own.
    pub async fn sql(&self, sql: impl AsRef<str>) -> Result<Rows, SqlError> {
        let mut transaction = self.pool.begin().await?;
        rows::run(&mut transaction, &self.preamble).await?;
        let rows = rows::run(&mut transaction, sql.as_ref()).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// Runs SQL and takes back what it did.
    pub async fn tried(&self, sql: impl AsRef<str>) -> Result<Rows, SqlError> {
        let mut transaction = self.pool.begin().await?;
        rows::run(&mut transaction, &self.preamble).await?;
        let rows = rows::run(&mut transaction, sql.as_ref()).await;
        transaction.rollback().await?;
        rows
    }

    /// The refusal of a statement that must not pass.
    pub async fn refused(&self, sql: impl AsRef<str>) -> SqlError {
        match self.sql(sql.as_ref()).await {
            Err(refusal) => refusal,
            Ok(rows) => panic!("`{}` was allowed and answered {rows:?}", sql.as_ref()),
        }
    }

    /// Asserts that a statement is refused for want of a right (42501).
    pub async fn denied(&self, sql: impl AsRef<str>) {
        let refusal = self.refused(sql.as_ref()).await;
        assert_eq!(refusal.code, "42501", "`{}`: {refusal:?}", sql.as_ref());
    }
}
