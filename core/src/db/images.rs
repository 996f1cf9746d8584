//! Where the photographs of a batch lie: image ids in, keys in bucket `images` out.
//!
//! Whose data a job may touch is decided here: with an owner, a row or object of anybody else is as good as absent.
//! Reads rows only; whether the object is really there shows when it is fetched.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Db, DbResult};
use crate::{
    ids::UserId,
    storage::{Key, KeyError},
};

/// The endings that are tried for an object that is named by its image id alone.
pub const EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// What an image id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A row of Supabase's `storage.objects`.
    Object(Key),
    /// A row of `analyses`.
    Analysis {
        /// Its object, or why its file name is none; `None` when the row names no file.
        key: Option<Result<Key, KeyError>>,
        /// `analyses.filename` as it stands.
        filename: Option<String>,
        /// Whether the row is filled already, so that a new one is made.
        completed: bool,
    },
    /// No row: the object is one of these, or there is none.
    ByName(Vec<Key>),
}

/// Looks all ids up in two statements (and one that asks whether there is a `storage` schema).
pub async fn find(db: &Db, owner: Option<UserId>, ids: &[Uuid]) -> DbResult<HashMap<Uuid, ImageSource>> {
    let mut found: HashMap<Uuid, ImageSource> = HashMap::with_capacity(ids.len());
    let mut session = db.session().await?;

    let has_objects = sqlx::query_scalar!(
        r#"select exists (
             select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             where n.nspname = 'storage' and c.relname = 'objects'
               and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
           ) as "exists!""#
    )
    .fetch_one(session.exec())
    .await?;
    if has_objects {
        // Not checked at build time: the table is Supabase's, and so are its columns (`owner_id` came later than
        // `owner`), which is why they are read through JSON.
        let rows: Vec<(Uuid, String, Option<String>, Option<String>)> = sqlx::query_as(
            "select o.id, o.name, nullif(to_jsonb(o) ->> 'owner_id', ''), nullif(to_jsonb(o) ->> 'owner', '')
             from storage.objects o where o.bucket_id = 'images' and o.id = any($1)",
        )
        .bind(ids)
        .fetch_all(session.exec())
        .await?;
        for (id, name, owner_id, old_owner) in rows {
            if let Some(key) = object_of(owner, &name, &[owner_id, old_owner]) {
                found.insert(id, ImageSource::Object(key));
            }
        }
    }

    let open: Vec<Uuid> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
    let rows = sqlx::query!(
        r#"select id, filename, coalesce(status, '') = 'completed' as "completed!"
           from public.analyses where id = any($1) and ($2::uuid is null or user_id = $2)"#,
        &open,
        owner.map(|u| u.0)
    )
    .fetch_all(session.exec())
    .await?;
    for row in rows {
        let key = row.filename.as_deref().filter(|name| !name.is_empty()).map(|name| key_of(owner, name));
        let source = ImageSource::Analysis { key, filename: row.filename, completed: row.completed };
        found.insert(row.id, source);
    }
    session.finish().await?;

    for id in ids {
        found.entry(*id).or_insert_with(|| ImageSource::ByName(names_of(owner, *id)));
    }
    Ok(found)
}

/// Where `analyses.filename` leads: below the owner's folder, for a service job as it stands.
pub(super) fn key_of(owner: Option<UserId>, filename: &str) -> Result<Key, KeyError> {
    match owner {
        Some(user) => Key::in_folder_of(user, filename),
        None => Key::parse(filename),
    }
}

/// The object of a row of `storage.objects`, if this owner may use it: the first folder is the owner's, and so is every
/// owner that is noted.
fn object_of(owner: Option<UserId>, name: &str, noted_owners: &[Option<String>]) -> Option<Key> {
    let key = Key::parse(name).ok()?;
    let Some(user) = owner else { return Some(key) };
    let noted = noted_owners.iter().flatten().all(|noted| noted.eq_ignore_ascii_case(&user.to_string()));
    (noted && key.belongs_to(user)).then_some(key)
}

/// The keys that an object named by its image id may have: in the owner's folder; for a service job in `service` and at
/// the top.
fn names_of(owner: Option<UserId>, image: Uuid) -> Vec<Key> {
    let folders = match owner {
        Some(user) => vec![format!("{user}/")],
        None => vec!["service/".to_owned(), String::new()],
    };
    folders
        .iter()
        .flat_map(|folder| EXTENSIONS.map(|extension| format!("{folder}{image}.{extension}")))
        .filter_map(|name| Key::parse(name).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn an_object_needs_the_owners_folder_and_no_other_noted_owner() {
        let (me, other) = (user(1), user(2));
        let mine = format!("{me}/a.png");
        let is_mine = |name: &str, noted: &[Option<String>]| object_of(Some(me), name, noted).is_some();
        assert!(is_mine(&mine, &[None, None]));
        assert!(is_mine(&mine, &[Some(me.to_string()), Some(me.to_string())]));
        assert!(!is_mine(&mine, &[Some(other.to_string()), None]));
        assert!(!is_mine(&mine, &[None, Some(other.to_string())]));
        assert!(!is_mine(&format!("{other}/a.png"), &[Some(me.to_string()), None]));
        assert!(!is_mine(&format!("{me}/../{other}/a.png"), &[None, None]));
        assert!(!is_mine("a.png", &[None, None]));
    }

    #[test]
    fn a_service_job_may_use_every_object() {
        assert!(object_of(None, &format!("{}/a.png", user(2)), &[Some(user(2).to_string()), None]).is_some());
        assert!(object_of(None, "../a.png", &[None, None]).is_none());
    }

    #[test]
    fn an_image_id_names_objects_in_the_owners_folder_only() {
        let image = Uuid::from_u128(7);
        assert!(names_of(Some(user(1)), image).iter().all(|key| key.belongs_to(user(1))));
        let of_service: Vec<_> = names_of(None, image).iter().map(ToString::to_string).collect();
        assert!(of_service.contains(&format!("{image}.jpg")));
        assert!(of_service.contains(&format!("service/{image}.webp")));
    }
}
