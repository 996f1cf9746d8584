//! Panels that tests draw for themselves.

use forgeos_samples::Panel;

#[test]
fn a_plain_panel_has_one_colour() {
    let drawing = Panel::new(64, 48).color([10, 200, 30]).draw();
    assert_eq!(drawing.rgb.len(), 64 * 48 * 3);
    assert!(drawing.rgb.chunks_exact(3).all(|pixel| pixel == [10, 200, 30]));
    assert_eq!((drawing.defects, drawing.affected_percent), (0, 0.0));
}

#[test]
fn the_area_of_discs_is_known() {
    let drawing = Panel::new(400, 300)
        .disc(100.0, 100.0, 20.0, [90, 50, 20])
        .disc(300.0, 200.0, 20.0, [90, 50, 20])
        .draw();
    let expected = 100.0 * 2.0 * std::f64::consts::PI * 400.0 / (400.0 * 300.0);
    assert_eq!(drawing.defects, 2);
    assert!((drawing.affected_percent - expected).abs() < 0.03, "{}", drawing.affected_percent);
    let middle = 3 * (100 * 400 + 100);
    assert_eq!(drawing.rgb[middle..middle + 3], [90, 50, 20]);
}

#[test]
fn shapes_beyond_the_border_are_cut_off() {
    let drawing = Panel::new(100, 100).strip(90.0, -20.0, 40.0, 200.0, [0; 3]).draw();
    assert!((drawing.affected_percent - 10.0).abs() < 0.01);
}

#[test]
fn noise_has_the_deviation_that_was_asked_for() {
    let drawing = Panel::new(400, 300).color([128; 3]).noise(4.0).draw();
    let values = drawing.rgb.iter().map(|&v| f64::from(v) - 128.0);
    let deviation = (values.map(|v| v * v).sum::<f64>() / drawing.rgb.len() as f64).sqrt();
    assert!((deviation - 4.0).abs() < 0.1, "{deviation}");
}

#[test]
fn the_lighting_ramp_runs_from_left_to_right() {
    let drawing = Panel::new(200, 10).color([100; 3]).lighting(0.4).draw();
    let at = |x: usize| drawing.rgb[3 * x];
    assert_eq!((at(0), at(100)), (140, 100));
    assert!((60..=61).contains(&at(199)));
}
