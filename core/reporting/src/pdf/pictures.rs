//! The pictures of a report as files that templates see.
//!
//! typst decodes every raster picture when it loads it and keeps the pixels until the document is written, 14 times what
//! the file takes. A picture inside an SVG it only refers to: the file goes into the PDF byte for byte, unopened. So
//! templates are given a drawing of nothing but the picture, in the picture's size.

use super::view::shown;
use crate::model::{Picture, Report};
use typst::foundations::Bytes;

/// The name of the file that a template shows. Names are numbered from 0 in every report, so that the ids which typst
/// keeps for ever stay few.
pub(super) fn name(index: usize, role: &str, picture: &Picture) -> String {
    match size(picture) {
        Some(_) => format!("pictures/{index}-{role}.svg"),
        None => file_name(index, role, picture),
    }
}

/// All files of all pictures: what templates show, and what that refers to.
pub(super) fn files(report: &Report) -> impl Iterator<Item = (String, Bytes)> {
    report.analyses.iter().enumerate().flat_map(|(index, analysis)| {
        [(&analysis.photograph, "photograph"), (&analysis.overlay, "overlay")]
            .into_iter()
            .filter_map(|(picture, role)| Some((shown(picture)?, role)))
            .flat_map(move |(picture, role)| {
                let file = file_name(index, role, picture);
                let drawing = size(picture).map(|size| (name(index, role, picture), drawing(&file, size)));
                drawing.into_iter().chain([(file, Bytes::new(picture.bytes.clone()))])
            })
    })
}

fn file_name(index: usize, role: &str, picture: &Picture) -> String {
    let extension = if picture.extension == "png" { "png" } else { "jpg" };
    format!("pictures/{index}-{role}.{extension}")
}

/// Columns and rows of a JPEG. Others may be transparent, or hold what only typst can read.
fn size(picture: &Picture) -> Option<imagesize::ImageSize> {
    if picture.extension == "png" {
        return None;
    }
    imagesize::blob_size(&picture.bytes).ok().filter(|size| size.width > 0 && size.height > 0)
}

/// A drawing that shows `file`, which lies beside it, and nothing else.
fn drawing(file: &str, size: imagesize::ImageSize) -> Bytes {
    let (width, height) = (size.width, size.height);
    let beside = file.rsplit('/').next().unwrap_or(file);
    Bytes::from_string(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><image href="{beside}" width="{width}" height="{height}"/></svg>"#
    ))
}
