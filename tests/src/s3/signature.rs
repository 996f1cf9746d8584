//! AWS Signature Version 4 of requests, in the `Authorization` header or in the link itself: whether it is the one that
//! this request must have.

use axum::http::{HeaderMap, Method, Uri};
use chrono::{NaiveDateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{Gate, REGION};

/// Checks a whole request; `Err` is what S3 calls the fault.
pub(super) fn check(
    gate: &Gate,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = |name: &str| {
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let authorization = header("authorization");
    let part = |name: &str| {
        let parts = authorization.as_deref()?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    // A signed link is read without any header.
    let in_link = query("X-Amz-Signature").is_some();
    let found = if in_link {
        (query("X-Amz-Credential"), query("X-Amz-SignedHeaders"), query("X-Amz-Signature"))
    } else {
        (part("Credential"), part("SignedHeaders"), part("Signature"))
    };
    let (Some(credential), Some(signed), Some(signature)) = found else { return Err("AccessDenied") };
    let (key, scope) = credential.split_once('/').ok_or("AuthorizationHeaderMalformed")?;
    if key != gate.access_key_id {
        return Err("InvalidAccessKeyId");
    }
    // Signed with the rest of the request, or it is not of this request.
    let (token, covered) = if in_link {
        (query("X-Amz-Security-Token"), true)
    } else {
        (header("x-amz-security-token"), signed.split(';').any(|name| name == "x-amz-security-token"))
    };
    if gate.session_token != token.as_deref() || (token.is_some() && !covered) {
        return Err("InvalidToken");
    }
    let (time, digest) = if in_link {
        (query("X-Amz-Date"), Some("UNSIGNED-PAYLOAD".to_owned()))
    } else {
        (header("x-amz-date"), header("x-amz-content-sha256"))
    };
    let time = time.ok_or("AccessDenied")?;
    let day = time.get(..8).ok_or("AccessDenied")?;
    if scope != format!("{day}/{REGION}/s3/aws4_request") {
        return Err("AuthorizationHeaderMalformed");
    }
    if in_link && expired(&time, query("X-Amz-Expires").as_deref()) {
        return Err("AccessDenied");
    }
    let digest = digest.ok_or("InvalidRequest")?;
    if digest != "UNSIGNED-PAYLOAD" && digest != hex::encode(Sha256::digest(body)) {
        return Err("XAmzContentSHA256Mismatch");
    }

    let mut lines = String::new();
    for name in signed.split(';') {
        let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        lines.push_str(&format!(
            "{name}:{}\n",
            values.join(",").split_whitespace().collect::<Vec<_>>().join(" ")
        ));
    }
    let request = format!("{method}\n{}\n{}\n{lines}\n{signed}\n{digest}", uri.path(), canonical_query(uri));
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex::encode(Sha256::digest(request.as_bytes())));
    let secret = format!("AWS4{}", gate.secret_access_key);
    let key = scope.split('/').fold(secret.into_bytes(), |key, word| hmac(&key, word.as_bytes()).to_vec());
    if hex::encode(hmac(&key, to_sign.as_bytes())) == signature {
        Ok(())
    } else {
        Err("SignatureDoesNotMatch")
    }
}

/// Whether a link of this time is past its seconds, or says neither.
fn expired(time: &str, seconds: Option<&str>) -> bool {
    let signed_at = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc());
    let seconds = seconds.and_then(|seconds| seconds.parse::<i64>().ok());
    match (signed_at, seconds) {
        (Some(signed_at), Some(seconds)) => Utc::now() >= signed_at + TimeDelta::seconds(seconds),
        _ => true,
    }
}

/// Without the signature itself; sorted by their names as they are escaped, everything but letters, digits and `-_.~` escaped.
fn canonical_query(uri: &Uri) -> String {
    let escaped = |text: &str| {
        text.bytes().fold(String::new(), |out, byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out + char::from(byte).encode_utf8(&mut [0; 4])
            }
            _ => out + &format!("%{byte:02X}"),
        })
    };
    let mut pairs: Vec<_> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (escaped(&name), escaped(&value)))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// RFC 2104 with SHA-256, whose blocks have 64 bytes.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}
