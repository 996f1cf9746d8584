//! Placeholder: the names of the metrics.
