//! Links into Supabase Storage, signed by its own interface.
//!
//! What S3's protocol signs carries the session token, and that is the project's service key: whoever got such a link
//! would have all of the project's data. So a link is asked for where Supabase's own clients ask, and the key stays in a
//! header of that request.

use std::{fmt, time::Duration};

use reqwest::{
    Client, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Bucket, CREDENTIALS_REFUSED, Key, StorageError, StorageResult, StorageSettings, join_url, s3};

/// Says what is missing before a store answers with riddles.
pub(super) fn check_keys(settings: &StorageSettings) -> StorageResult<()> {
    let dashboard =
        "make S3 keys in the dashboard and set `storage.access_key_id` and `storage.secret_access_key`";
    let complain = |words: String| Err(StorageError::Settings(words));
    let Some(secret) = &settings.secret_access_key else {
        return complain(format!(
            "Supabase Storage needs `SUPABASE_ANON_KEY` and `SUPABASE_SERVICE_KEY`; or {dashboard}"
        ));
    };
    if settings.access_key_id.is_none() {
        return complain("Supabase Storage needs the project's reference: `SUPABASE_URL` has none in its host name, set `SUPABASE_PROJECT_REF`".into());
    }
    let Some(token) = &settings.session_token else { return Ok(()) };
    for (name, key) in [("SUPABASE_ANON_KEY", secret), ("SUPABASE_SERVICE_KEY", token)] {
        let parts = key.expose_secret().split('.').filter(|part| !part.is_empty()).count();
        if parts != 3 {
            return complain(format!(
                "`{name}` is no JWT, and such keys do not open Supabase's S3 protocol: {dashboard}"
            ));
        }
    }
    Ok(())
}

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to signed links of a project.
pub(super) struct SupabaseLinks {
    /// `https://…/storage/v1`.
    base: String,
    service_key: SecretString,
    client: Client,
}

impl fmt::Debug for SupabaseLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupabaseLinks").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What Supabase answers; the path is below the base.
#[derive(Deserialize)]
struct Signed {
    #[serde(rename = "signedURL")]
    path: String,
}

impl SupabaseLinks {
    pub(super) fn new(base: &str, service_key: SecretString) -> StorageResult<Self> {
        s3::name_the_tls_provider();
        let client = Client::builder().timeout(PATIENCE).connect_timeout(Duration::from_secs(5)).build();
        let client = client.map_err(|error| StorageError::Settings(error.to_string()))?;
        Ok(Self { base: base.to_owned(), service_key, client })
    }

    /// A link that is good for so many seconds.
    pub(super) async fn sign(&self, bucket: Bucket, key: &Key, valid_for: Duration) -> StorageResult<String> {
        let secret = |text: String| {
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| StorageError::Settings("the service key is no key".to_owned()))?;
            // Shown nowhere, whatever is logged.
            value.set_sensitive(true);
            Ok::<_, StorageError>(value)
        };
        let service_key = self.service_key.expose_secret();
        let asked = self
            .client
            .post(join_url(&format!("{}/object/sign", self.base), bucket, key))
            .header(AUTHORIZATION, secret(format!("Bearer {service_key}"))?)
            .header("apikey", secret(service_key.to_owned())?)
            .header(CONTENT_TYPE, "application/json")
            .body(format!(r#"{{"expiresIn":{}}}"#, valid_for.as_secs()))
            .send()
            .await
            .map_err(|error| StorageError::Unavailable(error.without_url().into()))?;
        let status = asked.status();
        let body =
            asked.bytes().await.map_err(|error| StorageError::Unavailable(error.without_url().into()))?;
        if status.is_success() {
            let signed: Signed =
                serde_json::from_slice(&body).map_err(|error| StorageError::Unavailable(error.into()))?;
            return Ok(format!("{}/{}", self.base, signed.path.trim_start_matches('/')));
        }
        let words = format!("{status}: {}", String::from_utf8_lossy(&body[..body.len().min(200)]));
        Err(match status {
            // It says 400 of an object that is not there, with the real code in the body.
            StatusCode::NOT_FOUND => StorageError::NotFound,
            StatusCode::BAD_REQUEST if words.contains("not_found") || words.contains("\"404\"") => {
                StorageError::NotFound
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                StorageError::Refused { reason: CREDENTIALS_REFUSED, source: words.into() }
            }
            _ => StorageError::Unavailable(words.into()),
        })
    }
}
