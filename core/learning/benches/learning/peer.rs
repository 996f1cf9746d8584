//! scikit-learn on the same numbers and the same parts.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::data::Pictured;
use crate::trial::{Round, figures};

const SCRIPT: &str = include_str!("peer.py");

/// Runs the peers; the numbers go through a temporary file.
pub(crate) fn run(python: &str, pictures: &[Pictured], parts: &[Vec<usize>]) -> Vec<(String, Vec<Round>)> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for picture in pictures {
        let numbers: Vec<String> = picture.description.values().iter().map(|v| format!("{v}")).collect();
        writeln!(file, "{} {}", u8::from(picture.label == "defect"), numbers.join(" ")).unwrap();
    }
    let mut found: Vec<(String, Vec<Round>)> = Vec::new();
    for (seed, parts) in parts.iter().enumerate() {
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        let begun = Instant::now();
        let output = Command::new(python)
            .args(["-c", SCRIPT])
            .arg(file.path())
            .args([seed.to_string(), parts.join(",")])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "the peer failed after {:?}", begun.elapsed());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let mut words = line.split(' ');
            let name = format!("scikit-learn {}", words.next().unwrap());
            let mut round = Round { train_s: words.next().unwrap().parse().unwrap(), ..Round::default() };
            let probabilities: Vec<f64> = words.map(|w| w.parse().unwrap()).collect();
            figures(pictures, &probabilities, &mut round);
            match found.iter_mut().find(|(other, _)| *other == name) {
                Some((_, rounds)) => rounds.push(round),
                None => found.push((name, vec![round])),
            }
        }
    }
    found
}
