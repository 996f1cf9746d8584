//! `[storage]`: which store, and how to get in.

use secrecy::SecretString;
use serde::Deserialize;

/// `[storage]`. Everything is optional: without any of it, files lie in `{data_dir}/storage`.
///
/// | `url` | store | object `outputs`/`k` lies at |
/// |---|---|---|
/// | none | local folder | `{data_dir}/storage/outputs/k` |
/// | `file:///srv/forgeos` | local folder | `/srv/forgeos/outputs/k` |
/// | `s3://` | S3, five buckets with the contract's names | bucket `outputs`, key `k` |
/// | `s3://my-bucket/prefix` | S3, one bucket for all | bucket `my-bucket`, key `prefix/outputs/k` |
/// | `supabase` | Supabase Storage by its S3 protocol | bucket `outputs`, key `k` |
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSettings {
    /// `file:///path`, `s3://…` or `supabase`.
    pub url: Option<String>,
    /// The S3 endpoint; none: Amazon's for the region. `supabase`: `{SUPABASE_URL}/storage/v1/s3`.
    pub endpoint: Option<String>,
    /// The S3 region; none: `us-east-1`.
    pub region: Option<String>,
    /// S3 access key id; none: what the platform puts into the environment (keys, web identity, container);
    /// `instance-role`: the role of a machine of AWS. `supabase`: the project reference, or an S3 key of the dashboard.
    pub access_key_id: Option<String>,
    /// S3 secret access key. `supabase`: the anon key, or the secret of the dashboard's S3 key.
    pub secret_access_key: Option<SecretString>,
    /// S3 session token. `supabase`: the service key; none with an S3 key of the dashboard.
    pub session_token: Option<SecretString>,
    /// Buckets in the path instead of the host name; none: yes exactly when there is an `endpoint`.
    pub path_style: Option<bool>,
    /// What objects of an S3 store are called to the outside: `{public_url}/{bucket}/{key}`.
    pub public_url: Option<String>,
}

/// The usual `SUPABASE_*` variables.
#[derive(Debug, Clone, Default)]
pub struct SupabaseEnvironment {
    /// `SUPABASE_URL`.
    pub url: Option<String>,
    /// `SUPABASE_PROJECT_REF`; none: the first label of the URL's host.
    pub project_ref: Option<String>,
    /// `SUPABASE_REGION`.
    pub region: Option<String>,
    /// `SUPABASE_ANON_KEY`.
    pub anon_key: Option<SecretString>,
    /// `SUPABASE_SERVICE_KEY` (or `SUPABASE_SERVICE_ROLE_KEY`).
    pub service_key: Option<SecretString>,
}

impl StorageSettings {
    /// For `url = "supabase"`: fills what is not set from the usual variables. Changes nothing for another store.
    #[must_use]
    pub fn with_supabase(mut self, supabase: &SupabaseEnvironment) -> Self {
        if self.url.as_deref() != Some("supabase") {
            return self;
        }
        if self.endpoint.is_none() {
            self.endpoint =
                supabase.url.as_ref().map(|url| format!("{}/storage/v1/s3", url.trim_end_matches('/')));
        }
        self.region = self.region.or_else(|| supabase.region.clone());
        // Either keys of the dashboard, whole, or the project's own; never a mixture.
        if self.access_key_id.is_none() {
            self.access_key_id =
                supabase.project_ref.clone().or_else(|| supabase.url.as_deref().and_then(first_host_label));
            self.secret_access_key = self.secret_access_key.or_else(|| supabase.anon_key.clone());
            self.session_token = self.session_token.or_else(|| supabase.service_key.clone());
        }
        self
    }
}

fn first_host_label(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    url.domain()?.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use secrecy::ExposeSecret;

    use super::*;

    fn environment() -> SupabaseEnvironment {
        SupabaseEnvironment {
            url: Some("https://abcd.supabase.co/".into()),
            region: Some("eu-north-1".into()),
            anon_key: Some("anon".into()),
            service_key: Some("service".into()),
            ..SupabaseEnvironment::default()
        }
    }

    #[test]
    fn supabase_keys_come_from_the_project() {
        let settings = StorageSettings { url: Some("supabase".into()), ..StorageSettings::default() }
            .with_supabase(&environment());
        assert_eq!(settings.endpoint.as_deref(), Some("https://abcd.supabase.co/storage/v1/s3"));
        assert_eq!(settings.access_key_id.as_deref(), Some("abcd"));
        assert_eq!(settings.secret_access_key.unwrap().expose_secret(), "anon");
        assert_eq!(settings.session_token.unwrap().expose_secret(), "service");
    }

    #[test]
    fn keys_of_the_dashboard_take_no_session_token() {
        let settings = StorageSettings {
            url: Some("supabase".into()),
            access_key_id: Some("key".into()),
            secret_access_key: Some("secret".into()),
            ..StorageSettings::default()
        }
        .with_supabase(&environment());
        assert_eq!(settings.access_key_id.as_deref(), Some("key"));
        assert!(settings.session_token.is_none());
    }

    #[test]
    fn another_store_is_left_alone() {
        let settings = StorageSettings::default().with_supabase(&environment());
        assert!(settings.endpoint.is_none() && settings.session_token.is_none());
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings = StorageSettings::default().with_supabase(&SupabaseEnvironment::default());
        let settings = StorageSettings { secret_access_key: Some("hush".into()), ..settings };
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
