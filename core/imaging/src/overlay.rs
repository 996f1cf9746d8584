//! Placeholder: draws a judgement onto its picture.

use crate::{Judgement, Picture};

/// An encoded JPEG with the findings outlined, a legend and the indices.
#[must_use]
pub fn render(_picture: &Picture, _judgement: &Judgement) -> Vec<u8> {
    Vec::new()
}
