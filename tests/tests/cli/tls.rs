//! TLS to the database, with rustls, against a server that takes nothing else.
//!
//! The certificates beside this file are valid until 2126 and used nowhere else: `server.crt` for the name `localhost`,
//! signed by `authority.crt`; `other.crt` has signed nothing.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
};

use forgeos_tests::{Process, world::poll};
use forgeos_worker::embedded::Ephemeral;
use sqlx::{Connection, PgConnection};
use tokio::net::{TcpListener, TcpStream};

const AUTHORITY: &str = include_str!("certificates/authority.crt");
const OTHER: &str = include_str!("certificates/other.crt");
const SERVER: &str = include_str!("certificates/server.crt");
const SERVER_KEY: &str = include_str!("certificates/server.key");

/// A server at some port of 127.0.0.1.
async fn server(tls: bool) -> (Ephemeral, u16) {
    // An address of this machine that nothing else is likely to have: the port is always the same.
    let [a, b, ..] = uuid::Uuid::new_v4().into_bytes();
    let address = format!("127.83.{a}.{}", b.max(1));
    let server = Ephemeral::start_listening(&address).await.unwrap();
    let owner = fs::metadata(server.folder()).unwrap();
    let give = |name: &str, text: &str| {
        let path = server.folder().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = (give("server.crt", SERVER), give("server.key", SERVER_KEY));
    let kind = if tls { "hostssl" } else { "host" };
    give("data/pg_hba.conf", &format!("local all all trust\n{kind} all all 127.0.0.0/8 trust\n"));
    let mut connection = PgConnection::connect_with(&server.options("postgres")).await.unwrap();
    let mut settings = vec!["select pg_reload_conf()".to_owned()];
    if tls {
        settings.splice(
            0..0,
            [
                format!("alter system set ssl_cert_file = '{certificate}'"),
                format!("alter system set ssl_key_file = '{key}'"),
                "alter system set ssl = on".to_owned(),
            ],
        );
    }
    for setting in settings {
        sqlx::raw_sql(sqlx::AssertSqlSafe(setting)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let address = address.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect((address, 5432)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (server, port)
}

async fn run(url: &str, command: &[&str]) -> (Option<i32>, String) {
    run_with(url, url, command).await
}

/// The same with another URL for LISTEN and migrations; what was said in both places.
async fn run_with(url: &str, listen_url: &str, command: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let program = Process::bare(folder.path()).env("DATABASE_URL", url).env("RUST_LOG", "warn").args(command);
    let program =
        if listen_url == url { program } else { program.env("FORGEOS__DATABASE__LISTEN_URL", listen_url) };
    let output = program.output().await;
    (output.code, output.stderr + &output.stdout)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_is_encrypted_and_verified_as_the_url_wants() {
    let (server, port) = server(true).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let (authority, other) = (file("authority.crt", AUTHORITY), file("other.crt", OTHER));
    let url = |host: &str, more: &str| format!("postgresql://forgeos@{host}:{port}/forgeos?{more}");
    let verified = url("localhost", &format!("sslmode=verify-full&sslrootcert={authority}"));

    // The server reads its settings a moment after it was told to.
    let wait = || async { run(&verified, &["migrate"]).await };
    poll("a migration over TLS", async || (wait().await.0 == Some(0)).then_some(())).await;
    for passes in [
        verified.clone(),
        url("localhost", "sslmode=require"),
        url("127.0.0.1", "sslmode=require"),
        url("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={authority}")),
    ] {
        let (code, words) = run(&passes, &["jobs", "list"]).await;
        assert_eq!(code, Some(0), "{passes}: {words}");
    }
    for (refused, sentence) in [
        (url("localhost", "sslmode=verify-full"), "sslrootcert=/path/ca.crt"),
        (url("localhost", &format!("sslmode=verify-full&sslrootcert={other}")), "sslrootcert=/path/ca.crt"),
        (url("localhost", &format!("sslmode=verify-ca&sslrootcert={other}")), "sslrootcert=/path/ca.crt"),
        (
            url("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={authority}")),
            "its certificate is for another name",
        ),
        (
            url("localhost", "sslmode=verify-full&sslrootcert=/nowhere/ca.crt"),
            "cannot read `/nowhere/ca.crt`",
        ),
        (url("localhost", "sslmode=disable"), "no encryption"),
    ] {
        for command in [&["jobs", "list"][..], &["run"][..], &["migrate"][..]] {
            let (code, words) = run(&refused, command).await;
            assert_eq!(code, Some(1), "{command:?} {refused}: {words}");
            assert!(words.contains(sentence), "{command:?} {refused}: {words}");
        }
    }
    // The direct connection for LISTEN and migrations is held to its own URL.
    let by_name =
        url("localhost", &format!("sslmode=verify-full&sslrootcert={authority}&application_name=direct"));
    let (code, words) = run_with(&verified, &by_name, &["doctor"]).await;
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("a notification came back"), "{words}");
    for (refused, sentence) in [
        (url("localhost", &format!("sslmode=verify-full&sslrootcert={other}")), "sslrootcert=/path/ca.crt"),
        (url("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={authority}")), "another name"),
    ] {
        let (code, words) = run_with(&verified, &refused, &["migrate"]).await;
        assert_eq!(code, Some(1), "{words}");
        assert!(words.contains(sentence), "{words}");
        // A worker can do without, so it is a warning.
        let (code, words) = run_with(&verified, &refused, &["doctor"]).await;
        assert_eq!(code, Some(0), "{words}");
        assert!(words.contains(sentence) && words.contains("database.listen_url"), "{words}");
    }
    drop(server);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_wanted() {
    let (server, port) = server(false).await;
    let url = format!("postgresql://forgeos@localhost:{port}/forgeos?sslmode=require");
    let (code, words) = run(&url, &["jobs", "list"]).await;
    assert_eq!(code, Some(1));
    assert!(words.contains("it has no TLS"), "{words}");
    drop(server);
}
