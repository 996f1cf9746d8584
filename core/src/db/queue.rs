//! Placeholder: claim, heartbeat, settle, sweep.
