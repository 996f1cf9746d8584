//! Rows on their way from the connection to the encoders: the values of some thousand rows, one behind the other in one
//! piece of memory that is used again and again. A row of the database library is several allocations that would be
//! made on one thread and freed on another, for each of a million rows.

use forgeos_core::db::exports::ExportRow;

/// A batch is full at so many rows or bytes, whichever comes first. Three of them are on the way, and of what each becomes
/// two for every file.
const FULL_ROWS: usize = 4_000;
const FULL_BYTES: usize = 512 << 10;
/// Room that is kept for the next batch; what one huge row has needed is not.
const MOST_KEPT_BYTES: usize = 4 << 20;

/// The length of null.
const NULL: u32 = u32::MAX;

/// Some rows.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Of each value its length and its bytes.
    values: Vec<u8>,
    rows: usize,
}

impl Batch {
    /// Appends the values of these columns.
    pub(super) fn add(&mut self, row: &ExportRow, places: impl Iterator<Item = usize>) {
        for place in places {
            match row.value(place) {
                // PostgreSQL sends no value of 2 GiB.
                Some(value) => {
                    self.values.extend_from_slice(&(value.len() as u32).to_ne_bytes());
                    self.values.extend_from_slice(value);
                }
                None => self.values.extend_from_slice(&NULL.to_ne_bytes()),
            }
        }
        self.rows += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= FULL_ROWS || self.values.len() >= FULL_BYTES
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Its values, those of each row in the order in which they were added.
    pub(super) fn values(&self) -> Values<'_> {
        Values(&self.values)
    }

    /// Has no rows any more; its memory stays.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.values.shrink_to(MOST_KEPT_BYTES);
        self.rows = 0;
    }
}

/// The values that are left of a batch.
#[derive(Debug)]
pub(super) struct Values<'b>(&'b [u8]);

impl<'b> Values<'b> {
    /// The next one: `None` is null, and so is what follows the last.
    pub(super) fn take(&mut self) -> Option<&'b [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = u32::from_ne_bytes(*length);
        let (value, rest) = if length == NULL { (None, rest) } else { split(rest, length as usize) };
        self.0 = rest;
        value
    }
}

fn split(bytes: &[u8], at: usize) -> (Option<&[u8]>, &[u8]) {
    match bytes.split_at_checked(at) {
        Some((value, rest)) => (Some(value), rest),
        None => (None, &[]),
    }
}
