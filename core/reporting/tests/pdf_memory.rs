//! What setting a report takes of memory, measured from outside: a process of its own for each report.
#![cfg(target_os = "linux")]
// The child process answers on stdout.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "pdf_support/mod.rs"]
mod support;

use std::process::Command;
use std::sync::Arc;

use forgeos_reporting::model::{Analysis, Defect, Picture, Report, Template};
use support::{analysis, report, setter};

/// Tells the child what to set.
const ORDER: &str = "REPORT_TO_SET";

/// How many analyses, with which template, with how many defects each.
type Order = (usize, Template, usize);

#[test]
fn three_hundred_analyses_with_pictures_stay_within_what_is_reserved_for_them() {
    let order = (300, Template::Standard, 8);
    let (peak, bound) = (peak_of(order), setter().memory_bound(&ordered(order)));
    assert!(peak <= bound, "{} MB, reserved {} MB", peak >> 20, bound >> 20);
    // Set at once they would take 700 MB, and their pixels alone 860 MB.
    assert!(peak < 400 << 20, "{} MB", peak >> 20);
}

#[test]
fn a_report_that_says_all_stays_within_what_is_reserved_for_it() {
    for order in [
        (1, Template::Detailed, 200),
        (20, Template::Detailed, 200),
        (60, Template::Detailed, 200),
        (300, Template::Summary, 8),
    ] {
        let (peak, bound) = (peak_of(order), setter().memory_bound(&ordered(order)));
        assert!(peak <= bound, "{order:?}: {} MB, reserved {} MB", peak >> 20, bound >> 20);
    }
}

/// The child's side; without an order there is nothing to do.
#[test]
fn sets_what_was_ordered() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let (setter, report) = (setter(), ordered(serde_json::from_str(&order).unwrap()));
    let before = status("VmRSS:");
    assert!(setter.pdf(&report).unwrap().pages > 0);
    println!("took {} kB", status("VmHWM:").saturating_sub(before));
}

/// A line of what the kernel says of this process, in kB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Bytes that a process held at most while it set a report, beyond what it held before.
fn peak_of(order: Order) -> u64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sets_what_was_ordered", "--nocapture"])
        .env(ORDER, serde_json::to_string(&order).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let peak = said.lines().find_map(|line| line.split_once("took ")).unwrap_or_else(|| panic!("{said}")).1;
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn ordered((count, template, defects): Order) -> Report {
    let analyses = (0..count).map(|n| Analysis {
        photograph: Some(picture(2 * n)),
        overlay: Some(picture(2 * n + 1)),
        ..with_defects(analysis(n as u32), defects)
    });
    report(template, analyses.collect())
}

fn with_defects(mut analysis: Analysis, count: usize) -> Analysis {
    let classes = ["rust", "crack", "blister", "flake", "streak", "bead"];
    let defects = (0..count as u32).map(|n| Defect {
        class: classes[n as usize % 6].to_owned(),
        x: n * 37 % 700,
        y: n * 53 % 500,
        width: 20 + n % 60,
        height: 20 + n % 40,
        area_percent: 0.4,
        delta_e: 14.5,
    });
    analysis.metrics.defects = Some(defects.collect());
    analysis.metrics.defects_detected = Some(count as u64);
    analysis
}

/// The sample, 800 × 600 pixels, with a comment that makes it another file than all others.
fn picture(number: usize) -> Picture {
    static PANEL: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let drawn = forgeos_samples::variant(1).bytes;
        forgeos_imaging::print::fit(&drawn, &forgeos_imaging::Limits::default(), 800).unwrap().jpeg
    });
    let comment = [&[0xFF, 0xFE, 0, 10][..], &(number as u64).to_be_bytes()].concat();
    let (start, rest) = PANEL.split_at(2);
    Picture { bytes: Arc::from([start, &comment, rest].concat()), extension: "jpg", url: None }
}
