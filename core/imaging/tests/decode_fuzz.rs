//! Pictures with bytes changed, put in, cut out and doubled, and headers that lie, through everything that a batch does
//! with a file: header, limits, decoding, judging, drawing.
//!
//! `FORGEOS_FUZZ_SECONDS` says how long; without it, a moment, and always with the same pictures.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "golden/drawings.rs"]
#[allow(dead_code)]
mod drawings;

/// The target of the coverage-guided fuzzing, `tests/fuzz/run image`.
#[path = "../../../tests/fuzz/src/image.rs"]
mod fuzzed;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime},
};

use drawings::Dice;
use forgeos_imaging::{
    DecodeError, Format, Header, Limits, Options, Picture, Profile, Sensitivity, decode, inspect, judge,
    overlay,
};

/// Counts what a thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    HELD.with(|held| {
        held.set((held.get() + more).saturating_sub(less));
        MOST.with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: everything is the system's allocator's; the counters are plain cells without a destructor.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that this thread holds at a time while it does this, beyond what it held before, in bytes.
fn most_held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = work();
    (result, MOST.get().saturating_sub(before))
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut seeds: Vec<_> = paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect();
    let panel = forgeos_samples::Panel::new(120, 90).disc(60.0, 40.0, 12.0, [20, 20, 20]).draw();
    seeds.extend([panel.jpeg(60), panel.png(), panel.webp()]);
    seeds
}

/// CRC-32 of ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum: u32, _| (sum >> 1) ^ (0xEDB8_8320 * (sum & 1)))
    })
}

/// Makes the checksums of a PNG fit what they stand behind, so that the decoder goes on to it.
fn reseal(bytes: &mut [u8]) {
    if !bytes.starts_with(b"\x89PNG") {
        return;
    }
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let Some(end) = at.checked_add(8 + length).filter(|end| end + 4 <= bytes.len()) else { return };
        let sum = crc32(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
}

fn mutated(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(5) {
        if bytes.is_empty() {
            break;
        }
        // Headers are the more fragile half.
        let end = if dice.below(2) == 0 { bytes.len() } else { bytes.len().min(300) };
        let at = dice.below(end as u32) as usize;
        let length = (1 + dice.below(40) as usize).min(bytes.len() - at);
        match dice.below(9) {
            0 => bytes[at] = dice.roll() as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][dice.below(5) as usize],
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let copy = bytes[at..at + length].to_vec();
                let to = dice.below(bytes.len() as u32) as usize;
                bytes.splice(to..to, copy);
            }
            5 => {
                let noise: Vec<u8> = (0..length).map(|_| dice.roll() as u8).collect();
                bytes.splice(at..at, noise);
            }
            6 => bytes.truncate(at.max(1)),
            // A length, a width, a height that lies: two or four bytes, either way round.
            7 => {
                let lie = [0, 1, 255, 4_095, 16_383, 65_535, u32::MAX, dice.roll()][dice.below(8) as usize];
                let lie = if dice.below(2) == 0 { lie.to_be_bytes() } else { lie.to_le_bytes() };
                let room = lie.len().min(bytes.len() - at);
                bytes[at..at + room].copy_from_slice(&lie[..room]);
            }
            _ => {
                let half = bytes.len() / 2;
                bytes.rotate_left(dice.below(half.max(1) as u32) as usize);
            }
        }
    }
    if dice.below(4) != 0 {
        reseal(&mut bytes);
    }
    bytes
}

/// What a user reads is one line without the words of a program.
fn check_words(error: &DecodeError) {
    let words = error.to_string();
    assert!(words.len() < 400 && !words.contains(['\n', '\r', '\0']), "{words:?}");
    for word in ["Some(", "None", "Error {", "panicked", "unwrap", "Err(", "Decoding("] {
        assert!(!words.contains(word), "{words:?}");
    }
}

fn judge_and_draw(picture: &Picture, standard: bool) {
    let profile = if standard { Profile::Standard } else { Profile::Reference };
    let judgement = judge(picture, Options { sensitivity: Sensitivity::High, profile });
    assert!((0.0..=100.0).contains(&judgement.cvi) && judgement.cqi.is_finite(), "{judgement:?}");
    assert!(overlay::render(picture, &judgement).starts_with(&[0xFF, 0xD8]));
}

/// What a decoder may hold besides its pixels, in bytes: some rows, the tables of the format and the metadata, bounded by
/// constants, the width and the file itself.
fn beside_the_pixels(header: &Header, file: usize) -> usize {
    match header.format {
        Format::Jpeg | Format::Png => 1_000_000 + 256 * header.width as usize + 4 * file,
        // A lossless WebP may have 65,536 groups of codes of 280 bytes each, and a few bytes of the file make a table of
        // 13 kB. The decoder keeps all of them, whether or not a pixel uses them.
        Format::WebP => 20_000_000 + 2_000 * file,
    }
}

#[test]
fn no_picture_panics_takes_more_memory_than_its_header_says_or_tells_of_the_program() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let seconds = std::env::var("FORGEOS_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(3));
    let seed = seconds
        .map_or(7, |_: u64| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos());
    println!("seed {seed}");
    // Those of the decoders are caught by `decode`, and would fill the output.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        if panic.location().is_some_and(|place| !place.file().contains("registry")) {
            usual(panic);
        }
    }));

    let limits = Limits { max_pixels: 1_000_000, max_decoded_bytes: 16_000_000, ..Limits::default() };
    let (seeds, mut dice) = (seeds(), Dice::new(seed));
    let (mut tried, mut decoded, mut closest, mut slowest) = (0_u64, 0_u64, 0.0_f64, Duration::ZERO);
    let began = Instant::now();
    while began.elapsed() < time {
        let original = &seeds[dice.below(seeds.len() as u32) as usize];
        let bytes = mutated(original, &mut dice);
        tried += 1;
        let start = Instant::now();
        let (header, held) = most_held(|| inspect(&bytes, &limits));
        assert!(held < 1_000, "looking at a header took {held} bytes");
        // What is asked of the limits is asked of the full ones, too.
        let _ = inspect(&bytes, &Limits::default());
        let (picture, held) = most_held(|| decode(&bytes, &limits));
        slowest = slowest.max(start.elapsed());
        match (&header, &picture) {
            (Err(error), Err(_)) | (Ok(_), Err(error)) => check_words(error),
            (Err(error), Ok(_)) => panic!("decoded, though its header is refused: {error}"),
            (Ok(header), Ok(picture)) => {
                decoded += 1;
                assert_eq!((header.width, header.height), (picture.width, picture.height));
                // Judging takes twenty times as long as decoding.
                if decoded % 8 == 0 {
                    judge_and_draw(picture, decoded % 16 == 0);
                }
            }
        }
        if let Ok(header) = header {
            let allowed = header.decoding_bytes as usize + beside_the_pixels(&header, bytes.len());
            closest = closest.max(held as f64 / allowed as f64);
            assert!(held <= allowed, "{header:?} took {held} bytes; {} bytes of file", bytes.len());
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
    }
    let panics = PANICS.load(Ordering::Relaxed);
    println!(
        "{tried} files, {decoded} decoded, {panics} panics of decoders caught, slowest {slowest:.1?}, \
         at most {:.0} % of the memory allowed",
        100.0 * closest
    );
    assert!(decoded > tried / 20, "the mutations leave nothing to decode");
}

#[test]
fn what_the_fuzzer_asks_holds_for_a_fixed_set_of_pictures() {
    let (seeds, mut dice) = (seeds(), Dice::new(11));
    for seed in &seeds {
        fuzzed::image(seed);
        for _ in 0..30 {
            fuzzed::image(&mutated(seed, &mut dice));
        }
    }
}
