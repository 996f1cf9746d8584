//! Where in the picture a defect lies, in words: a grid of three by three.

use crate::model::{Defect, Language};

use super::words;

/// One field of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 0 (left), 1 or 2 (right).
    pub column: u8,
    /// 0 (top), 1 or 2 (bottom).
    pub row: u8,
}

/// The field that the centre of the defect's box lies in. `None` when the size of the picture is not known.
#[must_use]
pub fn place_of(defect: &Defect, width: Option<u32>, height: Option<u32>) -> Option<Place> {
    let third = |start: u32, length: u32, whole: u32| {
        let centre = 2 * u64::from(start) + u64::from(length);
        (whole > 0).then(|| (3 * centre / (2 * u64::from(whole))).min(2) as u8)
    };
    Some(Place {
        column: third(defect.x, defect.width, width?)?,
        row: third(defect.y, defect.height, height?)?,
    })
}

impl Place {
    /// The word's key in group `place`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match (self.row, self.column) {
            (0, 0) => "place.upper_left",
            (0, 1) => "place.top",
            (0, _) => "place.upper_right",
            (1, 0) => "place.left",
            (1, 1) => "place.centre",
            (1, _) => "place.right",
            (_, 0) => "place.lower_left",
            (_, 1) => "place.bottom",
            (_, _) => "place.lower_right",
        }
    }

    /// `upper left`, `øverst til venstre`.
    #[must_use]
    pub fn name(self, language: Language) -> &'static str {
        words(language).get(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(x: u32, y: u32, size: u32) -> &'static str {
        let defect = Defect {
            class: "rust".into(),
            x,
            y,
            width: size,
            height: size,
            area_percent: 1.0,
            delta_e: 10.0,
        };
        place_of(&defect, Some(300), Some(300)).map_or("none", |place| place.name(Language::En))
    }

    #[test]
    fn the_centre_of_the_box_decides() {
        assert_eq!(place(0, 0, 10), "upper left");
        assert_eq!(place(90, 140, 18), "left");
        assert_eq!(place(90, 140, 20), "centre");
        assert_eq!(place(195, 290, 10), "lower right");
        assert_eq!(place(0, 0, 300), "centre");
        assert_eq!(place(u32::MAX, u32::MAX, u32::MAX), "lower right");
    }

    #[test]
    fn there_is_no_place_in_a_picture_of_unknown_size() {
        let defect =
            Defect { class: "rust".into(), x: 1, y: 1, width: 1, height: 1, area_percent: 1.0, delta_e: 1.0 };
        assert_eq!(place_of(&defect, None, Some(3)), None);
        assert_eq!(place_of(&defect, Some(0), Some(3)), None);
    }
}
