//! One case: who makes what. Runs it in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::outcome::Outcome;
use crate::{Fallible, child, data};

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/reports/peers.py");

/// Who makes a document.
#[derive(Debug, Clone)]
pub(crate) enum Maker {
    Ours,
    Peer { python: PathBuf, library: &'static str },
}

/// What is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// `pdf`, `xlsx` or `csv`.
    pub(crate) format: &'static str,
    pub(crate) template: &'static str,
    /// How many analyses; more than one make a combined report.
    pub(crate) analyses: usize,
    pub(crate) pictures: bool,
}

/// Who makes what.
pub(crate) struct Case {
    pub(crate) maker: Maker,
    pub(crate) shape: Shape,
}

impl Case {
    /// Makes `documents` in a row in a new process.
    pub(crate) fn run(&self, folder: &Path, documents: usize) -> Fallible<Outcome> {
        let Shape { format, template, analyses, pictures } = self.shape;
        let (list, analyses, documents) =
            (data::list_for(analyses), analyses.to_string(), documents.to_string());
        let pictures = if pictures { "pictures" } else { "plain" };
        let out = folder.join(format!("{self}.{format}").replace([' ', ','], "-"));
        let mut command = match &self.maker {
            Maker::Ours => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args([child::ARGUMENT, format, template]);
                command
            }
            Maker::Peer { python, library } => {
                let mut command = Command::new(python);
                command.args([PEERS, library]);
                command
            }
        };
        command.arg(folder).args([list, &analyses, &documents, pictures]).arg(&out);
        let start = Instant::now();
        let output = command.output()?;
        let process_ms = 1e3 * start.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!("{self}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(Outcome { process_ms, ..serde_json::from_slice(&output.stdout)? })
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shape { format, template, analyses, pictures } = self.shape;
        match &self.maker {
            Maker::Ours if format == "pdf" => write!(f, "{template}, {analyses}")?,
            Maker::Ours => write!(f, "{format}, {analyses}")?,
            Maker::Peer { library, .. } => write!(f, "{library}, {analyses}")?,
        }
        if format == "pdf" && !pictures { write!(f, ", no pictures") } else { Ok(()) }
    }
}
