//! `[schedules.*]`: service jobs at set times. What can be wrong with one is said at start, not at night.

use croner::Cron;

use super::{SettingsError, layers::Layers};
use crate::registry::Registry;

/// A service job at set times.
#[derive(Debug, Clone)]
pub struct ScheduleSettings {
    /// Its name.
    pub name: String,
    /// When, in UTC.
    pub cron: Cron,
    /// The job type.
    pub job_type: String,
    /// Its params as JSON text.
    pub params: String,
}

pub(super) fn read(layers: &Layers) -> Result<Vec<ScheduleSettings>, SettingsError> {
    layers.names_below("schedules").into_iter().map(|name| schedule(layers, name)).collect()
}

fn schedule(layers: &Layers, name: String) -> Result<ScheduleSettings, SettingsError> {
    let key = |part: &str| format!("schedules.{name}.{part}");
    let bad = |part: &str, problem: String| layers.bad(&key(part), problem);
    let text = |part: &str| layers.text(&key(part));
    let cron = text("cron")
        .ok_or_else(|| bad("cron", "it is missing; it must be like `15 2 * * *` (UTC)".to_owned()))?
        .parse::<Cron>()
        .map_err(|error| bad("cron", format!("it must be like `15 2 * * *` (UTC): {error}")))?;
    let known = Registry::product();
    let job_type = text("job_type").unwrap_or_default().to_owned();
    let Some(registered) = known.get(&job_type) else {
        return Err(bad("job_type", format!("it must be one of {}", known.names().join(", "))));
    };
    let params = text("params").unwrap_or("{}").to_owned();
    registered
        .check(&params)
        .map_err(|refusal| bad("params", format!("the job would refuse it: {}", refusal.message)))?;
    Ok(ScheduleSettings { cron, job_type, params, name })
}
