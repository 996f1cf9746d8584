//! What can be typed.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use forgeos_core::{JobId, JobStatus, UserId};

/// ForgeOS Worker: takes jobs out of a PostgreSQL table and judges industrial coatings from photographs.
#[derive(Debug, Parser)]
#[command(name = "forgeos-worker", version, propagate_version = true)]
pub(super) struct Arguments {
    /// A TOML file with settings, over config/{FORGEOS_ENV}.toml and under the environment.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub(super) config: Option<PathBuf>,
    /// Folder of the embedded database and of local files.
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Settings")]
    pub(super) data_dir: Option<String>,
    /// postgresql://…; without it and outside production: an embedded PostgreSQL. Better set as DATABASE_URL: arguments
    /// can be seen by other users of the machine.
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub(super) database_url: Option<String>,
    /// file:///path, s3://… or supabase.
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub(super) storage_url: Option<String>,
    /// Any setting, e.g. --set worker.lease_seconds=5; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", help_heading = "Settings")]
    pub(super) set: Vec<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take jobs and carry them out until SIGTERM or Ctrl-C; a second signal gives running jobs back at once.
    Run {
        /// Only these job types, separated by commas.
        #[arg(long, value_name = "TYPES")]
        job_types: Option<String>,
        /// Address of the dashboard, /healthz, /readyz and /metrics, or `off`.
        #[arg(long, value_name = "ADDRESS")]
        http: Option<String>,
    },
    /// Show it all at work: an embedded database, sample pictures, a job through the real queue.
    Demo,
    /// Bring the database to this version's schema. Safe to repeat.
    Migrate {
        /// Also release the pending jobs that were there before the first migration.
        #[arg(long)]
        adopt: bool,
        /// Also add `jobs` to Supabase's publication `supabase_realtime`.
        #[arg(long)]
        realtime: bool,
    },
    /// Put a job into the queue and print its id.
    Enqueue(Enqueue),
    /// Look at jobs and change them.
    Jobs {
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// Job types: pause them, resume them, cap them.
    Types {
        #[command(subcommand)]
        command: TypesCommand,
    },
    /// Worker processes.
    Workers {
        #[command(subcommand)]
        command: WorkersCommand,
    },
    /// Files that jobs wrote.
    Artifacts {
        #[command(subcommand)]
        command: ArtifactsCommand,
    },
    /// Check settings, database, rights, wake-up, storage, fonts and disk, and say how to mend what is not good.
    Doctor {
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Delete what is old: finished jobs, lines of logs, files that no row leads to.
    Prune(Prune),
    /// Delete all rows and files of a user; jobs under way are cancelled first.
    Erase(Erase),
    /// Fill the queue with drawn pictures, let the running workers judge them, and say how long it took.
    Loadtest(Loadtest),
    /// JSON Schema of params and results, of one job type or of all.
    Schema {
        /// The job type.
        job_type: Option<String>,
    },
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct Enqueue {
    /// The job type, e.g. batch_analysis.
    pub(super) job_type: String,
    /// JSON, @FILE, or - for stdin.
    #[arg(long, default_value = "{}", value_name = "JSON|@FILE|-")]
    pub(super) params: String,
    /// The owner; without one it is a service job.
    #[arg(long, value_name = "UUID")]
    pub(super) user: Option<UserId>,
    /// Higher first.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub(super) priority: i16,
    /// Not before this time, RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) run_at: Option<DateTime<Utc>>,
    /// At most one pending or running job of this type and user has this key; a second enqueue prints the first's id.
    #[arg(long, value_name = "KEY")]
    pub(super) unique_key: Option<String>,
    /// Follow it to its end; exit code 0 only when it completed.
    #[arg(long)]
    pub(super) wait: bool,
    /// JSON instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Say what would go, delete nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Completed jobs, after so many days; 0 keeps them [default: retention.completed_days].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(super) completed_days: Option<u32>,
    /// Failed and cancelled jobs, after so many days; 0 keeps them [default: retention.failed_days].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(super) failed_days: Option<u32>,
    /// Lines of logs, after so many days; 0 keeps them [default: retention.log_days].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(super) log_days: Option<u32>,
    /// JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Erase {
    /// Whose.
    #[arg(long, value_name = "UUID")]
    pub(super) user: UserId,
    /// Say what would go, change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(super) dry_run: bool,
    /// Do it.
    #[arg(long)]
    pub(super) yes: bool,
    /// JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Loadtest {
    /// How many jobs.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) jobs: u32,
    /// Pictures of each job, 0.3 megapixels each.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) pictures: u32,
    /// Also have the findings drawn into a copy of each picture.
    #[arg(long)]
    pub(super) visualization: bool,
    /// Give up, and cancel what is left, when no job has ended for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) patience: u64,
    /// Leave the rows and files of the test where they are.
    #[arg(long)]
    pub(super) keep: bool,
    /// JSON instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ArtifactsCommand {
    /// The newest files.
    List {
        /// Only of this job.
        #[arg(long, value_name = "ID")]
        job: Option<JobId>,
        /// Only of this owner.
        #[arg(long, value_name = "UUID")]
        user: Option<UserId>,
        /// Only of this kind, e.g. visualization, report_pdf, model.
        #[arg(long)]
        kind: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// A link to read a file with: signed where the store signs.
    Url {
        /// The file's id, or that of its row in `reports`.
        id: uuid::Uuid,
        /// How long a signed link is good for.
        #[arg(long, value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(1..=604_800))]
        valid_for: u64,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args, Clone)]
pub(super) struct Which {
    /// Only this job type.
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) job_type: Option<String>,
    /// Only this status.
    #[arg(long)]
    pub(super) status: Option<JobStatus>,
    /// Only this owner.
    #[arg(long, value_name = "UUID")]
    pub(super) user: Option<UserId>,
    /// Only created longer ago than this, e.g. 90s, 15m, 2h, 7d.
    #[arg(long, value_name = "AGE", value_parser = age_seconds)]
    pub(super) older: Option<f64>,
}

impl Which {
    /// Whether any filter is given.
    pub(super) fn says_something(&self) -> bool {
        self.job_type.is_some() || self.status.is_some() || self.user.is_some() || self.older.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum JobsCommand {
    /// The newest jobs.
    List {
        #[command(flatten)]
        which: Which,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one job.
    Show {
        /// Its id.
        id: JobId,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Follow a job to its end; exit code 0 only when it completed.
    Watch {
        /// Its id.
        id: JobId,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Cancel jobs: by id, or all that match.
    Cancel {
        /// Ids.
        ids: Vec<JobId>,
        #[command(flatten)]
        which: Which,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Send failed or cancelled jobs back to the queue: by id, or all that match.
    Retry {
        /// Ids.
        ids: Vec<JobId>,
        #[command(flatten)]
        which: Which,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Why a job is not running now.
    Explain {
        /// Its id.
        id: JobId,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// What waits and runs, by type.
    Stats {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Release the pending jobs that were there before the first migration.
    Adopt {
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TypesCommand {
    /// All job types with their settings.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Start no more jobs of a type; running ones go on.
    Pause {
        /// The job type.
        name: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Start jobs of a type again.
    Resume {
        /// The job type.
        name: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Cap a type over all workers; `none` removes a cap.
    Limit {
        /// The job type.
        name: String,
        /// Jobs that run at once.
        #[arg(long, value_name = "N|none", value_parser = cap, allow_negative_numbers = true)]
        running: Option<CapArgument>,
        /// Jobs of one user that run at once.
        #[arg(long, value_name = "N|none", value_parser = cap, allow_negative_numbers = true)]
        per_user: Option<CapArgument>,
        /// Pending jobs that one user may have.
        #[arg(long, value_name = "N|none", value_parser = cap, allow_negative_numbers = true)]
        pending: Option<CapArgument>,
        /// Whether users take turns: the many jobs of one do not keep those of others waiting.
        #[arg(long, value_name = "true|false")]
        fair: Option<bool>,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum WorkersCommand {
    /// Live worker processes.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// A number, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct CapArgument(pub(super) Option<i32>);

fn cap(text: &str) -> Result<CapArgument, String> {
    match text {
        "none" => Ok(CapArgument(None)),
        number => match number.parse() {
            Ok(number) if number >= 0 => Ok(CapArgument(Some(number))),
            _ => Err("a whole number from 0, or `none`".to_owned()),
        },
    }
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc())
        .map_err(|_| "a time in RFC 3339 is wanted: 2026-01-31T08:00:00Z".to_owned())
}

fn age_seconds(text: &str) -> Result<f64, String> {
    let wanted = || "a number with a unit: 90s, 15m, 2h, 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wanted)?;
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        'd' => 86_400.0,
        _ => return Err(wanted()),
    };
    let number: f64 = text[..text.len() - 1].parse().map_err(|_| wanted())?;
    if number.is_finite() && (0.0..1e6).contains(&number) { Ok(number * seconds) } else { Err(wanted()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn ages_have_a_unit() {
        assert!((age_seconds("1.5h").unwrap() - 5400.0).abs() < 1e-9);
        for bad in ["", "5", "h", "-1d", "5w", "infs", "é"] {
            assert!(age_seconds(bad).is_err(), "{bad}");
        }
    }
}
