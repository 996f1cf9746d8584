//! Rows from the database, in batches that are worth a turn of a compute thread.

use forgeos_core::{
    JobError,
    db::exports::{ExportRow, RowFilter, Snapshot, Table},
};
use forgeos_exporting::Selection;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::cells::Cells;

/// A batch is full at so many rows or bytes, whichever comes first.
const BATCH_ROWS: usize = 4_000;
const BATCH_BYTES: usize = 1 << 20;

/// Some rows.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<ExportRow>,
    size_bytes: usize,
}

impl Batch {
    pub(super) fn rows(&self) -> &[ExportRow] {
        &self.rows
    }

    fn add(&mut self, row: ExportRow) {
        self.size_bytes += row.size_bytes();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.size_bytes >= BATCH_BYTES
    }
}

/// What is read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) table: Table,
    pub(super) filter: RowFilter,
    pub(super) selection: Selection,
}

impl Reader {
    /// Where the columns stand.
    pub(super) fn cells(&self) -> Cells {
        Cells::of(self.table, &self.selection)
    }

    /// Sends all rows and lets the snapshot go. While nobody takes a batch, nothing is read: the server waits.
    pub(super) async fn read(
        self,
        mut snapshot: Snapshot,
        batches: mpsc::Sender<Batch>,
    ) -> Result<(), JobError> {
        let columns: Vec<&str> = self.selection.source_columns().iter().map(|source| source.name).collect();
        {
            let rows = snapshot.rows(self.table, &self.filter, &columns);
            let mut rows = std::pin::pin!(rows);
            let mut batch = Batch::default();
            while let Some(row) = rows.next().await {
                batch.add(row?);
                if batch.is_full() && batches.send(std::mem::take(&mut batch)).await.is_err() {
                    // Nobody wants them any more: whoever waited has given up.
                    return Ok(());
                }
            }
            if !batch.rows.is_empty() && batches.send(batch).await.is_err() {
                return Ok(());
            }
        }
        Ok(snapshot.end().await?)
    }
}
