//! Drawings of the curves, as SVG: the same figures give the same bytes.

mod canvas;

use canvas::Canvas;

use crate::evaluation::curves::{precision_recall, receiver, reliability};
use crate::evaluation::figures::Judged;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// A word for it, fit for a file name: `roc_curve`, `precision_recall_curve`, `reliability`.
    pub name: &'static str,
    /// The file's extension.
    pub extension: &'static str,
    /// The file's media type.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Curves of one label are drawn for two labels, of every label otherwise, up to this many.
const MOST_CURVES: usize = 8;

/// Draws the curves of the cross-validation.
pub(crate) fn draw(judged: &[Judged], labels: &[String], positive: Option<usize>) -> Vec<Plot> {
    let classes: Vec<usize> = match (positive, labels.len()) {
        (Some(class), _) => vec![class],
        (None, 2) => vec![1],
        (None, count) => (0..count.min(MOST_CURVES)).collect(),
    };
    let mut roc = Canvas::new("Receiver operating characteristic", "false alarms", "found");
    roc.diagonal();
    let mut precision = Canvas::new("Precision and recall", "found (recall)", "right alarms (precision)");
    let mut calibration = Canvas::new("Reliability", "probability given", "share that was right");
    calibration.diagonal();
    for (index, &class) in classes.iter().enumerate() {
        roc.line(index, &receiver(judged, class), &labels[class]);
        precision.line(index, &precision_recall(judged, class), &labels[class]);
        let bins = reliability(judged, class);
        let points: Vec<_> = bins.iter().map(|(point, _)| *point).collect();
        calibration.line(index, &points, &labels[class]);
        calibration.dots(index, &bins);
    }
    [("roc_curve", roc), ("precision_recall_curve", precision), ("reliability", calibration)]
        .map(|(name, canvas)| Plot {
            name,
            extension: "svg",
            media_type: "image/svg+xml",
            bytes: canvas.finished().into_bytes(),
        })
        .into()
}
