//! The text of `jobs.params`, as a stranger writes it: the decoding of dispatch and the checks of each job type.
//!
//! Fuzzed by `src/bin/params.rs`, and run over a fixed set by `cargo test -p forgeos-tests --test hostile`.

use forgeos_worker::registry::Registry;

/// The first byte chooses the job type, the rest is the text. Panics when a promise does not hold.
pub(crate) fn params(registry: &Registry, bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    // Of bytes that are no text PostgreSQL makes no params.
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let names = registry.names();
    let name = names[usize::from(*first) % names.len()];
    check(registry, name, text);
}

/// The same for a job type that was chosen; whether the params are taken.
pub(crate) fn check(registry: &Registry, name: &str, text: &str) -> bool {
    let Some(job_type) = registry.get(name) else { panic!("no job type `{name}`") };
    let Err(refusal) = job_type.check(text) else { return true };
    let words = &refusal.message;
    assert_eq!(refusal.code.as_str(), "bad_params", "{name}: {words}");
    assert!(!words.trim().is_empty() && words.chars().count() <= 500, "{name}: {words:?}");
    assert!(!words.contains(char::is_control), "{name}: {words:?}");
    for word in ["Some(", "None)", "Err(", "Error {", "Error(", "panicked", "unwrap", "called `"] {
        // A caller's own word may be any of these.
        assert!(
            !words.contains(word) || text.contains(word.trim_end_matches(['(', ')', '{', ' ', '`'])),
            "{name}: {words:?}"
        );
    }
    false
}
