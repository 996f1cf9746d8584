//! From requests to the store and back: the words of the protocol, path style.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

use super::{
    Shared, Trouble, project_links, signature,
    store::{Fault, Object},
};

/// The buckets that there are: those of the worker, and one for a deployment that has but one.
const BUCKETS: [&str; 6] = ["images", "outputs", "reports", "models", "exports", "everything"];
/// When everything was written: nobody asks.
const MODIFIED: &str = "2026-01-01T00:00:00.000Z";
const MODIFIED_HTTP: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(answer) = project_links::answer(&shared, &method, &uri, &headers, &body) {
        return answer;
    }
    if let Err(fault) = signature::check(&shared.gate, &method, &uri, &headers, &body) {
        return refusal(fault);
    }
    let Some(path) = uri.path().strip_prefix(shared.gate.root) else { return refusal("NoSuchBucket") };
    let path = percent_decoded(path);
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if !BUCKETS.contains(&bucket) {
        return refusal("NoSuchBucket");
    }
    let query: HashMap<_, _> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if method == Method::PUT && query.contains_key("partNumber") {
        let mut parts_wait = shared.parts_wait.subscribe();
        if parts_wait.wait_for(|held| !held).await.is_err() {
            return refusal("ServiceUnavailable");
        }
    }
    match shared.trouble() {
        Trouble::Failing => return refusal("InternalError"),
        Trouble::Full if method == Method::PUT || method == Method::POST => {
            return refusal("XMinioStorageFull");
        }
        Trouble::Slow(pause) => tokio::time::sleep(pause).await,
        _ => {}
    }
    let request =
        Request { shared: &shared, bucket, key, name: &path, query: &query, headers: &headers, body };
    let answer = request.answer(&method).unwrap_or_else(refusal);
    match shared.trouble() {
        Trouble::Truncated if method == Method::GET && !key.is_empty() => cut_short(answer).await,
        _ => answer,
    }
}

/// Half of a body under the length of the whole, and then the connection breaks.
async fn cut_short(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else { return refusal("InternalError") };
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = Ok(bytes.slice(..bytes.len() / 2));
    let broken = Err(std::io::Error::other("cut short"));
    Response::from_parts(parts, Body::from_stream(futures::stream::iter([half, broken])))
}

struct Request<'a> {
    shared: &'a Shared,
    bucket: &'a str,
    key: &'a str,
    /// Both of them.
    name: &'a str,
    query: &'a HashMap<String, String>,
    headers: &'a HeaderMap,
    body: Bytes,
}

impl Request<'_> {
    fn answer(self, method: &Method) -> Result<Response, Fault> {
        let mut store = self.shared.store();
        let asked = |name: &str| self.query.get(name).map(String::as_str);
        let (name, upload) = (self.name, asked("uploadId"));
        Ok(match (method.as_str(), self.key.is_empty()) {
            ("GET", true) => self.list(store.names().filter_map(|name| Some((name, store.object(name)?)))),
            ("POST", true) if asked("delete").is_some() => {
                let keys: Vec<String> = texts(&self.body, "Key");
                for key in &keys {
                    store.delete(&format!("{}/{key}", self.bucket));
                }
                let deleted = keys.iter().map(|key| format!("<Deleted><Key>{}</Key></Deleted>", xml(key)));
                document("DeleteResult", &deleted.collect::<String>())
            }
            ("POST", false) if asked("uploads").is_some() => {
                let id = store.begin(name, self.mime_type());
                document(
                    "InitiateMultipartUploadResult",
                    &format!(
                        "<Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>",
                        self.bucket,
                        xml(self.key)
                    ),
                )
            }
            ("POST", false) => {
                let numbers = texts(&self.body, "PartNumber");
                let parts: Option<Vec<_>> = numbers
                    .iter()
                    .map(|number| number.parse().ok())
                    .zip(texts(&self.body, "ETag"))
                    .map(|(number, tag)| Some((number?, tag)))
                    .collect();
                let parts = parts.ok_or("MalformedXML")?;
                let tag = store.complete(name, upload.ok_or("InvalidRequest")?, &parts)?;
                document("CompleteMultipartUploadResult", &format!("<ETag>{}</ETag>", xml(&tag)))
            }
            ("PUT", false) => {
                let tag = match (upload, asked("partNumber")) {
                    (Some(upload), Some(number)) => store.put_part(
                        name,
                        upload,
                        number.parse().map_err(|_| "InvalidArgument")?,
                        self.body,
                    )?,
                    _ => store.put(name, self.body.clone(), self.mime_type(), 0),
                };
                [(header::ETAG, tag)].into_response()
            }
            ("DELETE", false) => {
                match upload {
                    Some(upload) => store.abort(name, upload)?,
                    None => store.delete(name),
                }
                StatusCode::NO_CONTENT.into_response()
            }
            ("GET" | "HEAD", false) => {
                // The answer to a HEAD has the length and not the bytes: the server sees to it.
                let object = store.object(name).ok_or("NoSuchKey")?;
                let headers = [
                    (header::ETAG, object.tag.as_str()),
                    (header::CONTENT_TYPE, &object.mime_type),
                    (header::LAST_MODIFIED, MODIFIED_HTTP),
                ];
                match self.range(object.bytes.len())? {
                    None => (headers, object.bytes.clone()).into_response(),
                    Some((start, end)) => {
                        let place = format!("bytes {start}-{}/{}", end - 1, object.bytes.len());
                        let part = object.bytes.slice(start..end);
                        (StatusCode::PARTIAL_CONTENT, headers, [(header::CONTENT_RANGE, place)], part)
                            .into_response()
                    }
                }
            }
            _ => return Err("MethodNotAllowed"),
        })
    }

    /// `bytes=FIRST-LAST`, as the bytes from the one and before the other.
    fn range(&self, size: usize) -> Result<Option<(usize, usize)>, Fault> {
        let Some(text) = self.headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
            return Ok(None);
        };
        let ends = text.strip_prefix("bytes=").and_then(|text| text.split_once('-'));
        let (first, last) = ends.ok_or("InvalidArgument")?;
        let first = first.parse::<usize>().map_err(|_| "InvalidArgument")?;
        let last = last.parse::<usize>().unwrap_or(size);
        if first < size && first <= last {
            Ok(Some((first, size.min(last + 1))))
        } else {
            Err("InvalidRange")
        }
    }

    fn mime_type(&self) -> String {
        let mime_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        mime_type.unwrap_or("binary/octet-stream").to_owned()
    }

    /// All on one page.
    fn list<'o>(&self, objects: impl Iterator<Item = (&'o str, &'o Object)>) -> Response {
        let prefix = format!("{}/{}", self.bucket, self.query.get("prefix").map_or("", String::as_str));
        let listed = objects.filter(|(name, _)| name.starts_with(&prefix)).map(|(name, object)| {
            format!(
                "<Contents><Key>{}</Key><Size>{}</Size><LastModified>{MODIFIED}</LastModified><ETag>{}</ETag></Contents>",
                xml(&name[self.bucket.len() + 1..]),
                object.bytes.len(),
                xml(&object.tag)
            )
        });
        document(
            "ListBucketResult",
            &format!("<IsTruncated>false</IsTruncated>{}", listed.collect::<String>()),
        )
    }
}

fn document(name: &str, inside: &str) -> Response {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}>{inside}</{name}>");
    ([(header::CONTENT_TYPE, "application/xml")], text).into_response()
}

fn refusal(fault: Fault) -> Response {
    let status = match fault {
        "NoSuchKey" | "NoSuchBucket" | "NoSuchUpload" => StatusCode::NOT_FOUND,
        "InternalError" => StatusCode::INTERNAL_SERVER_ERROR,
        "XMinioStorageFull" => StatusCode::INSUFFICIENT_STORAGE,
        "SlowDown" | "ServiceUnavailable" => StatusCode::SERVICE_UNAVAILABLE,
        "MethodNotAllowed" => StatusCode::METHOD_NOT_ALLOWED,
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    (status, document("Error", &format!("<Code>{fault}</Code><Message>{fault}</Message>"))).into_response()
}

/// What stands in each element of that name; enough for the flat documents of clients.
fn texts(document: &[u8], element: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(document);
    let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
    let inside = text.split(&begin).skip(1).filter_map(|rest| rest.split_once(&end));
    let plain = inside.map(|(inside, _)| {
        inside
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&")
    });
    plain.collect()
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn percent_decoded(path: &str) -> String {
    // A plus in a path is a plus.
    let pair = format!("x={}", path.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
