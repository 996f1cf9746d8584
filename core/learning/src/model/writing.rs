//! A model as bytes: the same model gives the same bytes.

use sha2::{Digest, Sha256};

use super::Model;
use super::bytes::{FORMAT, Header, MAGIC};
use crate::features::FEATURE_SET;

impl Model {
    /// The file: plain data with a checksum, no code.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let ensemble = &self.ensemble;
        let (machine, forest) = (&ensemble.kernel_machine, &ensemble.forest);
        let header = Header {
            labels: self.labels.clone(),
            good: self.good,
            values: ensemble.scaling.means.len(),
            support: machine.support.count(),
            trees: forest.roots.len(),
            nodes: forest.nodes.len(),
            leaves: forest.leaves.len(),
        };
        // A header of words and numbers always becomes JSON.
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&FEATURE_SET.to_le_bytes());
        out.extend_from_slice(&(header.len() as u32).to_le_bytes());
        out.extend_from_slice(&header);
        put_floats(&mut out, &self.shares);
        put_floats(&mut out, &self.usual_distance);
        for number in self.curves.iter().flat_map(|curve| [curve.slope, curve.offset]) {
            out.extend_from_slice(&number.to_le_bytes());
        }
        put_floats(&mut out, &[machine.kernel_width]);
        put_floats(&mut out, &machine.offsets);
        put_floats(&mut out, &ensemble.scaling.means);
        put_floats(&mut out, &ensemble.scaling.factors);
        put_floats(&mut out, &machine.emphasis);
        machine.weights.iter().for_each(|weights| put_floats(&mut out, weights));
        out.extend(machine.support.values.iter().map(|&v| v as u8));
        forest.roots.iter().for_each(|root| out.extend_from_slice(&root.to_le_bytes()));
        for node in &forest.nodes {
            out.extend_from_slice(&node.value.to_le_bytes());
            out.push(node.threshold as u8);
            out.extend_from_slice(&node.next.to_le_bytes());
        }
        out.extend_from_slice(&forest.leaves);
        let (scaling, planes) = ensemble.evidence.parts();
        scaling.iter().for_each(|values| put_floats(&mut out, values));
        for plane in planes {
            put_floats(&mut out, &plane.weights);
            put_floats(&mut out, &[plane.offset]);
        }
        let checksum = Sha256::digest(&out);
        out.extend_from_slice(&checksum);
        out
    }
}

fn put_floats(out: &mut Vec<u8>, values: &[f32]) {
    values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
}
