//! The layout of a model file, little-endian throughout:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `FORGEMDL` |
//! | 2 | version of this layout |
//! | 2 | feature set |
//! | 4 | length of the header |
//! | … | header: JSON with labels and the sizes of the arrays |
//! | … | the arrays: mixture, curves, scaling, kernel machine, forest, tiles' evidence |
//! | 32 | SHA-256 of everything before |

use serde::{Deserialize, Serialize};

pub(super) const MAGIC: &[u8; 8] = b"FORGEMDL";
pub(super) const FORMAT: u16 = 1;
pub(super) const PREFIX: usize = 16;
pub(super) const CHECKSUM: usize = 32;

/// A model file is at most this large, in bytes; a larger one is not read.
pub(super) const MOST_BYTES: usize = 64 << 20;
/// The header is at most this large.
pub(super) const MOST_HEADER: usize = 1 << 20;

/// What the JSON header says: words and counts. Numbers with fractions stand in the arrays, where they stay exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub labels: Vec<String>,
    pub good: Option<usize>,
    /// Numbers of a picture.
    pub values: usize,
    /// Rows of the kernel machine.
    pub support: usize,
    pub trees: usize,
    pub nodes: usize,
    pub leaves: usize,
}
