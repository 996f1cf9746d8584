//! Draws a judgement onto its picture: the visualization that a user looks at.
//!
//! The photograph is reduced to a long side of 1600 px (small ones are enlarged by a whole factor), defects are
//! outlined in the colour of their class, the uncovered area is tinted and hatched, glare is hatched lightly, what
//! lies outside of the panel is dimmed. A strip of added canvas, to the right of an upright photograph and below
//! any other, holds severity, indices, confidence, legend and the numbered largest defects.
//!
//! It draws what the judgement says and measures nothing itself. Coat without a finding keeps its pixels, apart
//! from the lines and labels that lie on it.

mod canvas;
mod findings;
mod labels;
mod palette;
mod pieces;
mod region_view;
mod scale;
mod strip;
mod summary;
mod text;

use canvas::Canvas;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use palette::BACKGROUND;
use region_view::RegionView;
use strip::Strip;
use summary::Summary;
use text::Typeface;

use crate::{Judgement, Picture};

pub use palette::{GLARE as GLARE_COLOR, UNCOVERED as UNCOVERED_COLOR, class_color};

const QUALITY: u8 = 85;

/// An encoded JPEG with the findings outlined, a legend and the indices. No side is longer than 2500 px.
#[must_use]
#[allow(clippy::expect_used)] // Memory takes every byte, and the sides are within what JPEG holds.
pub fn render(picture: &Picture, judgement: &Judgement) -> Vec<u8> {
    let drawn = compose(picture, judgement);
    let side = |length: u32| u16::try_from(length).expect("an overlay is small");
    let mut bytes = Vec::with_capacity(drawn.rgb.len() / 6);
    let mut encoder = Encoder::new(&mut bytes, QUALITY);
    // Full height of colour keeps thin lines clean; half the width saves a fifth of the file.
    encoder.set_sampling_factor(SamplingFactor::F_2_1);
    encoder
        .encode(&drawn.rgb, side(drawn.width), side(drawn.height), ColorType::Rgb)
        .expect("an overlay fits the encoder");
    bytes
}

/// Columns and rows of the part of an overlay that is the photograph, from the upper left corner: what is left without
/// the strip. Both sizes are columns and rows, of the overlay as it was written and of the upright photograph that it was
/// drawn of; `None` when an overlay of such a photograph has another size.
#[must_use]
pub fn photograph_part(overlay: (u32, u32), photograph: (u32, u32)) -> Option<(u32, u32)> {
    let part = scale::fitted_size(photograph.0, photograph.1);
    let (side, footer) = (overlay.0.checked_sub(part.0)?, overlay.1.checked_sub(part.1)?);
    let upright = part.1 > part.0;
    let strip_alone = if upright { side > 0 && footer == 0 } else { side == 0 && footer > 0 };
    strip_alone.then_some(part)
}

/// The same before it is encoded: the photograph at the upper left, the strip to the right or below.
#[must_use]
pub fn compose(picture: &Picture, judgement: &Judgement) -> Picture {
    if picture.width == 0 || picture.height == 0 {
        return Picture { width: 1, height: 1, rgb: BACKGROUND.to_vec() };
    }
    let typeface = Typeface::embedded();
    let photograph = marked(scale::fitted(picture), judgement, &typeface);
    let summary = Summary::of(judgement);
    let (width, height) = (photograph.width as f32, photograph.height as f32);
    let upright = height > width;
    // A unit of the strip is a 1600th of the photograph's long side.
    let scale = width.max(height) / scale::LONG_SIDE as f32;
    let (added_x, added_y) = if upright {
        ((strip::SIDE_WIDTH * scale).ceil(), 0.0)
    } else {
        (0.0, (strip::footer_height(&summary) * scale).ceil())
    };
    let mut canvas = Canvas::filled((width + added_x) as usize, (height + added_y) as usize, BACKGROUND);
    canvas.place(&photograph, 0, 0);
    let origin = if upright { (width, 0.0) } else { (0.0, height) };
    let severity = judgement.severity;
    let mut strip =
        Strip { canvas: &mut canvas, typeface: &typeface, summary: &summary, severity, scale, origin };
    if upright {
        strip.side(height / scale);
    } else {
        strip.footer();
    }
    canvas.into_picture()
}

/// The photograph with everything that is drawn on it.
fn marked(photograph: Picture, judgement: &Judgement, typeface: &Typeface) -> Picture {
    let (width, height) = (photograph.width as usize, photograph.height as usize);
    let view = RegionView::new(&judgement.regions, width, height);
    let scale =
        (width as f32 / judgement.width.max(1) as f32, height as f32 / judgement.height.max(1) as f32);
    let mut canvas = Canvas { width, height, rgb: photograph.rgb };
    findings::tint(&mut canvas, &view);
    findings::outline(&mut canvas, &view);
    findings::ring_small(&mut canvas, judgement, scale);
    labels::draw(&mut canvas, typeface, &view, judgement, scale);
    canvas.into_picture()
}
