//! Coverage-guided: params of every job type.
#![no_main]

#[path = "../params.rs"]
mod target;

use std::sync::LazyLock;

use forgeos_worker::registry::Registry;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::product);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::params(&REGISTRY, bytes));
