//! Walks every state that can be reached, breadth first, so that a counterexample is a shortest one; then looks whether
//! every path of fair moves ends.
//!
//! A checker of our own: it is short, it answers with the path, and it checks that paths end on a graph in which paths
//! meet again, which ready-made ones pass over.

use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use crate::{
    bounds::Bounds,
    moves::{Move, is_at_rest, moves},
    properties::Property,
    state::State,
    step::{Flaw, step},
};

/// What a walk found.
#[derive(Debug)]
pub struct Walk {
    /// States that were reached.
    pub states: usize,
    /// Moves that were tried.
    pub moves: usize,
    /// The first property that did not hold.
    pub counterexample: Option<Counterexample>,
}

/// A property that does not hold, and the moves that show it.
#[derive(Debug)]
pub struct Counterexample {
    /// What did not hold.
    pub property: Property,
    /// From the start.
    pub path: Vec<Move>,
}

struct Found {
    state: Rc<State>,
    from: Option<(usize, Move)>,
    fair: Vec<usize>,
    /// One of these comes whoever is dead.
    goes_on: bool,
}

/// Walks all states within the bounds, under rules of which one may be flawed.
pub fn walk(bounds: &Bounds, flaw: Option<Flaw>, properties: &[Property]) -> Walk {
    let start = Rc::new(State::new(bounds));
    let mut seen = HashMap::from([(Rc::clone(&start), 0)]);
    let mut found = vec![Found { state: start, from: None, fair: Vec::new(), goes_on: false }];
    let mut queue = VecDeque::from([0]);
    let mut made_moves = 0;
    while let Some(at) = queue.pop_front() {
        let before = Rc::clone(&found[at].state);
        for made in moves(bounds, &before) {
            let taken = step(bounds, flaw, &before, made);
            made_moves += 1;
            let broken = properties.iter().find(|p| !p.holds(bounds, &before, made, &taken));
            if let Some(&property) = broken {
                let mut path = path_to(&found, at);
                path.push(made);
                let counterexample = Some(Counterexample { property, path });
                return Walk { states: found.len(), moves: made_moves, counterexample };
            }
            if taken.after == *before {
                continue;
            }
            let after = Rc::new(taken.after);
            let to = *seen.entry(Rc::clone(&after)).or_insert_with(|| {
                found.push(Found { state: after, from: Some((at, made)), fair: Vec::new(), goes_on: false });
                queue.push_back(found.len() - 1);
                found.len() - 1
            });
            if made.is_fair() {
                found[at].fair.push(to);
                found[at].goes_on |= made.is_certain();
            }
        }
    }
    let counterexample = if properties.contains(&Property::EveryFairPathEnds) {
        endless(&found)
            .map(|at| Counterexample { property: Property::EveryFairPathEnds, path: path_to(&found, at) })
    } else {
        None
    };
    Walk { states: found.len(), moves: made_moves, counterexample }
}

fn path_to(found: &[Found], mut at: usize) -> Vec<Move> {
    let mut path = Vec::new();
    while let Some((from, made)) = found[at].from {
        path.push(made);
        at = from;
    }
    path.reverse();
    path
}

/// A state from which fair moves lead nowhere, or round and round: what is left when every state whose fair moves all
/// lead to an end has been taken away, again and again.
fn endless(found: &[Found]) -> Option<usize> {
    let mut back = vec![Vec::new(); found.len()];
    let mut open: Vec<usize> = found.iter().map(|state| state.fair.len()).collect();
    for (at, state) in found.iter().enumerate() {
        for &to in &state.fair {
            back[to].push(at);
        }
    }
    let mut ended: VecDeque<usize> =
        (0..found.len()).filter(|&at| open[at] == 0 && is_at_rest(&found[at].state)).collect();
    let mut ends = vec![false; found.len()];
    while let Some(at) = ended.pop_front() {
        ends[at] = true;
        for &before in &back[at] {
            open[before] -= 1;
            // Where nothing is certain to happen, the job is stuck as soon as its holder is dead.
            if open[before] == 0 && (found[before].goes_on || is_at_rest(&found[before].state)) {
                ended.push_back(before);
            }
        }
    }
    ends.iter().position(|ends| !ends)
}
