//! What is held while rows are written, counted by the allocator: it must not grow with the rows.
// Figures are printed for `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell as Counter,
};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use bytes::Bytes;
use forgeos_exporting::{Audience, Cell, Compression, Dataset, Export, Format, Output, Selection};
use uuid::Uuid;

/// Counts what a thread holds.
struct Counting;

thread_local! {
    static HELD: Counter<usize> = const { Counter::new(0) };
    static MOST: Counter<usize> = const { Counter::new(0) };
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

const MIB: usize = 1 << 20;

/// The most that is held at a time, and how much was written.
fn write(outputs: &[Output], rows: u128, mut keep: impl FnMut(&[u8])) -> usize {
    let before = HELD.get();
    MOST.set(before);
    let selection = Selection::new(Dataset::Analyses, Audience::Service, None).unwrap();
    let mut export = Export::new(&selection, outputs, chrono::DateTime::UNIX_EPOCH).unwrap();
    let mut parts = vec![Vec::new(); outputs.len()];
    let mut filename = String::new();
    for number in 0..rows {
        // Different in every row, so that no dictionary holds them, and hard to pack.
        let id = Uuid::from_u128((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        filename.clear();
        // A row group is full after some 36,000 of them.
        for part in 0..10 {
            let id = Uuid::from_u128(id.as_u128().rotate_left(part) ^ number);
            filename.push_str(id.as_simple().encode_lower(&mut Uuid::encode_buffer()));
        }
        let metrics = format!(
            r#"{{"cqi": 0.{number}, "cvi": 0.5, "width": 4000, "severity": "low", "defects_detected": {number}}}"#
        );
        export
            .row(&[
                Cell::Uuid(id),
                Cell::Timestamp(number as i64),
                Cell::Text(&filename),
                Cell::Null,
                Cell::Json(&metrics),
                Cell::Text("completed"),
                Cell::Uuid(id),
                Cell::Null,
            ])
            .unwrap();
        if number % 500 == 0 {
            for (file, part) in parts.iter_mut().enumerate() {
                export.take(file, part);
                assert_eq!(export.ready(file), 0);
                keep(part);
            }
        }
    }
    let ends = export.finish().unwrap();
    let most = MOST.get() - before;
    ends.iter().for_each(|end| keep(end));
    most
}

#[test]
fn half_as_many_rows_again_take_no_more() {
    let packed = |compression| Output { format: Format::Csv, compression };
    for (output, rows, most_mib) in [
        (packed(Compression::None), 20_000, 2),
        (packed(Compression::Gzip), 20_000, 2),
        (packed(Compression::Zstd), 20_000, 2),
        (Output::new(Format::Jsonl), 20_000, 2),
        (Output::new(Format::Xlsx), 20_000, 3),
        // Two row groups and three: what was packed, and what stands in the file.
        (Output::new(Format::Parquet), 80_000, 32),
    ] {
        let few = write(&[output], rows, |_| {});
        let many = write(&[output], rows * 3 / 2, |_| {});
        println!("{output:?}: {few}, then {many}");
        assert!(few <= most_mib * MIB, "{output:?}: {few}");
        // A row has 450 bytes: 57 of each that stay are too many.
        assert!(many <= few + few / 10 + 64 * 1024, "{output:?}: {few}, then {many}");
    }
}

#[test]
fn row_groups_end_by_what_they_hold() {
    let mut file = Vec::new();
    write(&[Output::new(Format::Parquet)], 60_000, |part| file.extend_from_slice(part));
    let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
    assert!(reader.num_row_groups() > 1);
    let groups = reader.metadata().row_groups();
    assert_eq!(groups.iter().map(|group| group.num_rows()).sum::<i64>(), 60_000);
    for group in groups {
        assert!(group.total_byte_size() < 17 * MIB as i64);
    }
}
