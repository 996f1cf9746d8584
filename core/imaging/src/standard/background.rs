//! What the panel would look like without defects: the colour that light and paint make together, and how much it
//! varies from place to place.

use super::blocks::Blocks;
use super::grid::Grid;
use super::panel::{Panel, Part};

/// Smallest noise scale of L*, a*, b*: below it lies what 8-bit pixels cannot tell.
const FLOOR: [f32; 3] = [0.7, 0.5, 0.5];
/// Median absolute deviation to standard deviation of a normal distribution.
pub(super) const TO_SIGMA: f32 = 1.4826;
/// Error of the background as a share of its change from block to block.
const SLOPE_ERROR: f32 = 0.15;
/// Share of blown-out samples above which a block says nothing about the paint.
const TOO_MUCH_GLARE: f32 = 0.5;

/// The expected colour and its noise, one value a block.
pub(super) struct Background {
    /// L*, a*, b*.
    pub colour: [Grid; 3],
    /// Standard deviation of the blurred L*, a*, b* around it.
    pub sigma: [Grid; 3],
}

impl Background {
    pub(super) fn of(blocks: &Blocks, panel: &Panel) -> Self {
        let known: Vec<bool> = blocks
            .cells
            .iter()
            .zip(&panel.parts)
            .map(|(block, part)| *part == Part::Panel && block.glare < TOO_MUCH_GLARE)
            .collect();
        let grid = |value: &dyn Fn(usize) -> f32| {
            let values = (0..blocks.cells.len()).map(value).collect();
            Grid { columns: blocks.columns, rows: blocks.rows, values }.filled(&known).smoothed()
        };
        let colour: [Grid; 3] = std::array::from_fn(|c| grid(&|i| blocks.cells[i].median[c]));
        let sigma = std::array::from_fn(|c| {
            let mut sigma = grid(&|i| blocks.cells[i].spread[c] * TO_SIGMA);
            for i in 0..sigma.values.len() {
                let here = colour[c].values[i];
                let slope = blocks.beside(i).map(|n| (colour[c].values[n] - here).abs()).fold(0.0, f32::max)
                    * SLOPE_ERROR;
                let value = sigma.values[i].max(FLOOR[c]);
                sigma.values[i] = value.hypot(slope);
            }
            sigma
        });
        Self { colour, sigma }
    }
}
