//! Bytes back into a model. Nothing in them is trusted: sizes are checked against the length before anything is
//! allocated, and every index before it is used.

use sha2::{Digest, Sha256};

use super::Model;
use super::bytes::{CHECKSUM, FORMAT, Header, MAGIC, MOST_BYTES, MOST_HEADER, PREFIX};
use crate::ensemble::Ensemble;
use crate::evidence::Evidence;
use crate::features::tiles::TILE_VALUES;
use crate::features::{FEATURE_SET, VALUES};
use crate::learners::calibration::Curve;
use crate::learners::forest::{Forest, Node};
use crate::learners::kernel_machine::KernelMachine;
use crate::learners::linear::Plane;
use crate::learners::scaling::{Rows, Scaling};
use crate::training::{MOST_LABEL_BYTES, MOST_LABELS};

/// Why bytes are not a model that can be used; every case is permanent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelError {
    /// Something else, or a model of a program that is not this one.
    #[error("this is not a model file")]
    NotAModel,
    /// Written by a version whose files this one does not read.
    #[error("the model has format {found}, this version reads {known}; train it again")]
    OtherFormat {
        /// Of the file.
        found: u16,
        /// Of this version.
        known: u16,
    },
    /// Trained on other numbers than pictures are described by now.
    #[error("the model was trained on feature set {found}, this version has {known}; train it again")]
    OtherFeatures {
        /// Of the file.
        found: u16,
        /// Of this version.
        known: u16,
    },
    /// Larger than any model is.
    #[error("the model file has {size} bytes, at most {limit} are read")]
    TooLarge {
        /// Of the file.
        size: usize,
        /// What is read.
        limit: usize,
    },
    /// Cut off, changed or made up.
    #[error("the model file is damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: &'static str,
    },
}

const fn damaged(reason: &'static str) -> ModelError {
    ModelError::Damaged { reason }
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// Every [`ModelError`]. It never panics, and allocates no more than a few times the length of the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > MOST_BYTES {
            return Err(ModelError::TooLarge { size: bytes.len(), limit: MOST_BYTES });
        }
        if !bytes.starts_with(MAGIC) {
            return Err(ModelError::NotAModel);
        }
        if bytes.len() < PREFIX + CHECKSUM {
            return Err(damaged("it is cut off"));
        }
        let number = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        if number(8) != FORMAT {
            return Err(ModelError::OtherFormat { found: number(8), known: FORMAT });
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        if Sha256::digest(content)[..] != *checksum {
            return Err(damaged("its checksum does not fit"));
        }
        if number(10) != FEATURE_SET {
            return Err(ModelError::OtherFeatures { found: number(10), known: FEATURE_SET });
        }
        let header_length = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
        if header_length > MOST_HEADER || PREFIX + header_length > content.len() {
            return Err(damaged("its header does not fit"));
        }
        let (header, arrays) = content[PREFIX..].split_at(header_length);
        let header: Header =
            serde_json::from_slice(header).map_err(|_| damaged("its header cannot be read"))?;
        check(&header)?;
        assemble(header, arrays)
    }
}

fn check(header: &Header) -> Result<(), ModelError> {
    let words = (2..=MOST_LABELS).contains(&header.labels.len())
        && header.labels.iter().all(|label| !label.is_empty() && label.len() <= MOST_LABEL_BYTES)
        && header.good.is_none_or(|good| good < header.labels.len());
    let counts = header.values == VALUES && header.trees > 0;
    if words && counts { Ok(()) } else { Err(damaged("its header contradicts itself")) }
}

fn assemble(header: Header, arrays: &[u8]) -> Result<Model, ModelError> {
    let classes = header.labels.len();
    let functions = if classes == 2 { 1 } else { classes };
    let mut rest = Arrays { bytes: arrays };
    let shares = rest.few()?;
    let usual_distance = rest.few()?;
    let curves = (0..functions).map(|_| rest.curve()).collect::<Result<_, _>>()?;
    let [kernel_width] = rest.few()?;
    let offsets = rest.floats(functions)?;
    let scaling = Scaling { means: rest.floats(header.values)?, factors: rest.floats(header.values)? };
    let emphasis = rest.floats(header.values)?;
    let weights = offsets.iter().map(|_| rest.floats(header.support)).collect::<Result<_, _>>()?;
    let support = rest.take(header.support.checked_mul(header.values).ok_or(TOO_SHORT)?)?;
    let kernel_machine = KernelMachine {
        kernel_width,
        emphasis,
        support: Rows { width: header.values, values: support.iter().map(|&v| v as i8).collect() },
        weights,
        offsets,
    };
    let roots = rest.take(header.trees.checked_mul(4).ok_or(TOO_SHORT)?)?;
    let nodes = rest.take(header.nodes.checked_mul(7).ok_or(TOO_SHORT)?)?;
    let forest = Forest {
        class_count: classes,
        roots: roots.as_chunks::<4>().0.iter().map(|&b| u32::from_le_bytes(b)).collect(),
        nodes: nodes
            .as_chunks::<7>()
            .0
            .iter()
            .map(|&[a, b, t, n0, n1, n2, n3]| Node {
                value: u16::from_le_bytes([a, b]),
                threshold: t as i8,
                next: u32::from_le_bytes([n0, n1, n2, n3]),
            })
            .collect(),
        leaves: rest.take(header.leaves)?.to_vec(),
    };
    let (means, factors) = (rest.floats(TILE_VALUES)?, rest.floats(TILE_VALUES)?);
    let planes = (0..classes)
        .map(|_| {
            let weights = rest.floats(TILE_VALUES)?;
            let [offset] = rest.few()?;
            Ok(Plane { weights, offset })
        })
        .collect::<Result<_, ModelError>>()?;
    if !rest.bytes.is_empty() {
        return Err(damaged("it is longer than its header says"));
    }
    if !forest.is_sound(header.values) {
        return Err(damaged("a tree of it leads nowhere"));
    }
    let evidence = Evidence::from_parts(means, factors, planes);
    Ok(Model {
        labels: header.labels,
        good: header.good,
        ensemble: Ensemble { scaling, kernel_machine, forest, evidence },
        shares,
        curves,
        usual_distance,
    })
}

const NO_NUMBER: ModelError = damaged("a number in it is none");
const TOO_SHORT: ModelError = damaged("it is shorter than its header says");

/// What is left of the arrays.
struct Arrays<'a> {
    bytes: &'a [u8],
}

impl<'a> Arrays<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(TOO_SHORT)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn few<const N: usize>(&mut self) -> Result<[f32; N], ModelError> {
        self.floats(N)?.try_into().map_err(|_| TOO_SHORT)
    }

    fn curve(&mut self) -> Result<Curve, ModelError> {
        let mut number = || {
            let (numbers, _) = self.take(8)?.as_chunks::<8>();
            let number = f64::from_le_bytes(*numbers.first().ok_or(TOO_SHORT)?);
            if number.is_finite() { Ok(number) } else { Err(NO_NUMBER) }
        };
        Ok(Curve { slope: number()?, offset: number()? })
    }

    /// Finite numbers only: one that is none would make every probability none.
    fn floats(&mut self, count: usize) -> Result<Vec<f32>, ModelError> {
        let taken = self.take(count.checked_mul(4).ok_or(TOO_SHORT)?)?;
        let values: Vec<f32> = taken.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(NO_NUMBER) }
    }
}
