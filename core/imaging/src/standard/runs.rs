//! Runs of deviating pixels, and which of them hang together.

/// A horizontal run of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub y: u32,
    pub start: u32,
    /// One past the last pixel.
    pub end: u32,
}

impl Run {
    pub(super) fn length(self) -> u32 {
        self.end - self.start
    }
}

/// Disjoint sets over run numbers; the smallest number stands for its set.
pub(super) struct Sets(Vec<u32>);

impl Sets {
    pub(super) fn of(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    pub(super) fn find(&mut self, mut i: u32) -> u32 {
        while self.0[i as usize] != i {
            let above = self.0[self.0[i as usize] as usize];
            self.0[i as usize] = above;
            i = above;
        }
        i
    }

    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

/// The runs of non-zero pixels, row by row.
pub(super) fn extract(plane: &[u8], width: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    for (y, row) in plane.chunks_exact(width.max(1)).enumerate() {
        let mut x = 0;
        while let Some(skip) = first(&row[x..], |v| v != 0) {
            let start = x + skip;
            let end = first(&row[start..], |v| v == 0).map_or(width, |length| start + length);
            runs.push(Run { y: y as u32, start: start as u32, end: end as u32 });
            x = end;
        }
    }
    runs
}

/// The first place that `wanted` holds; long stretches of zeros are passed sixteen at a time.
#[inline]
fn first(row: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let (chunks, rest) = row.as_chunks::<16>();
    let zeros_wanted = wanted(0);
    for (i, chunk) in chunks.iter().enumerate() {
        let worth_it = zeros_wanted || u128::from_ne_bytes(*chunk) != 0;
        if worth_it && let Some(at) = chunk.iter().position(|&v| wanted(v)) {
            return Some(i * 16 + at);
        }
    }
    rest.iter().position(|&v| wanted(v)).map(|at| chunks.len() * 16 + at)
}

/// Joins runs whose pixels come within `reach` rows and columns of each other (1: 8-connected).
pub(super) fn connect(runs: &[Run], reach: u32) -> Sets {
    let mut sets = Sets::of(runs.len());
    // For every distance in rows, the first run of that row that may still touch.
    let mut near = vec![0usize; reach as usize + 1];
    for (i, run) in runs.iter().enumerate() {
        let before = i.checked_sub(1).map(|b| runs[b]).filter(|b| b.y == run.y);
        if before.is_some_and(|b| run.start - b.end < reach) {
            sets.join(i as u32, i as u32 - 1);
        }
        for up in 1..=reach.min(run.y) {
            let row = run.y - up;
            let j = &mut near[up as usize];
            while *j < i && (runs[*j].y < row || (runs[*j].y == row && runs[*j].end + reach <= run.start)) {
                *j += 1;
            }
            let mut k = *j;
            while k < i && runs[k].y == row && runs[k].start < run.end + reach {
                sets.join(k as u32, i as u32);
                k += 1;
            }
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(picture: &[&str], reach: u32) -> usize {
        let width = picture[0].len();
        let plane: Vec<u8> = picture.iter().flat_map(|r| r.bytes().map(|b| u8::from(b == b'#'))).collect();
        let runs = extract(&plane, width);
        let mut sets = connect(&runs, reach);
        let mut roots: Vec<u32> = (0..runs.len() as u32).map(|i| sets.find(i)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots.len()
    }

    #[test]
    fn corners_touch() {
        assert_eq!(count(&["#..#", ".##.", "....", "#..#"], 1), 3);
    }

    #[test]
    fn a_u_and_a_comb_are_one() {
        assert_eq!(count(&["#.#.#.#.#.#.#.#.#.#.#", "#####################"], 1), 1);
        assert_eq!(count(&["#...................#", "#...................#", "#####################"], 1), 1);
    }

    #[test]
    fn reach_joins_what_is_near_but_not_what_is_far() {
        let picture = ["##.....##", ".........", ".........", "..#......", "........."];
        assert_eq!(count(&picture, 1), 3);
        assert_eq!(count(&picture, 3), 2);
        assert_eq!(count(&picture, 6), 1);
    }
}
