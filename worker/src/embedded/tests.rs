#![allow(clippy::unwrap_used)]
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{Embedded, Ephemeral};

async fn answers(options: &PgConnectOptions) -> bool {
    match PgConnection::connect_with(options).await {
        Ok(mut connection) => {
            sqlx::query_scalar::<_, i32>("select 1").fetch_one(&mut connection).await.is_ok_and(|n| n == 1)
        }
        Err(_) => false,
    }
}

fn started(embedded: &Embedded) -> bool {
    embedded.notes().iter().any(|note| note.starts_with("started"))
}

/// A folder that the server's user can reach, also when the tests run as root.
fn reachable_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn the_first_starts_it_others_join_it_the_last_stops_it_and_the_rows_stay() {
    let folder = reachable_folder();
    let (a, b) = tokio::join!(Embedded::open(folder.path()), Embedded::open(folder.path()));
    let (first, second) = (a.unwrap(), b.unwrap());
    assert!(started(&first) != started(&second), "two servers, or none");
    let options = second.options().clone();

    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("create table kept as select 7 as seven").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    first.close().await;
    assert!(answers(&options).await, "stopped under a user");
    second.close().await;
    assert!(!answers(&options).await, "still up without users");

    let third = Embedded::open(folder.path()).await.unwrap();
    let mut connection = PgConnection::connect_with(third.options()).await.unwrap();
    let seven: i32 = sqlx::query_scalar("select seven from kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(seven, 7);
}

#[tokio::test]
async fn a_server_whose_users_were_killed_is_joined_and_stopped_by_the_next() {
    let folder = reachable_folder();
    let killed = Embedded::open(folder.path()).await.unwrap();
    let options = killed.options().clone();
    // As after kill -9: the lock is gone and nobody stopped the server.
    drop(killed.users.lock().unwrap().take());
    drop(killed);
    assert!(answers(&options).await);
    let next = Embedded::open(folder.path()).await.unwrap();
    assert!(!started(&next));
    next.close().await;
    assert!(!answers(&options).await);
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket() {
    let folder = reachable_folder();
    let deep = folder.path().join("a".repeat(60)).join("b".repeat(60));
    std::fs::create_dir_all(&deep).unwrap();
    let embedded = Embedded::open(&deep).await.unwrap();
    let socket = embedded.socket_dir().to_owned();
    assert!(socket.as_os_str().len() < 60);
    assert!(answers(embedded.options()).await);
    embedded.close().await;
    std::fs::remove_dir_all(socket).unwrap();
}

#[tokio::test]
async fn a_folder_that_the_servers_user_cannot_reach_is_replaced_and_said() {
    if super::account::own_uid() != 0 {
        return; // whoever is not root runs the server himself and reaches his own folders
    }
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let embedded = Embedded::open(folder.path()).await.unwrap();
    assert!(embedded.notes()[0].contains("cannot reach"), "{:?}", embedded.notes());
    assert!(answers(embedded.options()).await);
    assert!(!folder.path().join("postgres").exists());
    let root = embedded.home.root.clone();
    embedded.close().await;
    std::fs::remove_dir_all(root).unwrap();
}

#[tokio::test]
async fn an_ephemeral_server_leaves_nothing() {
    let server = Ephemeral::start().await.unwrap();
    let options = server.options("forgeos");
    assert!(answers(&options).await);
    assert!(answers(&server.url("forgeos").parse().unwrap()).await, "{}", server.url("forgeos"));
    let folder = server.folder.clone();
    drop(server);
    assert!(!answers(&options).await);
    assert!(!folder.exists());
}
