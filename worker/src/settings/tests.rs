#![allow(clippy::unwrap_used)]
use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::{keys::KEYS, layers::SettingsSources, *};

fn with_environment(pairs: &[(&str, &str)]) -> SettingsSources {
    SettingsSources {
        environment: pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        ..SettingsSources::default()
    }
}

fn error_of(sources: SettingsSources) -> String {
    Settings::load(sources).unwrap_err().to_string()
}

#[test]
fn the_defaults_stand_alone() {
    let settings = Settings::load(SettingsSources::default()).unwrap();
    assert!(settings.data_dir.is_absolute() && settings.data_dir.ends_with(".forgeos"));
    assert_eq!(settings.worker.lease_seconds, 30);
    assert_eq!(settings.worker.shutdown_grace_seconds, 20);
    assert_eq!(settings.worker.poll_interval_ms, 1000);
    assert!(settings.worker.memory_budget_mb >= 64);
    assert_eq!(settings.http.listen.unwrap().to_string(), "127.0.0.1:9464");
    assert!(!settings.http.explicit && !settings.production);
    assert!(settings.database.url.is_none() && settings.storage.url.is_none());
}

#[test]
fn the_defaults_name_every_key() {
    let text = include_str!("../../../config/default.toml");
    for (key, _) in KEYS.iter().filter(|(key, _)| !key.ends_with('*')) {
        let name = key.rsplit('.').next().unwrap();
        assert!(
            text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = "))),
            "config/default.toml does not show `{key}`"
        );
    }
}

#[test]
fn each_layer_is_stronger_than_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("staging.toml"), "[worker]\nlease_seconds = 11\npoll_interval_ms = 11")
        .unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[worker]\nlease_seconds = 12\nshutdown_grace_seconds = 12\n").unwrap();
    let mut sources = with_environment(&[
        ("FORGEOS_ENV", "staging"),
        ("FORGEOS__WORKER__LEASE_SECONDS", "13"),
        ("FORGEOS__WORKER__SLOTS__BATCH_ANALYSIS", "4"),
    ]);
    sources.config_dir = Some(folder.path().to_owned());
    sources.config_file = Some(file);
    let settings = Settings::load(sources.clone()).unwrap();
    assert_eq!(settings.worker.poll_interval_ms, 11);
    assert_eq!(settings.worker.shutdown_grace_seconds, 12);
    assert_eq!(settings.worker.lease_seconds, 13);
    assert_eq!(settings.worker.slots["batch_analysis"], 4);
    sources.flags = vec![("--set".to_owned(), "worker.lease_seconds".to_owned(), "14".to_owned())];
    assert_eq!(Settings::load(sources).unwrap().worker.lease_seconds, 14);
}

#[test]
fn a_variable_of_ours_is_stronger_than_the_usual_one() {
    let settings = Settings::load(with_environment(&[
        ("FORGEOS__DATABASE__URL", "postgresql://u:p@ours/db"),
        ("DATABASE_URL", "postgresql://u:p@usual/db"),
    ]))
    .unwrap();
    assert!(settings.database.url.unwrap().expose_secret().contains("ours"));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_is_allowed() {
    let error = error_of(with_environment(&[("FORGEOS__WORKER__LEASE_SECOND", "5")]));
    assert!(
        error.contains("`worker.lease_second`")
            && error.contains("FORGEOS__WORKER__LEASE_SECOND")
            && error.contains("lease_seconds"),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[wroker]\nlease_seconds = 1").unwrap();
    let error = error_of(SettingsSources { config_file: Some(file), ..SettingsSources::default() });
    assert!(error.contains("`wroker`") && error.contains("mine.toml") && error.contains("worker"), "{error}");
}

#[test]
fn a_bad_value_is_named_without_being_shown() {
    let error = error_of(with_environment(&[("FORGEOS__WORKER__LEASE_SECONDS", "hush")]));
    assert!(error.contains("a whole number from 2 to 3600") && !error.contains("hush"), "{error}");
    let error = error_of(with_environment(&[("FORGEOS__DATABASE__POOLER", "hush")]));
    assert!(error.contains("auto, none, transaction") && !error.contains("hush"), "{error}");
    let error = error_of(with_environment(&[("DATABASE_URL", "mysql://u:hush@host/db")]));
    assert!(error.contains("DATABASE_URL") && !error.contains("hush"), "{error}");
    let error = error_of(with_environment(&[("FORGEOS__HTTP__LISTEN", "nowhere")]));
    assert!(error.contains("http.listen") && error.contains("off"), "{error}");
}

#[test]
fn a_misspelt_environment_is_not_taken_for_development() {
    let error = error_of(with_environment(&[("FORGEOS_ENV", "prodution")]));
    assert!(error.contains("`prodution`"), "{error}");
    assert!(Settings::load(with_environment(&[("FORGEOS_ENV", "production")])).unwrap().production);
}

#[test]
fn a_file_that_is_not_toml_is_named_with_its_line_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[database]\nurl = \"postgresql://u:hush").unwrap();
    let error = error_of(SettingsSources { config_file: Some(file), ..SettingsSources::default() });
    assert!(error.contains("line 2") && !error.contains("hush"), "{error}");
    let missing = SettingsSources { config_file: Some(PathBuf::from("/no/such.toml")), ..Default::default() };
    assert!(error_of(missing).contains("/no/such.toml"));
}

#[test]
fn secrets_are_never_printed() {
    let settings = Settings::load(with_environment(&[
        ("DATABASE_URL", "postgresql://me:hush@host:5432/db?password=hush"),
        ("FORGEOS__STORAGE__SECRET_ACCESS_KEY", "hush"),
        ("FORGEOS__STORAGE__SESSION_TOKEN", "hush"),
        ("SUPABASE_SERVICE_KEY", "hush"),
        ("FORGEOS__STORAGE__URL", "supabase"),
    ]))
    .unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
    assert_eq!(shown_url(&settings.database.url.unwrap()), "postgresql://me:***@host:5432/db");
}

#[test]
fn with_all_that_supabase_gives_its_storage_is_used_unless_another_store_is_named() {
    let url = |variables: &[(&str, &str)]| Settings::load(with_environment(variables)).unwrap().storage.url;
    let all = [
        ("SUPABASE_URL", "https://ref.supabase.co"),
        ("SUPABASE_ANON_KEY", "a"),
        ("SUPABASE_SERVICE_KEY", "s"),
    ];
    assert_eq!(url(&all).as_deref(), Some("supabase"));
    for missing in 0..all.len() {
        let some: Vec<_> =
            all.into_iter().enumerate().filter(|(n, _)| *n != missing).map(|(_, v)| v).collect();
        assert_eq!(url(&some), None, "{some:?}");
    }
    let named: Vec<_> = all.into_iter().chain([("FORGEOS__STORAGE__URL", "file:///srv/forgeos")]).collect();
    assert_eq!(url(&named).as_deref(), Some("file:///srv/forgeos"));
}

#[test]
fn the_shells_aws_keys_count_for_s3_only() {
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-north-1")];
    let settings = Settings::load(with_environment(&keys)).unwrap();
    assert!(settings.storage.access_key_id.is_none());
    let with_store: Vec<_> = keys.into_iter().chain([("FORGEOS__STORAGE__URL", "s3://pictures")]).collect();
    let settings = Settings::load(with_environment(&with_store)).unwrap();
    assert_eq!(settings.storage.access_key_id.as_deref(), Some("id"));
    assert_eq!(settings.storage.region.as_deref(), Some("eu-north-1"));
}

#[test]
fn an_address_that_was_set_is_told_apart_from_the_default() {
    let settings = Settings::load(with_environment(&[("FORGEOS__HTTP__LISTEN", "127.0.0.1:9464")])).unwrap();
    assert!(settings.http.explicit);
    let settings = Settings::load(with_environment(&[("FORGEOS__HTTP__LISTEN", "off")])).unwrap();
    assert!(settings.http.listen.is_none());
}

#[test]
fn a_folder_of_templates_that_is_not_there_is_named_by_its_key() {
    for key in ["TEMPLATES_DIR", "RULES_FILE", "FONTS_DIR"] {
        let variable = format!("FORGEOS__REPORTING__{key}");
        let error = error_of(with_environment(&[(&variable, "/nowhere/at/all")]));
        let named = format!("setting `reporting.{}`", key.to_lowercase());
        assert!(error.contains(&named) && error.contains(&variable), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let settings = Settings::load(with_environment(&[("FORGEOS__REPORTING__TEMPLATES_DIR", path)])).unwrap();
    assert_eq!(settings.reporting.templates_dir.as_deref(), Some(folder.path()));
}
