//! The last step of Canny: of the candidates, those that are connected to a strong one are edges.
//!
//! Candidates lie in two bit planes, 64 pixels a word. A word takes over what its eight neighbours reach; when it
//! grows, its neighbours are looked at again. Each look costs a few instructions for 64 pixels, and as a word grows at
//! most 64 times, even a maze takes time linear in its pixels.

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
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, block: usize, weak: u64, strong: u64) {
        let index = (row + 1) * self.words_per_row + block + 1;
        self.weak[index] = weak;
        self.edges[index] = strong;
    }

    /// Number of candidates that are connected to a strong one through candidates (8 neighbours).
    #[inline(always)]
    pub(super) fn count_edges(mut self) -> u64 {
        let inside = self.words_per_row + 1..(self.rows + 1) * self.words_per_row;
        // Down and up again reaches nearly everything; what winds is left to the work list.
        for index in inside.clone() {
            self.grow(index);
        }
        for index in inside.clone().rev() {
            self.grow(index);
        }
        let mut waiting = Vec::new();
        for index in inside {
            if self.grow(index) {
                waiting.push(index);
                self.follow(&mut waiting);
            }
        }
        self.edges.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Looks again at all that lie beside a word that grew.
    #[inline(never)]
    fn follow(&mut self, grown: &mut Vec<usize>) {
        while let Some(index) = grown.pop() {
            let (above, below) = (index - self.words_per_row, index + self.words_per_row);
            for neighbour in [above - 1, above, above + 1, index - 1, index + 1, below - 1, below, below + 1]
            {
                if self.grow(neighbour) {
                    grown.push(neighbour);
                }
            }
        }
    }

    /// Adds the candidates of one word that touch an edge; tells whether there were any.
    #[inline(always)]
    fn grow(&mut self, index: usize) -> bool {
        let (weak, before) = (self.weak[index], self.edges[index]);
        if weak == before {
            return false;
        }
        let around = |centre: usize| self.edges[centre - 1..].first_chunk::<3>().copied().unwrap_or_default();
        let (above, here, below) =
            (around(index - self.words_per_row), around(index), around(index + self.words_per_row));
        let [left, middle, right] = [0, 1, 2].map(|column| above[column] | here[column] | below[column]);
        let reached = middle | middle << 1 | middle >> 1 | left >> 63 | right << 63;
        let seed = before | (weak & reached);
        if seed == before {
            return false;
        }
        self.edges[index] = fill(seed, weak);
        true
    }
}

/// Spreads `seed` over the runs of `weak` that it touches.
#[inline(always)]
fn fill(seed: u64, weak: u64) -> u64 {
    // Adding carries every seed to the upper end of its run. A bit that keeps its value there is a further seed.
    let up = seed | (weak & (weak ^ weak.wrapping_add(seed)));
    // Nothing carries downwards: double the step each time.
    let (mut down, mut open) = (up, weak);
    for step in [1, 2, 4, 8, 16, 32] {
        down |= open & (down >> step);
        open &= open >> step;
    }
    down
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
    fn seeds_fill_their_runs_and_no_others() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut roll = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..10_000 {
            let weak = roll() | roll();
            let seed = weak & roll() & roll() & roll();
            let mut expected = seed;
            for _ in 0..64 {
                expected |= weak & (expected << 1 | expected >> 1);
            }
            assert_eq!(fill(seed, weak), expected, "seed {seed:x}, weak {weak:x}");
        }
        assert_eq!(fill(1 << 63, u64::MAX), u64::MAX);
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
