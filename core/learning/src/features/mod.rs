//! A photograph as numbers: what a model is trained on, and what it judges.
//!
//! The picture is looked at with a long side of at most [`LONG_SIDE`] pixels and at halves of that, so that the numbers
//! mean the same whatever camera took it. Nothing here is learned or random, and one thread is used; the caller
//! describes many pictures at once. A change that moves any number raises [`FEATURE_SET`].

mod octaves;
mod patterns;
mod slopes;
pub(crate) mod tiles;
mod tone;

use forgeos_imaging::{DecodeError, LabPlanes, Limits, Picture};

use tiles::{Area, TILE_VALUES};

/// Version of the numbers that [`describe`] gives. A model judges only descriptions of the set it was trained on.
pub const FEATURE_SET: u16 = 1;

/// Longest side of a picture as it is looked at, in pixels.
pub const LONG_SIDE: u32 = 704;

/// Numbers of one picture as a whole.
pub(crate) const VALUES: usize =
    tone::TONE + patterns::PATTERNS + slopes::SLOPES + slopes::DETAIL_MOMENTS + tiles::POOLED;

/// The first numbers are brightness and colour alone.
pub(crate) const TONE_VALUES: usize = tone::TONE;

/// Marked regions of one picture that are used, at most; later ones are passed over.
pub const MAX_REGIONS: usize = 256;

/// A box on a picture, in pixels of the upright picture, and what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// From the left edge of the picture to the left edge of the box.
    pub x: f64,
    /// From the top edge of the picture to the top edge of the box.
    pub y: f64,
    /// Of the box.
    pub width: f64,
    /// Of the box.
    pub height: f64,
    /// What the box shows.
    pub label: String,
}

/// One picture as numbers: about 20 kB.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Columns of the upright picture, in pixels.
    pub width: u32,
    /// Rows of the upright picture, in pixels.
    pub height: u32,
    /// [`VALUES`] numbers.
    pub(crate) values: Vec<f32>,
    /// Columns and rows of tiles.
    pub(crate) grid: (usize, usize),
    /// [`TILE_VALUES`] numbers for each tile, row by row.
    pub(crate) tiles: Vec<f32>,
    /// The marked boxes that lie on the picture: label, and [`TILE_VALUES`] numbers.
    pub(crate) regions: Vec<MarkedRegion>,
}

impl Description {
    /// The numbers of the picture as a whole, for use with other learners.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// A marked box as numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MarkedRegion {
    pub label: String,
    pub area: Area,
    pub values: Vec<f32>,
}

/// Decodes a picture and describes it; `regions` are the marked boxes, if any.
///
/// # Errors
/// Every [`DecodeError`] of [`forgeos_imaging::decode`].
pub fn describe(bytes: &[u8], limits: &Limits, regions: &[Region]) -> Result<Description, DecodeError> {
    forgeos_imaging::decode(bytes, limits).map(|picture| describe_picture(&picture, regions))
}

/// Describes a decoded picture. Of a box the part on the picture counts; a box beside it, or one that is not made of
/// numbers, is passed over.
#[must_use]
pub fn describe_picture(picture: &Picture, regions: &[Region]) -> Description {
    let planes = LabPlanes::of(picture, LONG_SIDE);
    let octaves = octaves::octaves(&planes);
    let grid = tiles::grid(planes.width, planes.height);
    let tile_count = grid.0 * grid.1;
    let marked = regions.iter().filter_map(|region| Some((area_of(region, picture)?, region)));
    let marked: Vec<_> = marked.take(MAX_REGIONS).collect();
    let mut areas: Vec<Area> = (0..tile_count).map(|tile| tiles::tile_area(grid, tile)).collect();
    areas.extend(marked.iter().map(|(area, _)| *area));
    let mut tiles = tiles::measure(&octaves, &planes, &areas);
    let marked_values = tiles.split_off(tile_count * TILE_VALUES);
    let mut values = Vec::with_capacity(VALUES);
    values.extend(tone::tone(&planes));
    values.extend(patterns::patterns(&octaves));
    values.extend(slopes::slopes(&octaves));
    values.extend(slopes::moments(&octaves));
    values.extend(tiles::pooled(&tiles));
    let regions =
        marked.iter().zip(marked_values.chunks_exact(TILE_VALUES)).map(|((area, region), values)| {
            MarkedRegion { label: region.label.clone(), area: *area, values: values.to_vec() }
        });
    Description {
        width: picture.width,
        height: picture.height,
        values,
        grid,
        regions: regions.collect(),
        tiles,
    }
}

/// The part of a box that lies on the picture, in shares of its sides.
fn area_of(region: &Region, picture: &Picture) -> Option<Area> {
    let share = |v: f64, side: u32| (v / f64::from(side)).clamp(0.0, 1.0) as f32;
    let area = Area {
        left: share(region.x, picture.width),
        top: share(region.y, picture.height),
        right: share(region.x + region.width, picture.width),
        bottom: share(region.y + region.height, picture.height),
    };
    // Written so that a value that is no number fails, too.
    (area.right > area.left && area.bottom > area.top).then_some(area)
}
