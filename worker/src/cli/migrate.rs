//! `migrate`.

use forgeos_core::db::migrate;

use super::{Failure, Outcome, output};
use crate::{database::Database, settings::Settings};

pub(super) async fn migrate(settings: &Settings, adopt: bool, realtime: bool) -> Outcome {
    let database = Database::open(settings).await?;
    if let Some(embedded) = database.embedded() {
        embedded.notes().iter().for_each(|note| output::note(note));
    }
    let outcome = with_database(&database, adopt, realtime).await;
    database.close().await;
    outcome
}

async fn with_database(database: &Database, adopt: bool, realtime: bool) -> Outcome {
    database.probe_for_migrations().await?;
    let options = database.for_migrations();
    let report = migrate::run(options).await?;
    match report.applied.len() {
        0 if report.granted_again => {
            output::text("the schema is up to date; new roles were given their rights");
        }
        0 => output::text("the schema is up to date"),
        n => {
            report.applied.iter().for_each(|name| output::text(&format!("  {name}")));
            output::text(&format!("{n} migrations ran"));
        }
    }
    if !report.missing_roles.is_empty() {
        output::note(
            "these roles are missing and may not be created here; an administrator may run, then `migrate` again:",
        );
        for role in &report.missing_roles {
            output::note(&format!("  create role {role} nologin noinherit;"));
        }
    }
    if adopt {
        let adopted = migrate::adopt_pending_jobs(options).await?;
        output::text(&format!("{adopted} pending jobs adopted"));
    }
    if realtime {
        if migrate::add_jobs_to_realtime(options).await? {
            output::text("supabase_realtime publishes `jobs`");
        } else {
            output::note("this database has no publication `supabase_realtime`; nothing was added");
        }
    }
    Ok::<(), Failure>(())
}
