//! Draws coated panels with known defects, for the demo and the tests.
//!
//! Every picture is computed, none is taken from anywhere, and the same call gives the same bytes on every run (of one
//! machine: the last bit of a sine may differ from one to the next).
//! Scenes are surfaces (colour, relief, gloss) that are lit and then photographed by a simple camera model, so
//! lighting, highlights, shadows and noise are there without being painted. Nothing here claims to be a real
//! coating: the pictures show that the way through the worker holds, not how well it judges real panels.

mod camera;
mod color;
mod defects;
mod drawing;
mod layer;
mod lesson;
mod noise;
mod panel;
mod random;
mod sample;
mod scenes;
mod surface;
mod truth;

pub use drawing::Drawing;
pub use lesson::lesson;
pub use panel::Panel;
pub use sample::{Sample, demo_set, variant};
