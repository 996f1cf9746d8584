//! What the product's handlers share and the engine knows nothing of, found by its type: a report setter with its
//! fonts loaded, for example. Filled once at start; there is at most one of a type.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::Arc,
};

use crate::error::{ErrorCode, JobError};

/// The shared things; clones share them.
#[derive(Clone, Default)]
pub struct Resources(Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Resources {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thing, or replaces that of the same type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(self, thing: T) -> Self {
        let mut things = Arc::unwrap_or_clone(self.0);
        things.insert(TypeId::of::<T>(), Arc::new(thing));
        Self(Arc::new(things))
    }

    /// The thing of this type. That it is missing is a fault of the program, not of the job.
    pub fn get<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, JobError> {
        self.0.get(&TypeId::of::<T>()).and_then(|thing| Arc::clone(thing).downcast().ok()).ok_or_else(|| {
            JobError::permanent(
                ErrorCode::Internal,
                format!("this worker was started without its `{}`", type_name::<T>()),
            )
        })
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources").field("count", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_thing_is_found_by_its_type_only() {
        let resources = Resources::new().with(7_u32).with("word");
        assert_eq!(*resources.get::<u32>().unwrap(), 7);
        assert!(resources.get::<u64>().is_err());
    }
}
