//! `/files/BUCKET/KEY`: files of a local folder for who has a link, see `http.files`.
//!
//! A signature is looked at before anything else, so that nobody without one learns what there is or makes work. Served
//! is what a job wrote whole (a verified row of `artifacts`) and nothing else: no upload, no folder, no list. Other stores
//! hand out their own files.

use std::{ops::Range, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::Utc;
use forgeos_core::{
    db::{Db, artifacts},
    storage::{Bucket, Key, LinkRefusal, Storage, StorageError},
};
use tracing::warn;

use crate::{
    cli::one_line,
    environment::Environment,
    settings::{FileAccess, HttpSettings},
};

/// Connections for looking up files: readers must not take those of jobs.
const CONNECTIONS: u32 = 2;
/// How long they may take to come back at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// What a browser may show by itself; anything else is saved. None of these runs code.
const SHOWN: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "application/pdf"];

/// What is served, and to whom.
#[derive(Debug, Clone)]
pub struct Files {
    storage: Storage,
    db: Db,
    access: FileAccess,
}

/// Why there is no file.
type Refusal = (StatusCode, String);

impl Files {
    /// The files of this process; none where the store hands them out by itself, or the settings say `off`.
    #[must_use]
    pub fn of(environment: &Environment, settings: &HttpSettings) -> Option<Self> {
        if !environment.storage.is_folder() || settings.files == FileAccess::Off {
            return None;
        }
        if let Err(error) = environment.storage.prepare_links() {
            warn!("no link to a file can be signed: {}", one_line(&error.into()));
        }
        let db = environment.database.pool(CONNECTIONS);
        Some(Self { storage: environment.storage.clone(), db, access: settings.files })
    }

    /// Its routes. The library answers HEAD with what GET would say.
    pub(super) fn router(self) -> Router {
        Router::new().route("/files/{bucket}/{*key}", get(file)).with_state(self)
    }

    /// Gives its connections back.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(CLOSE_PATIENCE, self.db.close()).await;
    }

    fn admit(&self, bucket: &str, key: &str, query: Option<&str>) -> Result<(Bucket, Key), Refusal> {
        let named = bucket.parse::<Bucket>().ok().zip(Key::parse(key).ok());
        if self.access == FileAccess::Public {
            return named.ok_or_else(not_found);
        }
        let (mut expires, mut signature) = (String::new(), String::new());
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "expires" => expires = value.into_owned(),
                "signature" => signature = value.into_owned(),
                _ => {}
            }
        }
        let refused = |refusal: LinkRefusal| (StatusCode::FORBIDDEN, refusal.to_string());
        // What is no name has no signature either.
        let (bucket, key) = named.ok_or_else(|| refused(LinkRefusal::Unsigned))?;
        self.storage
            .check_link(bucket, &key, (&expires, &signature), Utc::now())
            .map_err(|error| unavailable(error.into()))?
            .map_err(refused)?;
        Ok((bucket, key))
    }

    async fn answer(&self, bucket: Bucket, key: &Key, asked: &HeaderMap) -> Result<Response, Refusal> {
        let row = artifacts::of_object(&self.db, bucket, key)
            .await
            .map_err(|error| unavailable(error.into()))?
            .ok_or_else(not_found)?;
        let size = match self.storage.head(bucket, key).await {
            Ok(found) => found.size_bytes,
            Err(StorageError::NotFound) => return Err(not_found()),
            Err(error) => return Err(unavailable(error.into())),
        };
        // Not what was checked when it was written.
        if u64::try_from(row.size_bytes) != Ok(size) {
            warn!(%bucket, expected = row.size_bytes, size, "a file has another size than its row says");
            return Err(not_found());
        }
        let tag = row.sha256.map(|sha256| format!("\"{sha256}\""));
        let mime_type = row.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        let mut headers = HeaderMap::new();
        let mut tell = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        tell(header::CONTENT_TYPE, &mime_type);
        tell(header::CONTENT_DISPOSITION, &disposition(&mime_type, key));
        tell(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        tell(header::REFERRER_POLICY, "no-referrer");
        tell(header::CACHE_CONTROL, "private, no-cache");
        tell(header::ACCEPT_RANGES, "bytes");
        if let Some(tag) = &tag {
            tell(header::ETAG, tag);
        }
        let said = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
        if tag.is_some() && said(header::IF_NONE_MATCH) == tag.as_deref() {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        // A part of another version would not fit to what the reader has.
        let fits = said(header::IF_RANGE).is_none_or(|wanted| tag.as_deref() == Some(wanted));
        let part = said(header::RANGE).filter(|_| fits).and_then(|wanted| part(wanted, size));
        let (status, range) = match part {
            None => (StatusCode::OK, 0..size),
            Some(Some(range)) => {
                tell(header::CONTENT_RANGE, &format!("bytes {}-{}/{size}", range.start, range.end - 1));
                (StatusCode::PARTIAL_CONTENT, range)
            }
            Some(None) => {
                tell(header::CONTENT_RANGE, &format!("bytes */{size}"));
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
            }
        };
        tell(header::CONTENT_LENGTH, &(range.end - range.start).to_string());
        let body = match self.storage.get_range(bucket, key, range).await {
            Ok(body) => body,
            Err(StorageError::NotFound) => return Err(not_found()),
            Err(error) => return Err(unavailable(error.into())),
        };
        Ok((status, headers, Body::from_stream(body)).into_response())
    }
}

async fn file(
    State(files): State<Files>,
    Path((bucket, key)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Response {
    let answer = match files.admit(&bucket, &key, query.as_deref()) {
        Ok((bucket, key)) => files.answer(bucket, &key, &asked).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(|(status, words)| (status, format!("{words}\n")).into_response())
}

fn not_found() -> Refusal {
    (StatusCode::NOT_FOUND, "there is no such file".to_owned())
}

/// The reason is the operator's to read.
fn unavailable(error: anyhow::Error) -> Refusal {
    warn!("a file cannot be served now: {}", one_line(&error));
    (StatusCode::SERVICE_UNAVAILABLE, "files cannot be read now; try again later".to_owned())
}

/// Shown or saved, under the last part of the key; what is not plain in it is left out.
fn disposition(mime_type: &str, key: &Key) -> String {
    let plain = mime_type.split(';').next().unwrap_or_default().trim();
    let how = if SHOWN.contains(&plain) { "inline" } else { "attachment" };
    let name: String = key
        .parts()
        .last()
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' })
        .collect();
    format!("{how}; filename=\"{name}\"")
}

/// The one range that a reader asks for: `None` when it asks for nothing that is understood, which means all of it;
/// `Some(None)` when there is nothing there.
fn part(wanted: &str, size: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = wanted.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let range = if first.is_empty() {
        size.saturating_sub(last.parse().ok()?)..size
    } else {
        let end = if last.is_empty() { size } else { last.parse::<u64>().ok()?.saturating_add(1).min(size) };
        first.parse().ok()?..end
    };
    if !first.is_empty() && !last.is_empty() && first.parse::<u64>().ok()? > last.parse::<u64>().ok()? {
        return None;
    }
    Some((range.start < range.end).then_some(range))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_range_is_read_as_the_standard_says() {
        for (wanted, expected) in [
            ("bytes=0-4", Some(Some(0..5))),
            ("bytes=5-", Some(Some(5..10))),
            ("bytes=-3", Some(Some(7..10))),
            ("bytes=-99", Some(Some(0..10))),
            ("bytes=8-99", Some(Some(8..10))),
            ("bytes=9-18446744073709551615", Some(Some(9..10))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-b", None),
            ("pages=0-1", None),
            ("", None),
        ] {
            assert_eq!(part(wanted, 10), expected, "{wanted}");
        }
        assert_eq!(part("bytes=0-", 0), Some(None));
    }

    #[test]
    fn only_pictures_and_documents_are_shown_and_a_name_breaks_out_of_nothing() {
        let key = Key::parse("u/a \"b\"; x=å.pdf").unwrap();
        assert_eq!(disposition("application/pdf", &key), "inline; filename=\"a _b__ x__.pdf\"");
        let key = Key::parse("u/rows.csv").unwrap();
        let mime_type = "text/csv; charset=utf-8; header=present";
        assert_eq!(disposition(mime_type, &key), "attachment; filename=\"rows.csv\"");
        assert!(disposition("text/html", &key).starts_with("attachment"));
        assert!(disposition("image/svg+xml", &key).starts_with("attachment"));
    }
}
