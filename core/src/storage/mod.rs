//! Placeholder: buckets and keys over an object store.

/// The object store; clones share it.
#[derive(Debug, Clone)]
pub struct Storage {}
