//! What was really drawn: which pixels belong to the panel, which of them are affected, and how many defects.

/// Filled while a scene is drawn.
pub(crate) struct Truth {
    width: usize,
    affected: Vec<bool>,
    panel_pixels: usize,
    pub(crate) defects: u32,
}

impl Truth {
    /// The panel fills the picture unless [`Truth::panel_pixels`] is told otherwise.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, affected: vec![false; width * height], panel_pixels: width * height, defects: 0 }
    }

    pub(crate) fn set_panel_pixels(&mut self, pixels: usize) {
        self.panel_pixels = pixels;
    }

    pub(crate) fn mark(&mut self, x: usize, y: usize) {
        self.affected[y * self.width + x] = true;
    }

    /// Affected share of the panel, in percent, rounded to 0.001.
    pub(crate) fn affected_percent(&self) -> f64 {
        let affected = self.affected.iter().filter(|&&a| a).count();
        let percent = 100.0 * affected as f64 / self.panel_pixels.max(1) as f64;
        (percent * 1000.0).round() / 1000.0
    }
}
