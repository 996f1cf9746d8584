//! What is to be done: one item and one row of `analyses` for every image, made once; later attempts go on with what
//! is open.

use std::collections::{HashMap, HashSet};

use forgeos_core::{
    JobContext, JobError,
    db::{
        analyses::{self, PlannedAnalysis},
        images::{self, ImageSource},
        items::{self, ItemState, PlannedItem},
    },
};
use uuid::Uuid;

/// The open part of a batch.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where the open images lie.
    pub(super) sources: HashMap<Uuid, ImageSource>,
    /// Images in all.
    pub(super) total: u64,
    /// Images that an earlier attempt has finished.
    pub(super) finished: u64,
}

/// Plans what is not planned yet, and opens again what an earlier attempt left.
pub(super) async fn make(ctx: &JobContext, image_ids: &[Uuid]) -> Result<Plan, JobError> {
    let lease = ctx.lease();
    let owner = ctx.job.user_id;
    let mut session = ctx.db.session().await?;
    let known = items::list(&mut session, lease.job).await?;
    session.finish().await?;

    let finished: HashSet<&str> = known.iter().filter(|i| i.is_finished()).map(|i| i.item.as_str()).collect();
    let open: Vec<Uuid> =
        image_ids.iter().copied().filter(|id| !finished.contains(id.to_string().as_str())).collect();
    let sources = images::find(&ctx.db, owner, &open).await?;
    let (new, given) = rows_of(&open, &known, &sources, |image| lease.job.derive("analysis", image));

    let places: HashMap<Uuid, i32> = image_ids.iter().copied().zip(0..).collect();
    let results: HashMap<Uuid, Uuid> =
        new.iter().map(|(image, row)| (*image, row.id)).chain(given.iter().map(|id| (*id, *id))).collect();
    let planned: Vec<PlannedItem> = open
        .iter()
        .map(|image| PlannedItem {
            item: image.to_string(),
            position: places[image],
            result_id: results.get(image).copied(),
        })
        .collect();
    let new: Vec<PlannedAnalysis> = new.into_iter().map(|(_, row)| row).collect();

    let mut transaction = ctx.db.begin_fenced(lease).await?;
    items::plan(&mut transaction, lease.job, &planned).await?;
    items::reopen(&mut transaction, lease.job, lease.worker).await?;
    analyses::plan(&mut transaction, lease.job, owner, &new, &given).await?;
    transaction.commit().await?;

    Ok(Plan { sources, total: image_ids.len() as u64, finished: (image_ids.len() - open.len()) as u64 })
}

/// The rows of `analyses` for these images: new ones, each with its image, and given ones that are filled in place. A
/// row that an earlier attempt planned for an image stays that image's row.
fn rows_of(
    open: &[Uuid],
    known: &[ItemState],
    sources: &HashMap<Uuid, ImageSource>,
    derive: impl Fn(&str) -> Uuid,
) -> (Vec<(Uuid, PlannedAnalysis)>, Vec<Uuid>) {
    let earlier: HashMap<&str, Uuid> =
        known.iter().filter_map(|item| Some((item.item.as_str(), item.result_id?))).collect();
    let (mut new, mut given) = (Vec::new(), Vec::new());
    for image in open {
        let name = image.to_string();
        let source = sources.get(image);
        let in_place = match earlier.get(name.as_str()) {
            Some(row) => row == image,
            None => matches!(source, Some(ImageSource::Analysis { completed: false, .. })),
        };
        if in_place {
            given.push(*image);
            continue;
        }
        let filename = match source {
            Some(ImageSource::Object(key)) => Some(key.to_string()),
            Some(ImageSource::Analysis { filename, .. }) => filename.clone(),
            Some(ImageSource::ByName(_)) | None => None,
        };
        new.push((*image, PlannedAnalysis { id: derive(&name), filename }));
    }
    (new, given)
}

#[cfg(test)]
mod tests {
    use forgeos_core::storage::Key;

    use super::*;

    fn analysis(completed: bool) -> ImageSource {
        ImageSource::Analysis { key: None, filename: Some("a.png".into()), completed }
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn derive(image: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, image.as_bytes())
    }

    #[test]
    fn an_open_analysis_is_filled_in_place_and_a_completed_one_is_left_alone() {
        let sources = HashMap::from([
            (id(1), analysis(false)),
            (id(2), analysis(true)),
            (id(3), ImageSource::ByName(Vec::<Key>::new())),
        ]);
        let (new, given) = rows_of(&[id(1), id(2), id(3)], &[], &sources, derive);
        assert_eq!(given, [id(1)]);
        assert_eq!(new.iter().map(|(image, _)| *image).collect::<Vec<_>>(), [id(2), id(3)]);
        assert!(new.iter().all(|(image, row)| row.id == derive(&image.to_string())));
        assert_eq!(new[0].1.filename.as_deref(), Some("a.png"));
    }

    #[test]
    fn a_row_once_planned_stays_the_images_row() {
        let item = |n: u128, row: Uuid| ItemState {
            item: id(n).to_string(),
            status: "running".into(),
            result_id: Some(row),
            error: None,
        };
        // Planned in place, completed by somebody else since; and planned as new, reset by somebody else since.
        let known = [item(1, id(1)), item(2, derive("2"))];
        let sources = HashMap::from([(id(1), analysis(true)), (id(2), analysis(false))]);
        let (new, given) = rows_of(&[id(1), id(2)], &known, &sources, derive);
        assert_eq!(given, [id(1)]);
        assert_eq!(new[0].0, id(2));
    }
}
