//! Params of every job type with anything in them: what PostgreSQL takes is answered in one clear line, what it does not
//! take is refused by it, and the worker goes on.

use std::time::{Duration, Instant};

use forgeos_tests::TestWorld;
use forgeos_worker::registry::Registry;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fuzzed,
    words::{assert_clear, assert_explained},
};

/// Good params of each type, to be spoiled.
fn good() -> Vec<(&'static str, Value)> {
    let id = Uuid::from_u128(7);
    vec![
        (
            "batch_analysis",
            json!({"image_ids": [id], "options": {"sensitivity": "low", "include_visualization": true,
                   "profile": "standard", "model_version": "20260101-x"}}),
        ),
        (
            "report_generation",
            json!({"analysis_ids": [id], "template": "standard", "formats": ["pdf", "csv"], "language": "no",
                   "combined": true, "options": {"include_images": true, "include_recommendations": false}}),
        ),
        ("report_generation", json!({"job_id": id, "formats": null})),
        (
            "model_training",
            json!({"data": {"images": [id], "labels": ["good"], "groups": ["a"],
                   "annotations": {"7": [{"x": 1, "y": 2, "width": 3, "height": 4}]}},
                   "notes": "n", "options": {"seed": 1, "test_fraction": 0.2, "folds": 5, "time_limit_seconds": 60}}),
        ),
        ("model_training", json!({"training_session_id": id})),
        (
            "data_export",
            json!({"dataset": "jobs", "formats": ["csv", "jsonl"], "columns": ["id"], "compression": "none",
                   "filters": {"from_date": "-7d", "to_date": "2026-01-01", "status": ["failed"], "job_id": id,
                               "ids": [id]}}),
        ),
    ]
}

/// JSON texts that somebody, or something, might write in the place of a value.
fn hostile() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("\u{0}".to_owned()),
        Just("' or 1=1; drop table jobs; --".to_owned()),
        Just("../../etc/passwd".to_owned()),
        Just("%00%2e%2e".to_owned()),
        Just("\u{202e}\u{feff}\u{1b}[31m\r\n".to_owned()),
        Just("9999-99-99".to_owned()),
        Just("-999999999999999999999d".to_owned()),
        Just("+262143-12-31T23:59:60Z".to_owned()),
        Just("0000-00-00".to_owned()),
        Just("NaN".to_owned()),
        Just("ffffffff-ffff-ffff-ffff-ffffffffffff".to_owned()),
        "\\PC{0,30}",
        "[\\x00-\\x{ff}]{0,10}",
    ];
    let text = words.prop_map(|text| json!(text).to_string());
    let number = prop_oneof![
        Just("1e400".to_owned()),
        Just("-1e400".to_owned()),
        Just("1e-400".to_owned()),
        Just("-0".to_owned()),
        Just("0.0000000001".to_owned()),
        Just("9".repeat(400)),
        Just("18446744073709551616".to_owned()),
        Just("-9223372036854775809".to_owned()),
        Just("4294967296".to_owned()),
        Just("1.5".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
    ];
    let odd = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[[[[[[null]]]]]]".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(r#""\udc00\ud800""#.to_owned()),
        Just(r#""\u0000""#.to_owned()),
        Just(r#"{"a": 1, "a": {"a": [2]}}"#.to_owned()),
        Just(r#"{"\u0000": 1}"#.to_owned()),
        Just(r#"{"": ""}"#.to_owned()),
        Just(format!("{}{}", "[".repeat(200), "]".repeat(200))),
        Just(format!(r#"{}1{}"#, r#"{"a":"#.repeat(200), "}".repeat(200))),
    ];
    let leaf = prop_oneof![3 => text, 3 => number, 4 => odd];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec(inner, 0..4).prop_map(|list| {
                let pairs: Vec<String> =
                    list.iter().enumerate().map(|(n, value)| format!("\"k{n}\":{value}")).collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

/// Where a value stands, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                places(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                places(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Good params in which a value, a place in a list or a key is another.
fn spoiled(good: &Value, hostile: &str, at: usize, way: u8) -> String {
    const MARK: &str = "@here@";
    let mut places_found = Vec::new();
    places(good, "", &mut places_found);
    let place = &places_found[at % places_found.len()];
    let mut params = good.clone();
    let value = params.pointer_mut(place).unwrap();
    match (way % 4, &mut *value) {
        // Instead of it.
        (0 | 1, _) => *value = json!(MARK),
        // Beside it, in a list; an unknown key, in an object.
        (2, Value::Array(list)) => list.push(json!(MARK)),
        (2, Value::Object(map)) => drop(map.insert("colour".to_owned(), json!(MARK))),
        // A key of the caller's own is none of our business.
        (3, Value::Object(map)) => drop(map.insert("_own".to_owned(), json!(MARK))),
        _ => *value = json!([MARK, MARK]),
    }
    params.to_string().replace(&json!(MARK).to_string(), hostile)
}

/// So many params of each kind, always the same ones.
fn spoiled_params(of_each: usize) -> Vec<(&'static str, String)> {
    let mut runner = TestRunner::deterministic();
    let strategy = (hostile(), any::<usize>(), any::<u8>());
    let mut all = Vec::new();
    for (job_type, good) in good() {
        for _ in 0..of_each {
            let (hostile, at, way) = strategy.new_tree(&mut runner).unwrap().current();
            all.push((job_type, spoiled(&good, &hostile, at, way)));
        }
    }
    all
}

/// What is too large to be written out here.
fn giants() -> Vec<String> {
    let nested = |count: usize| format!("{}{}", "[".repeat(count), "]".repeat(count));
    let mut giants = vec![
        json!({"image_ids": "x".repeat(5_000_000)}).to_string(),
        json!({"k".repeat(1_000_000): 1}).to_string(),
        format!("{{\"image_ids\": {}}}", nested(5_000)),
        nested(10_000),
        format!("{{\"notes\": {}}}", "9".repeat(100_000)),
    ];
    let keys: serde_json::Map<String, Value> =
        (0..50_000).map(|n| (format!("key{n}"), Value::Null)).collect();
    giants.push(Value::Object(keys).to_string());
    giants.push(json!({"image_ids": vec![1; 300_000], "dataset": []}).to_string());
    giants
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_params_of_every_job_type_end_with_one_clear_line() {
    let world = TestWorld::new().await;
    let began = Instant::now();
    let mut cases = spoiled_params(40);
    for giant in giants() {
        for job_type in ["batch_analysis", "report_generation", "model_training", "data_export"] {
            cases.push((job_type, giant.clone()));
        }
    }
    let (mut jobs, mut refused) = (Vec::new(), 0);
    for (job_type, params) in cases {
        let inserted: Result<Uuid, sqlx::Error> = sqlx::query_scalar(
            "insert into jobs (job_type, params) values ($1, $2::text::jsonb) returning id",
        )
        .bind(job_type)
        .bind(&params)
        .fetch_one(&world.pool)
        .await;
        let shown: String = format!("{job_type} {params}").chars().take(300).collect();
        match inserted {
            Ok(id) => jobs.push((shown, id)),
            Err(error) => {
                let refusal = error.as_database_error().unwrap_or_else(|| panic!("{shown}: {error:?}"));
                // Not JSON, a NUL, a lone surrogate, a number beyond numeric, too deep, too long a key.
                let code = refusal.code().unwrap_or_default().into_owned();
                assert!(
                    ["22P02", "22P05", "22003", "54001", "54000"].contains(&code.as_str()),
                    "{shown}: {code} {refusal}"
                );
                assert_clear(&shown, refusal.message());
                refused += 1;
            }
        }
    }
    let worker = world.worker().slots("data_export", 8).ready().await;
    for (shown, id) in &jobs {
        let job = world.wait_finished(*id).await;
        assert_explained(shown, &job);
    }
    let ended = world.sql("select status || ' ' || count(*) from jobs group by status order by 1").await;
    println!("{} jobs, {refused} refused, {:?}, {:.1?}", jobs.len(), ended.column(), began.elapsed());
    assert!(jobs.len() > 150 && refused > 10, "{} jobs, {refused} refused", jobs.len());
    assert!(worker.is_alive());
    let good = world.enqueue("noop", &json!({})).await;
    world.wait_for(good, "completed").await;
    worker.stop().await;
}

/// The same without a database: only reading and checking, and so a thousand times as many.
/// `FORGEOS_FUZZ_SECONDS` says how long.
#[test]
fn reading_params_never_panics_and_says_clearly_what_is_wrong() {
    let registry = Registry::product();
    let seconds = std::env::var("FORGEOS_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let mut runner = if seconds.is_some() { TestRunner::default() } else { TestRunner::deterministic() };
    let time = Duration::from_secs(seconds.unwrap_or(2));
    let (good, strategy) = (good(), (hostile(), hostile(), any::<usize>(), any::<u8>(), any::<usize>()));
    let (mut tried, mut taken) = (0_u64, 0_u64);
    let began = Instant::now();
    while began.elapsed() < time {
        let (first, second, at, way, of) = strategy.new_tree(&mut runner).unwrap().current();
        let (job_type, good) = &good[of % good.len()];
        let once = spoiled(good, &first, at, way);
        // A second time, where the first has left something to read.
        let params = match serde_json::from_str::<Value>(&once) {
            Ok(value) if way > 127 => spoiled(&value, &second, of, way / 2),
            _ => once,
        };
        tried += 1;
        taken += u64::from(fuzzed::check(&registry, job_type, &params));
        // As the fuzzer does: a byte for the type, and whatever it makes of the rest.
        let mut bytes = vec![way];
        bytes.extend(params.as_bytes());
        let at = 1 + at % params.len().max(1);
        bytes.splice(at..at, second.bytes());
        fuzzed::params(&registry, &bytes);
    }
    println!("{tried} params, {taken} taken");
    assert!(taken > 0 && taken < tried, "{taken} of {tried} taken");
}
