//! Placeholder.
use crate::settings::Settings;
/// Placeholder.
pub async fn run(_settings: &Settings) -> anyhow::Result<bool> {
    Ok(true)
}
