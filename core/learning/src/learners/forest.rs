//! Extremely randomised trees (Geurts, Ernst, Wehenkel 2006): splits at random places of random values, the best of a
//! handful kept, many trees averaged.
//!
//! Rows are weighed so that every class counts the same. Every tree has a seed of its own, so the forest does not
//! depend on which thread grew which.

use rayon::prelude::*;

use super::scaling::Rows;

/// Trees of a forest.
pub(crate) const TREES: usize = 400;

/// One in so many values is tried at a split. More than the usual root of their number, because what shows a defect are
/// a few values among many.
const TRIED: usize = 5;

/// Largest number of leaves of a tree, about: more rows make larger leaves, so that a model file stays small.
const LEAVES: usize = 256;

/// Marks a leaf in [`Node::value`].
const LEAF: u16 = u16::MAX;

/// One node; the left child of a split is the next node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    /// Which value is looked at, or [`LEAF`].
    pub value: u16,
    /// Up to this it goes to the left.
    pub threshold: i8,
    /// The right child, counted from the first node of the tree; of a leaf, its number in the forest.
    pub next: u32,
}

/// A trained forest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forest {
    pub class_count: usize,
    /// Where every tree begins in `nodes`.
    pub roots: Vec<u32>,
    pub nodes: Vec<Node>,
    /// For every leaf the share of each class but the last, in 255ths.
    pub leaves: Vec<u8>,
}

impl Forest {
    /// Grows a forest on rows of at most 65,534 values.
    pub(crate) fn train(
        rows: &Rows,
        classes: &[usize],
        class_count: usize,
        trees: usize,
        seed: u64,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Self {
        let mut counts = vec![0f32; class_count];
        classes.iter().for_each(|&c| counts[c] += 1.0);
        let weights: Vec<f32> = counts.iter().map(|&n| if n > 0.0 { 1.0 / n } else { 0.0 }).collect();
        let columns = Columns::of(rows);
        let grown: Vec<(Vec<Node>, Vec<u8>)> = (0..trees as u64)
            .into_par_iter()
            .map(|tree| {
                let random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ tree);
                let mut growth = Growth {
                    columns: &columns,
                    classes,
                    weights: &weights,
                    random,
                    nodes: Vec::new(),
                    leaves: Vec::new(),
                    order: (0..rows.width as u16).collect(),
                    smallest: (rows.count() / LEAVES).max(1),
                };
                let mut members: Vec<u32> = (0..rows.count() as u32).collect();
                if stop() {
                    // Nobody will use this tree, but every tree has a leaf.
                    growth.add_leaf(&growth.totals(&members));
                } else {
                    growth.grow(&mut members);
                }
                (growth.nodes, growth.leaves)
            })
            .collect();
        let mut forest = Self { class_count, roots: Vec::new(), nodes: Vec::new(), leaves: Vec::new() };
        // After the word to stop trees were not grown; none of what they would say counts.
        for (nodes, leaves) in grown.into_iter().filter(|(nodes, _)| !nodes.is_empty()) {
            let before = (forest.leaves.len() / (class_count - 1)) as u32;
            forest.roots.push(forest.nodes.len() as u32);
            forest.nodes.extend(nodes.into_iter().map(|mut node| {
                if node.value == LEAF {
                    node.next += before;
                }
                node
            }));
            forest.leaves.extend(leaves);
        }
        forest
    }

    /// The share of every class, averaged over the trees.
    pub(crate) fn scores(&self, row: &[i8]) -> Vec<f32> {
        let stored = self.class_count - 1;
        let mut totals = vec![0u32; stored];
        for &root in &self.roots {
            let leaf = self.leaf_of(root as usize, row) * stored;
            totals.iter_mut().zip(&self.leaves[leaf..leaf + stored]).for_each(|(t, &s)| *t += u32::from(s));
        }
        let scale = 1.0 / (255.0 * self.roots.len().max(1) as f32);
        let mut scores: Vec<f32> = totals.iter().map(|&t| t as f32 * scale).collect();
        scores.push((1.0 - scores.iter().sum::<f32>()).max(0.0));
        scores
    }

    fn leaf_of(&self, root: usize, row: &[i8]) -> usize {
        let mut at = root;
        loop {
            let node = self.nodes[at];
            if node.value == LEAF {
                return node.next as usize;
            }
            at = if row[usize::from(node.value)] <= node.threshold {
                at + 1
            } else {
                root + node.next as usize
            };
        }
    }

    /// Whether every path ends in a leaf without leaving the arrays; what is read from a file is checked by this.
    pub(crate) fn is_sound(&self, width: usize) -> bool {
        let leaves = if self.class_count > 1 { self.leaves.len() / (self.class_count - 1) } else { 0 };
        let ends = self.roots.iter().skip(1).map(|&r| r as usize).chain([self.nodes.len()]);
        self.roots.first() == Some(&0)
            && self.roots.iter().zip(ends).all(|(&root, end)| {
                let root = root as usize;
                root < end
                    && end <= self.nodes.len()
                    && (root..end).all(|at| {
                        let node = self.nodes[at];
                        if node.value == LEAF {
                            return (node.next as usize) < leaves;
                        }
                        // Children lie behind their parent, so no path goes round.
                        let right = root + node.next as usize;
                        usize::from(node.value) < width && right > at && right < end && at + 1 < end
                    })
            })
    }
}

/// The rows turned over: all of one value side by side, because a split looks at one value of many rows.
struct Columns {
    count: usize,
    values: Vec<i8>,
}

impl Columns {
    fn of(rows: &Rows) -> Self {
        let count = rows.count();
        let of_value = |value| (0..count).map(move |row| rows.row(row)[value]);
        Self { count, values: (0..rows.width).flat_map(of_value).collect() }
    }

    fn column(&self, value: u16) -> &[i8] {
        &self.values[usize::from(value) * self.count..][..self.count]
    }
}

/// One tree being grown.
struct Growth<'a> {
    columns: &'a Columns,
    classes: &'a [usize],
    weights: &'a [f32],
    random: fastrand::Rng,
    nodes: Vec<Node>,
    leaves: Vec<u8>,
    /// The values in the order in which they are drawn.
    order: Vec<u16>,
    smallest: usize,
}

impl Growth<'_> {
    fn grow(&mut self, members: &mut [u32]) {
        let totals = self.totals(members);
        let pure = totals.iter().filter(|&&t| t > 0.0).count() < 2;
        let split = if pure || members.len() < 2 * self.smallest { None } else { self.split(members) };
        let Some((value, threshold)) = split else {
            return self.add_leaf(&totals);
        };
        let at = self.nodes.len();
        self.nodes.push(Node { value, threshold, next: 0 });
        let column = self.columns.column(value);
        let mut left = 0;
        for i in 0..members.len() {
            if column[members[i] as usize] <= threshold {
                members.swap(left, i);
                left += 1;
            }
        }
        let (lower, upper) = members.split_at_mut(left);
        self.grow(lower);
        self.nodes[at].next = self.nodes.len() as u32;
        self.grow(upper);
    }

    fn totals(&self, members: &[u32]) -> Vec<f32> {
        let mut totals = vec![0f32; self.weights.len()];
        for &member in members {
            let class = self.classes[member as usize];
            totals[class] += self.weights[class];
        }
        totals
    }

    fn add_leaf(&mut self, totals: &[f32]) {
        let sum: f32 = totals.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let stored = totals.len() - 1;
        let next = (self.leaves.len() / stored) as u32;
        self.nodes.push(Node { value: LEAF, threshold: 0, next });
        self.leaves.extend(totals[..stored].iter().map(|t| (t / sum * 255.0).round() as u8));
    }

    /// The best of some random splits; `None` when no value differs.
    fn split(&mut self, members: &[u32]) -> Option<(u16, i8)> {
        let wanted = self.order.len().div_ceil(TRIED);
        let (mut tried, mut best, mut best_gain) = (0, None, f32::NEG_INFINITY);
        for drawn in 0..self.order.len() {
            if tried == wanted {
                break;
            }
            let other = self.random.usize(drawn..self.order.len());
            self.order.swap(drawn, other);
            let value = self.order[drawn];
            let column = self.columns.column(value);
            let (mut least, mut most) = (i8::MAX, i8::MIN);
            for &member in members {
                let v = column[member as usize];
                (least, most) = (least.min(v), most.max(v));
            }
            if least == most {
                continue;
            }
            tried += 1;
            let threshold = self.random.i8(least..most);
            if let Some(gain) = self.gain(members, column, threshold)
                && gain > best_gain
            {
                (best, best_gain) = (Some((value, threshold)), gain);
            }
        }
        best
    }

    /// How pure both sides are (the Gini index, without what is the same for all splits of a node).
    fn gain(&self, members: &[u32], column: &[i8], threshold: i8) -> Option<f32> {
        let mut left = [0f32; 32];
        let mut right = [0f32; 32];
        let (mut left_count, class_count) = (0, self.weights.len().min(32));
        for &member in members {
            let class = self.classes[member as usize];
            let below = column[member as usize] <= threshold;
            left_count += usize::from(below);
            let side = if below { &mut left } else { &mut right };
            side[class.min(31)] += self.weights[class];
        }
        if left_count < self.smallest || members.len() - left_count < self.smallest {
            return None;
        }
        let purity = |side: &[f32]| {
            let sum: f32 = side.iter().sum();
            side.iter().map(|v| v * v).sum::<f32>() / sum.max(f32::MIN_POSITIVE)
        };
        Some(purity(&left[..class_count]) + purity(&right[..class_count]))
    }
}
