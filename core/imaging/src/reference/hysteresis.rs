//! The last step of Canny: of the candidates, those that are connected to a strong one are edges.
//!
//! Candidates lie in two bit planes, 64 pixels a word. A word takes over what its eight neighbours reach; when it
//! grows, neighbours that may grow from it are looked at again. Each look costs a few instructions for 64 pixels, and
//! a word is looked at again only when one beside it grew, so even a maze takes time linear in its pixels.

use super::BLOCK;

/// Candidates of a picture. Both planes have a border of empty words on every side.
pub(super) struct Candidates {
    weak: Vec<u64>,
    edges: Vec<u64>,
    words_per_row: usize,
    rows: usize,
}

impl Candidates {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let words_per_row = width.div_ceil(BLOCK) + 2;
        let words = words_per_row * (height + 2);
        Self { weak: vec![0; words], edges: vec![0; words], words_per_row, rows: height }
    }

    /// Sets the candidates of one block; `strong` is part of `weak`.
    pub(super) fn set(&mut self, row: usize, block: usize, weak: u64, strong: u64) {
        let index = (row + 1) * self.words_per_row + block + 1;
        self.weak[index] = weak;
        self.edges[index] = strong;
    }

    /// Number of candidates that are connected to a strong one through candidates (8 neighbours).
    pub(super) fn count_edges(mut self) -> u64 {
        let mut waiting = Vec::new();
        let mut is_waiting = vec![false; self.weak.len()];
        let first = self.words_per_row;
        let last = (self.rows + 1) * self.words_per_row;
        for index in first..last {
            if self.may_grow(index) && self.grow(index) {
                self.call_neighbours(index, &mut waiting, &mut is_waiting);
                while let Some(next) = waiting.pop() {
                    is_waiting[next] = false;
                    if self.grow(next) {
                        self.call_neighbours(next, &mut waiting, &mut is_waiting);
                    }
                }
            }
        }
        self.edges.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn may_grow(&self, index: usize) -> bool {
        self.weak[index] & !self.edges[index] != 0
    }

    fn neighbours(&self, index: usize) -> [usize; 8] {
        let (above, below) = (index - self.words_per_row, index + self.words_per_row);
        [above - 1, above, above + 1, index - 1, index + 1, below - 1, below, below + 1]
    }

    fn call_neighbours(&self, index: usize, waiting: &mut Vec<usize>, is_waiting: &mut [bool]) {
        for neighbour in self.neighbours(index) {
            if self.may_grow(neighbour) && !is_waiting[neighbour] {
                is_waiting[neighbour] = true;
                waiting.push(neighbour);
            }
        }
    }

    /// Adds the candidates of one word that touch an edge; tells whether there were any.
    fn grow(&mut self, index: usize) -> bool {
        let [above_left, above, above_right, left, right, below_left, below, below_right] =
            self.neighbours(index).map(|neighbour| self.edges[neighbour]);
        let (weak, before) = (self.weak[index], self.edges[index]);
        let column = above | below;
        let reached = column
            | column << 1
            | column >> 1
            | (above_left | left | below_left) >> 63
            | (above_right | right | below_right) << 63;
        let after = fill(before | (weak & reached), weak);
        self.edges[index] = after;
        after != before
    }
}

/// Spreads `seed` over the runs of `weak` that it touches.
fn fill(seed: u64, weak: u64) -> u64 {
    let (mut up, mut down) = (seed, seed);
    let (mut open_up, mut open_down) = (weak, weak);
    for step in [1, 2, 4, 8, 16, 32] {
        up |= open_up & (up << step);
        open_up &= open_up << step;
        down |= open_down & (down >> step);
        open_down &= open_down >> step;
    }
    up | down
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(rows: &[&str]) -> u64 {
        let width = rows[0].len();
        let mut candidates = Candidates::new(width, rows.len());
        for (y, row) in rows.iter().enumerate() {
            for (block, cells) in row.as_bytes().chunks(BLOCK).enumerate() {
                let plane = |wanted: &[u8]| {
                    cells
                        .iter()
                        .enumerate()
                        .fold(0, |word, (bit, cell)| word | u64::from(wanted.contains(cell)) << bit)
                };
                candidates.set(y, block, plane(b"+#"), plane(b"#"));
            }
        }
        candidates.count_edges()
    }

    #[test]
    fn weak_candidates_count_only_with_a_strong_one() {
        assert_eq!(edges(&["+++.#", ".....", "+.+.."]), 1);
        assert_eq!(edges(&["+++#."]), 4);
    }

    #[test]
    fn connection_runs_upwards_and_over_corners() {
        assert_eq!(edges(&["+..+", ".+.+", "..#."]), 5);
    }

    #[test]
    fn connection_crosses_word_borders_and_turns_back() {
        let long = 150;
        let full = "+".repeat(long);
        let right = format!("{}+", ".".repeat(long - 1));
        let left = format!("+{}", ".".repeat(long - 1));
        let end = format!("{}#", "+".repeat(long - 1));
        assert_eq!(edges(&[&full, &right, &full, &left, &end]), 3 * long as u64 + 2);
    }
}
