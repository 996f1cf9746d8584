//! The region map in the pixels of the overlay's photograph.

use crate::{Region, RegionMap};

/// A region for every pixel of a photograph of that size, by the nearest cell of the map.
pub(crate) struct RegionView {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) cells: Vec<Region>,
}

impl RegionView {
    /// A map whose cells do not fit its size is taken as plain coat: nothing is marked.
    pub(crate) fn new(map: &RegionMap, width: usize, height: usize) -> Self {
        let (from_width, from_height) = (map.width as usize, map.height as usize);
        if map.cells.is_empty() || map.cells.len() != from_width * from_height {
            return Self { width, height, cells: vec![Region::Coat; width * height] };
        }
        if (from_width, from_height) == (width, height) {
            return Self { width, height, cells: map.cells.clone() };
        }
        let columns: Vec<usize> = (0..width).map(|x| (2 * x + 1) * from_width / (2 * width)).collect();
        let mut cells = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = &map.cells[(2 * y + 1) * from_height / (2 * height) * from_width..][..from_width];
            cells.extend(columns.iter().map(|&x| row[x]));
        }
        Self { width, height, cells }
    }
}
