//! Coverage-guided: pictures.
#![no_main]

#[path = "../image.rs"]
mod target;

use std::sync::Once;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static HOOK: Once = Once::new();
    // A panic of a decoder is caught and answered by `decode`; any other is a finding.
    HOOK.call_once(|| {
        let finding = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|place| !place.file().contains("/registry/")) {
                finding(panic);
            }
        }));
    });
    target::image(bytes);
});
