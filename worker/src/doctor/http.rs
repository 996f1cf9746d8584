//! The worker's own HTTP server: whether its address can be had, and whether links into it lead anywhere.

use std::io;

use super::Finding;
use crate::{
    http::Server,
    settings::{FileAccess, Settings},
};

pub(super) async fn examine(settings: &Settings, findings: &mut Vec<Finding>) {
    let http = &settings.http;
    findings.push(match (Server::bind(http).await, http.listen) {
        (Ok(Some(server)), Some(wanted)) if server.address() != wanted && wanted.port() != 0 => {
            let address = server.address();
            Finding::ok("http", format!("{wanted} is taken; a worker that starts now takes {address}"))
        }
        (Ok(Some(_)), Some(wanted)) => Finding::ok("http", format!("{wanted} is free")),
        (Ok(_), _) => Finding::ok("http", "off: no health checks and no metrics"),
        (Err(error), _) if error.source.kind() == io::ErrorKind::AddrInUse => {
            let mend = "if a worker of yours runs there, all is well; else set http.listen to a free address, or to `off`";
            Finding::warn("http", format!("{} is taken", error.address), mend)
        }
        (Err(error), _) => {
            let mend = "set http.listen to an address of this machine, with a port that this user may take, or to `off`";
            Finding::fail("http", format!("cannot listen on {}: {}", error.address, error.source), mend)
        }
    });
    let in_folder =
        settings.storage.url.as_deref().is_none_or(|url| url.is_empty() || url.starts_with("file:"));
    if in_folder && http.public_url.is_some() && http.listen.is_none() && http.files != FileAccess::Off {
        let found = "links to files start with http.public_url, but the server that would serve them is off";
        let mend = "set http.listen, or http.files to `off` if another server serves the folder at /files";
        findings.push(Finding::warn("links", found, mend));
    }
}
