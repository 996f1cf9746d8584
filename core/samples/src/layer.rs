//! A see-through sheet on which lines are drawn before they change a surface, so that crossings are not drawn twice.

pub(crate) struct Layer {
    width: usize,
    height: usize,
    pub(crate) alpha: Vec<f32>,
}

impl Layer {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, alpha: vec![0.0; width * height] }
    }

    /// A line with round ends whose radius and strength go from the first to the second; `softness` is the
    /// width of its edge in pixels.
    pub(crate) fn line(&mut self, from: End, to: End, softness: f32) {
        let reach = from.radius.max(to.radius) + softness;
        let low = |a: f32, b: f32| (a.min(b) - reach).floor().max(0.0) as usize;
        let high = |a: f32, b: f32, limit: usize| ((a.max(b) + reach).ceil().max(0.0) as usize).min(limit);
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let length = (dx * dx + dy * dy).max(1e-6);
        for y in low(from.y, to.y)..high(from.y, to.y, self.height) {
            for x in low(from.x, to.x)..high(from.x, to.x, self.width) {
                let (px, py) = (x as f32 - from.x, y as f32 - from.y);
                let t = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
                let distance = ((px - t * dx).powi(2) + (py - t * dy).powi(2)).sqrt();
                let radius = from.radius + (to.radius - from.radius) * t;
                let inside = ((radius + 0.5 * softness - distance) / softness).clamp(0.0, 1.0);
                let strength = from.strength + (to.strength - from.strength) * t;
                let cell = &mut self.alpha[y * self.width + x];
                *cell = cell.max(inside * inside * (3.0 - 2.0 * inside) * strength);
            }
        }
    }
}

/// One end of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
    pub(crate) strength: f32,
}
