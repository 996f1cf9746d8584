//! The process of one of our own cases: reads the data, makes the documents, tells how it went.

use std::path::Path;
use std::time::Instant;

use forgeos_reporting::model::Report;
use forgeos_reporting::pdf::{Setter, SetterOptions};
use forgeos_reporting::{csv, xlsx};

use crate::outcome::Outcome;
use crate::{Fallible, data};

/// Tells the program that it is such a process.
pub(crate) const ARGUMENT: &str = "--child";

/// `arguments`: format, template, folder, list, how many analyses, how many documents, `pictures` or `plain`, the file
/// for the last.
pub(crate) fn run(arguments: &[String]) -> Fallible<()> {
    let [format, template, folder, list, count, documents, pictures, out] = arguments else {
        return Err("eight arguments".into());
    };
    let mut report = data::report(Path::new(folder), list, count.parse()?, template, pictures == "pictures")?;
    let mut outcome = Outcome::default();
    let (mut begin, mut used) = (Instant::now(), processor_ms());
    let setter = if format == "pdf" { Some(Setter::new(SetterOptions::default())?) } else { None };
    for number in 0..documents.parse::<usize>()? {
        // No two reports of a worker are the same: what the last one left in a cache must not help with the figures.
        for analysis in &mut report.analyses {
            analysis.id = format!("{}-{number}", &analysis.id[..32]);
            analysis.filename = Some(format!("deck-{number:03}.jpg"));
            for (figure, step) in
                [(&mut analysis.metrics.cqi, 0.011), (&mut analysis.metrics.coverage_percent, 0.13)]
            {
                *figure = figure.map(|value| value - step * number as f64);
            }
            for defect in analysis.metrics.defects.iter_mut().flatten() {
                (defect.width, defect.delta_e) = (defect.width + 1, defect.delta_e + 0.3);
            }
        }
        let (bytes, pages) = document(setter.as_ref(), format, &report)?;
        outcome.times_ms.push(1e3 * begin.elapsed().as_secs_f64());
        outcome.processor_ms.push(processor_ms() - used);
        outcome.pages = pages;
        outcome.size_bytes = bytes.len() as u64;
        std::fs::write(out, bytes)?;
        (begin, used) = (Instant::now(), processor_ms());
    }
    outcome.peak_kib = peak_kib();
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

fn document(setter: Option<&Setter>, format: &str, report: &Report) -> Fallible<(Vec<u8>, usize)> {
    match (format, setter) {
        (_, Some(setter)) => {
            let pdf = setter.pdf(report)?;
            Ok((pdf.bytes, pdf.pages))
        }
        ("xlsx", None) => Ok((xlsx::xlsx(report)?, 0)),
        _ => Ok((csv::csv(report), 0)),
    }
}

/// Processor time of all threads so far, in steps of 10 ms.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|v| v.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
