//! The worker's HTTP server: for probes, for Prometheus, for whoever looks at the queue with a browser, and for who has a
//! link to a file of a local store. It changes nothing and shows no job.

mod dashboard;
mod files;

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use dashboard::Dashboard;
pub use files::Files;

use crate::{health::Health, metrics, settings::HttpSettings};

/// How many ports after the default one are tried.
const PORTS_TRIED: u16 = 50;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: set `http.listen` to a free address, or to `off`")]
pub struct ListenError {
    /// The address of the settings.
    pub address: SocketAddr,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// A bound server that does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds the address of the settings; `None` when it is `off`. The default address gives way to the next free port,
    /// one that was set must be free.
    pub async fn bind(settings: &HttpSettings) -> Result<Option<Self>, ListenError> {
        let Some(wanted) = settings.listen else { return Ok(None) };
        let tries = if settings.explicit { 1 } else { PORTS_TRIED };
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for offset in 0..tries {
            let Some(port) = wanted.port().checked_add(offset) else { break };
            match TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
                Ok(listener) => {
                    let address =
                        listener.local_addr().map_err(|source| ListenError { address: wanted, source })?;
                    return Ok(Some(Self { listener, address }));
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(source) => return Err(ListenError { address: wanted, source }),
            }
        }
        Err(ListenError { address: wanted, source: last })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`; with `files`, to who wants those, too.
    pub async fn serve(
        self,
        health: Health,
        dashboard: Dashboard,
        files: Option<Files>,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let metrics = metrics::install();
        let upkeep = metrics.clone();
        let upkeep = tokio::spawn(async move {
            // Histograms keep raw values until somebody asks; without a scraper they would grow.
            let mut pace = tokio::time::interval(Duration::from_secs(5));
            while let Some(metrics) = &upkeep {
                pace.tick().await;
                metrics.run_upkeep();
            }
        });
        let served = axum::serve(self.listener, router(Shared { health, dashboard, metrics }, files))
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        upkeep.abort();
        served
    }
}

#[derive(Clone)]
struct Shared {
    health: Health,
    dashboard: Dashboard,
    metrics: Option<PrometheusHandle>,
}

fn router(shared: Shared, files: Option<Files>) -> Router {
    let router = Router::new()
        .route("/", get(index))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(prometheus))
        .with_state(shared);
    match files {
        Some(files) => router.merge(files.router()),
        None => router,
    }
}

/// The dashboard for browsers, a few words for the rest.
async fn index(State(shared): State<Shared>, asked: HeaderMap) -> Response {
    let accepted = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        let page = shared.dashboard.page(&shared.health).await;
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            ),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        return (headers, page).into_response();
    }
    format!(
        "ForgeOS Worker {}\njobs under way: {}\nwake-up: {}\n\n/         the dashboard, in a browser\n\
         /healthz  the process is alive\n/readyz   it takes jobs\n/metrics  for Prometheus\n",
        env!("CARGO_PKG_VERSION"),
        shared.health.running(),
        shared.health.wakeup_mode(),
    )
    .into_response()
}

/// An answer at all proves that the runtime turns; the heartbeat has a thread of its own and is asked for.
async fn healthz(State(shared): State<Shared>) -> (StatusCode, String) {
    verdict(shared.health.alive(), "ok")
}

async fn readyz(State(shared): State<Shared>) -> (StatusCode, String) {
    verdict(shared.health.ready(), "ready")
}

fn verdict(health: Result<(), String>, good: &str) -> (StatusCode, String) {
    match health {
        Ok(()) => (StatusCode::OK, format!("{good}\n")),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn prometheus(State(shared): State<Shared>) -> impl IntoResponse {
    let text = shared.metrics.map(|metrics| metrics.render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::settings::FileAccess;

    fn settings(address: SocketAddr, explicit: bool) -> HttpSettings {
        HttpSettings { listen: Some(address), explicit, public_url: None, files: FileAccess::Signed }
    }

    #[tokio::test]
    async fn the_default_port_gives_way_and_a_chosen_one_does_not() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = Server::bind(&settings(address, true)).await.unwrap_err();
        assert!(error.to_string().contains("http.listen"));
        if let Ok(Some(server)) = Server::bind(&settings(address, false)).await {
            assert!(server.address().port() > address.port());
        }
        let off = HttpSettings { listen: None, ..settings(address, true) };
        assert!(Server::bind(&off).await.unwrap().is_none());
    }
}
