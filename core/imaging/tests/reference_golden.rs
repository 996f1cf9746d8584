//! The reference indices of drawn pictures are those of OpenCV.
#![allow(clippy::unwrap_used)]

#[path = "golden/drawings.rs"]
mod drawings;

use std::io::Write;

use forgeos_imaging::{Picture, reference};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/reference.json");

fn golden() -> Value {
    serde_json::from_str(GOLDEN).unwrap()
}

#[test]
fn figures_of_drawn_pictures_equal_those_of_opencv() {
    let golden = golden();
    let drawn = golden["drawn"].as_object().unwrap();
    let pictures = drawings::all();
    assert_eq!(pictures.len(), drawn.len(), "a drawing without golden figures, or figures without a drawing");
    for (name, picture) in pictures {
        let expected = &drawn[&name];
        let found = reference::measure(&picture);
        assert_eq!(expected["width"], picture.width, "{name}");
        assert_eq!(expected["height"], picture.height, "{name}");
        assert_eq!(expected["otsu_threshold"], found.otsu_threshold, "{name}");
        for (figure, value, tolerance) in [
            // Whole-number stages: the counts and sums behind them are equal, only the last division may round.
            ("mean_saturation", found.mean_saturation, 1e-9),
            ("mean_brightness", found.mean_brightness, 1e-9),
            ("coverage", found.coverage, 1e-12),
            ("edge_density", found.edge_density, 1e-12),
            ("laplacian_variance", found.laplacian_variance, 1e-6),
            ("hue_std", found.hue_std, 1e-6),
            ("color_uniformity", found.color_uniformity, 1e-6),
            ("smoothness", found.smoothness, 1e-6),
            ("cvi", found.cvi, 1e-6),
            ("cqi", found.cqi, 1e-6),
        ] {
            let wanted = expected[figure].as_f64().unwrap();
            assert!((value - wanted).abs() <= tolerance, "{name}: {figure} is {value}, OpenCV has {wanted}");
        }
    }
}

#[test]
fn a_picture_without_pixels_is_measured_as_black() {
    let nothing = Picture::new(0, 7, Vec::new()).unwrap();
    let black = Picture::new(1, 1, vec![0; 3]).unwrap();
    assert_eq!(reference::measure(&nothing), reference::measure(&black));
}

#[test]
#[ignore = "writes the drawings for OpenCV: see golden/README.md"]
fn write_drawings_for_opencv() {
    let folder = std::path::PathBuf::from(
        std::env::var_os("GOLDEN_PICTURES").expect("GOLDEN_PICTURES names a folder"),
    );
    for (name, picture) in drawings::all() {
        let mut file = std::fs::File::create(folder.join(format!("{name}.ppm"))).unwrap();
        write!(file, "P6\n{} {}\n255\n", picture.width, picture.height).unwrap();
        file.write_all(&picture.rgb).unwrap();
    }
}
