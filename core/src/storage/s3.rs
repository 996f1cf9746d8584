//! Buckets of an S3 store, Supabase Storage included.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
};
use secrecy::ExposeSecret;

use super::{StorageError, StorageResult, StorageSettings};

/// `storage.access_key_id` of who means the role of the machine.
const INSTANCE_ROLE: &str = "instance-role";

/// Whether a platform has put keys, or the way to them, into the environment.
fn environment_has_keys() -> bool {
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ]
    .iter()
    .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A connection to one bucket.
pub(super) fn open_bucket(settings: &StorageSettings, bucket: &str) -> StorageResult<Arc<AmazonS3>> {
    // Without keys of its own the usual places are asked: environment, web identity, container; the address of an
    // instance's role only when that is meant, because elsewhere somebody else may answer there.
    let mut builder = match settings.access_key_id.as_deref().filter(|id| *id != INSTANCE_ROLE) {
        Some(id) => {
            let secret = settings.secret_access_key.as_ref().ok_or_else(|| {
                StorageError::Settings("`storage.access_key_id` needs `storage.secret_access_key`".into())
            })?;
            let builder =
                AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.expose_secret());
            match &settings.session_token {
                Some(token) => builder.with_token(token.expose_secret()),
                None => builder,
            }
        }
        None if settings.access_key_id.is_none() && !environment_has_keys() => {
            return Err(StorageError::Settings(format!(
                "S3 needs keys: set `storage.access_key_id` and `storage.secret_access_key` (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY); on a machine of AWS whose role is to be used, `storage.access_key_id` is `{INSTANCE_ROLE}`"
            )));
        }
        None => AmazonS3Builder::from_env(),
    };
    builder = builder
        .with_bucket_name(bucket)
        .with_retry(retries())
        // Supabase's store takes no conditional put, and keys that carry the attempt need none.
        .with_conditional_put(S3ConditionalPut::Disabled);
    // Only what was set: a region of the environment stands otherwise.
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    let mut allow_http = false;
    if let Some(endpoint) = &settings.endpoint {
        allow_http = endpoint.starts_with("http://");
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    } else if let Some(endpoint) = builder.get_config_value(&AmazonS3ConfigKey::Endpoint) {
        allow_http = endpoint.starts_with("http://");
    }
    name_the_tls_provider();
    // A whole request may take as long as 50 MB over a slow line do; what hangs is noticed by the read time-out.
    let client = ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_secs(20))
        .with_timeout(Duration::from_secs(180));
    let path_style = settings.path_style.unwrap_or(settings.endpoint.is_some());
    builder
        .with_client_options(client)
        .with_virtual_hosted_style_request(!path_style)
        .build()
        .map_err(|e| StorageError::Settings(e.to_string()))
        .map(Arc::new)
}

/// Whoever was first has named the provider of TLS; there is one in the program.
pub(super) fn name_the_tls_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Faults of the moment are retried here, for a few seconds; a longer outage is the caller's to wait for.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(20),
    }
}
