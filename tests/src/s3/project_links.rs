//! Signed links as Supabase's storage server makes them: `POST /storage/v1/object/sign/BUCKET/KEY` with the service key,
//! and what it answers is read without any.

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{Shared, requests::percent_decoded};

const PLACE: &str = "/storage/v1/object/sign/";

/// The answer, when this is what was asked for.
pub(super) fn answer(
    shared: &Shared,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Response> {
    let service_key = shared.gate.session_token?;
    let path = uri.path().strip_prefix(PLACE)?;
    let object = shared.store().object(&percent_decoded(path)).cloned();
    // As the real one says it: 400, with the code that is meant in the body.
    let not_found = || refusal("404", "not_found");
    if method == Method::POST {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if bearer != Some(format!("Bearer {service_key}").as_str()) {
            return Some(refusal("403", "Unauthorized"));
        }
        let wanted: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let Some(seconds) = wanted.and_then(|wanted| wanted["expiresIn"].as_u64()) else {
            return Some(refusal("400", "InvalidRequest"));
        };
        return Some(match object {
            None => not_found(),
            Some(_) => {
                let link = format!("/object/sign/{path}?token={}", token(path, seconds, service_key));
                axum::Json(serde_json::json!({ "signedURL": link })).into_response()
            }
        });
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let given = query.into_owned().find(|(name, _)| name == "token").map(|(_, value)| value)?;
    let seconds = given.split_once('.').and_then(|(seconds, _)| seconds.parse().ok()).unwrap_or(0);
    Some(match object {
        _ if given != token(path, seconds, service_key) => refusal("400", "InvalidJWT"),
        None => not_found(),
        Some(object) => ([(header::CONTENT_TYPE, object.mime_type)], object.bytes).into_response(),
    })
}

fn token(path: &str, seconds: u64, service_key: &str) -> String {
    format!("{seconds}.{}", hex::encode(Sha256::digest(format!("{path} {seconds} {service_key}"))))
}

fn refusal(code: &str, word: &str) -> Response {
    let body = serde_json::json!({"statusCode": code, "error": word, "message": word});
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}
