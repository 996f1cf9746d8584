//! Supabase Storage: which role reaches which object, each action really tried and taken back; and a project whose
//! storage belongs to another role than the one that migrates.

use std::collections::BTreeMap;

use forgeos_core::db::migrate;
use forgeos_tests::{Caller, TestWorld};
use uuid::Uuid;

use crate::migrations::{SUPABASE, supabase};

const BUCKETS: [&str; 6] = ["images", "outputs", "reports", "models", "exports", "elsewhere"];

/// Where an object lies, seen from the user who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    Foreign,
    /// In no folder at all, under the user's own id.
    Top,
    /// In a folder that only starts like the own one.
    Alike,
}

impl Place {
    const ALL: [Self; 4] = [Self::Own, Self::Foreign, Self::Top, Self::Alike];

    fn name(self, me: Uuid, other: Uuid, file: &str) -> String {
        match self {
            Self::Own => format!("{me}/{file}"),
            Self::Foreign => format!("{other}/{file}"),
            Self::Top => format!("{me}"),
            Self::Alike => format!("{me}x/{file}"),
        }
    }
}

/// Rows that a statement touched; none when it was refused.
async fn touched(caller: &Caller, sql: String) -> usize {
    let counted = format!("with rows as ({sql} returning 1) select count(*) from rows");
    caller.tried(counted).await.map_or(0, |rows| rows.value().parse().unwrap())
}

#[tokio::test]
async fn every_role_reaches_the_objects_that_are_meant_for_it_and_no_other() {
    let (world, _) = supabase(false).await;
    let (me, other) = (Uuid::new_v4(), Uuid::new_v4());
    world.sql("insert into storage.buckets (id, name) values ('elsewhere', 'elsewhere')").await;
    for bucket in BUCKETS {
        for place in Place::ALL {
            let name = place.name(me, other, "a.jpg");
            world
                .sql(format!("insert into storage.objects (bucket_id, name) values ('{bucket}', '{name}')"))
                .await;
        }
    }
    let roles = [
        ("anon", world.role("anon")),
        ("authenticated", world.user(me)),
        ("authenticated, nobody", world.role("authenticated")),
        ("forgeos_worker", world.login("forgeos_worker")),
    ];
    let mut tried = 0;
    let mut wrong = BTreeMap::new();
    for (role, caller) in &roles {
        for bucket in BUCKETS {
            for place in Place::ALL {
                let here = format!("bucket_id = '{bucket}' and name = '{}'", place.name(me, other, "a.jpg"));
                let new = place.name(me, other, "b.jpg") + if place == Place::Top { "-b" } else { "" };
                let own = *role == "authenticated" && place == Place::Own;
                let writes = own && bucket == "images";
                let reads = (own && bucket != "elsewhere") || *role == "forgeos_worker";
                let seen = caller.tried(format!("select count(*) from storage.objects where {here}")).await;
                let seen = seen.map_or(0, |rows| rows.value().parse().unwrap());
                // What is written, and where it would lie afterwards.
                let moved = [("name", place.name(other, me, "c.jpg")), ("bucket_id", "outputs".to_owned())];
                let attempts = [
                    ("select", seen, reads),
                    (
                        "insert",
                        touched(caller, format!("insert into storage.objects (bucket_id, name) values ('{bucket}', '{new}')")).await,
                        writes,
                    ),
                    (
                        "update",
                        touched(caller, format!("update storage.objects set metadata = '{{}}' where {here}")).await,
                        writes,
                    ),
                    (
                        "move to another's folder",
                        touched(caller, format!("update storage.objects set {} = '{}' where {here}", moved[0].0, moved[0].1)).await,
                        false,
                    ),
                    (
                        "move to another bucket",
                        touched(caller, format!("update storage.objects set {} = '{}' where {here} and bucket_id <> 'outputs'", moved[1].0, moved[1].1)).await,
                        false,
                    ),
                    ("delete", touched(caller, format!("delete from storage.objects where {here}")).await, writes),
                ];
                for (action, rows, expected) in attempts {
                    tried += 1;
                    if rows != usize::from(expected) {
                        wrong.insert(format!("{role} {action} {bucket} {place:?}"), (rows, expected));
                    }
                }
            }
        }
    }
    println!("{tried} attempts at objects of Supabase Storage");
    assert!(wrong.is_empty(), "rows touched, and whether one was expected: {wrong:#?}");
}

/// `storage` is Supabase's own there: what the migrating role may not do is said, and the rest is done.
#[tokio::test]
async fn storage_that_belongs_to_another_role_stops_no_migration() {
    let world = TestWorld::empty().await;
    world.sql(SUPABASE).await;
    let keeper = format!("keeper_{}", Uuid::new_v4().simple());
    world
        .sql(format!(
            "create role {keeper};
             alter schema storage owner to {keeper};
             alter table storage.objects owner to {keeper};
             alter table storage.buckets owner to {keeper};
             grant usage on schema storage to project_owner;
             revoke all on storage.objects, storage.buckets from project_owner"
        ))
        .await;
    let owner = world.options.clone().username("project_owner");
    migrate::run(&owner).await.unwrap();
    let policies = world.sql("select count(*) from pg_policies where schemaname = 'storage'").await;
    assert_eq!(policies.value(), "0");
    crate::rights::assert_rights_are_as_narrow_as_they_should_be(&world).await;

    let url = world.url().replace("forgeos@", "project_owner@");
    let output = world.program().env("DATABASE_URL", &url).args(&["doctor"]).output().await;
    let told = output.stdout;
    for words in ["storage.objects", "may not read", "policies", "migrate"] {
        assert!(told.contains(words), "`{words}` is missing in\n{told}");
    }
    // An administrator runs the files once more, and doctor has nothing more to say of it.
    for migration in migrate::MIGRATIONS {
        world.sql(migration.sql).await;
    }
    let policies = world.sql("select count(*) from pg_policies where schemaname = 'storage'").await;
    assert_eq!(policies.value(), "5");
    let login = format!("worker_{}", Uuid::new_v4().simple());
    world.sql(format!("create role {login} login; grant forgeos_worker to {login}")).await;
    let url = world.url().replace("forgeos@", &format!("{login}@"));
    let output = world.program().env("DATABASE_URL", &url).args(&["doctor"]).output().await;
    assert!(!output.stdout.contains("storage.objects"), "{}", output.stdout);
}
