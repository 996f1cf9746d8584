//! Rows from the database, in batches that are worth a turn of a compute thread.

use forgeos_core::{
    JobError,
    db::exports::{RowFilter, Snapshot, Table},
};
use forgeos_exporting::Selection;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::{batch::Batch, cells::Cells};

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

    /// Sends all rows and lets the snapshot go. While nobody takes a batch, nothing is read: the server waits. `empty`
    /// gives batches back whose memory is used again.
    pub(super) async fn read(
        self,
        mut snapshot: Snapshot,
        batches: mpsc::Sender<Batch>,
        mut empty: mpsc::Receiver<Batch>,
    ) -> Result<(), JobError> {
        let columns: Vec<&str> = self.selection.source_columns().iter().map(|source| source.name).collect();
        let cells = self.cells();
        {
            let rows = snapshot.rows(self.table, &self.filter, &columns);
            let mut rows = std::pin::pin!(rows);
            let mut batch = Batch::default();
            while let Some(row) = rows.next().await {
                batch.add(&row?, cells.places());
                if batch.is_full() {
                    let next = empty.try_recv().unwrap_or_default();
                    if batches.send(std::mem::replace(&mut batch, next)).await.is_err() {
                        // Nobody wants them any more: whoever waited has given up.
                        return Ok(());
                    }
                }
            }
            if batch.rows() > 0 && batches.send(batch).await.is_err() {
                return Ok(());
            }
        }
        Ok(snapshot.end().await?)
    }
}
