//! When may a lease be swept, if the database was away? Outages, the heartbeat of a live worker, and the contact that
//! sweepers note, tick by tick: every order of them.
//!
//! The rest of the model has no clock, because its statements need none. This rule is about nothing else, so it is
//! walked through apart. `core/src/db/queue/sweep.rs` is what it is the model of.

use std::collections::{HashSet, VecDeque};

/// Ticks of a lease.
pub const LEASE: u8 = 12;
/// A live worker renews when its last renewal is so old: a third of a lease.
const RENEWAL: u8 = LEASE / 3;
/// After an outage its connection is back, and the lease renewed, within so many ticks.
const RECONNECT: u8 = 1;
/// Between two outages the database is there for so long. A shorter while helps nobody who has to come back, and who
/// looks in just that moment cannot know.
const BETWEEN_OUTAGES: u8 = RECONNECT + 1;
/// A contact ends with a gap of half a lease.
const GAP: u8 = LEASE / 2;

/// Rules that look right and are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactFlaw {
    /// Sweeps whatever has run out.
    NoContactNeeded,
    /// A gap as long as a lease.
    LongGap,
    /// A new look takes the contact for unbroken, however long ago the last one was.
    GapUnseen,
    /// Sweeps on what was seen before a pause, without asking the table again.
    OldProof,
    /// Correct and useless where workers die often: only what this process has seen itself counts.
    OwnContactOnly,
}

/// One moment. Ages are capped where they make no more difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Since the holder's last renewal.
    pub renewed: u8,
    /// Ticks of being up that the holder still needs for its connection.
    pub reconnect: u8,
    /// How long the contact has lasted.
    pub contact: u8,
    /// Since somebody looked.
    pub looked: u8,
    /// The sweeper's proof from before its pause, for the flaw that uses it.
    pub proof: bool,
    /// How long the process that sweeps has lived.
    pub lived: u8,
    /// How long the database has been there.
    pub up: u8,
}

/// What the world does in one tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// The database is away.
    Down,
    /// It is there and nobody looks.
    Up,
    /// It is there and somebody looks; whether it is the one who looked last.
    Look {
        /// A process that has just been started, because the one before is dead.
        fresh: bool,
    },
}

/// All of them.
pub const TICKS: [Tick; 4] = [Tick::Down, Tick::Up, Tick::Look { fresh: false }, Tick::Look { fresh: true }];

impl Moment {
    /// The holder has just renewed, and nobody has ever looked.
    #[must_use]
    pub fn first() -> Self {
        Self {
            renewed: 0,
            reconnect: 0,
            contact: 0,
            looked: GAP * 2 + 1,
            proof: false,
            lived: 0,
            up: BETWEEN_OUTAGES,
        }
    }

    /// One tick later; whether the lease was swept.
    #[must_use]
    pub fn after(self, tick: Tick, holder_lives: bool, flaw: Option<ContactFlaw>) -> (Self, bool) {
        let aged = |age: u8, cap: u8| (age + 1).min(cap);
        let mut next = Self {
            renewed: aged(self.renewed, LEASE + 1),
            contact: aged(self.contact, LEASE),
            looked: aged(self.looked, GAP * 2 + 1),
            lived: aged(self.lived, LEASE),
            up: aged(self.up, BETWEEN_OUTAGES),
            ..self
        };
        if tick == Tick::Down {
            return (Self { reconnect: RECONNECT, lived: 0, up: 0, ..next }, false);
        }
        // The look comes first: the holder is never quicker than the sweeper.
        let swept = match tick {
            Tick::Look { fresh } => next.look(fresh, flaw),
            _ => false,
        };
        if holder_lives && next.reconnect == 0 && next.renewed >= RENEWAL {
            next.renewed = 0;
        }
        next.reconnect = next.reconnect.saturating_sub(1);
        (next, swept)
    }

    fn look(&mut self, fresh: bool, flaw: Option<ContactFlaw>) -> bool {
        let gap = if flaw == Some(ContactFlaw::LongGap) { LEASE } else { GAP };
        if fresh {
            self.lived = 0;
        }
        let old_proof = self.proof;
        if self.looked > gap && flaw != Some(ContactFlaw::GapUnseen) {
            self.contact = 0;
        }
        self.looked = 0;
        self.proof = self.contact >= LEASE;
        let proved = match flaw {
            Some(ContactFlaw::NoContactNeeded) => true,
            Some(ContactFlaw::OldProof) => old_proof || self.proof,
            Some(ContactFlaw::OwnContactOnly) => self.lived >= LEASE,
            _ => self.proof,
        };
        proved && self.renewed > LEASE
    }
}

/// Walks through every order of ticks; answers how many moments there are, and the ticks that take a lease from a
/// holder who lives.
#[must_use]
pub fn live_lease_swept(flaw: Option<ContactFlaw>) -> (usize, Option<Vec<Tick>>) {
    let mut seen = HashSet::from([Moment::first()]);
    let mut queue = VecDeque::from([(Moment::first(), Vec::new())]);
    while let Some((moment, path)) = queue.pop_front() {
        for tick in TICKS {
            if tick == Tick::Down && (1..BETWEEN_OUTAGES).contains(&moment.up) {
                continue;
            }
            let (next, swept) = moment.after(tick, true, flaw);
            let path: Vec<Tick> = path.iter().copied().chain([tick]).collect();
            if swept {
                return (seen.len(), Some(path));
            }
            if seen.insert(next) {
                queue.push_back((next, path));
            }
        }
    }
    (seen.len(), None)
}

/// The most ticks from the death of a holder, at any moment of any history, to the sweep of its lease, while somebody
/// looks at least every other tick and every process lives for `lives` ticks only; `None` if it may be never.
#[must_use]
pub fn longest_wait(flaw: Option<ContactFlaw>, lives: u8) -> Option<u8> {
    let mut worst = 0;
    for renewed in 0..=RENEWAL {
        for looked in 0..=1 {
            // Somebody has looked all the time before.
            let mut moment = Moment {
                renewed,
                reconnect: 0,
                contact: LEASE,
                looked,
                proof: true,
                lived: LEASE,
                up: BETWEEN_OUTAGES,
            };
            let mut waited = 0;
            loop {
                waited += 1;
                let tick = match (waited % 2, waited % (2 * lives.max(1))) {
                    (_, 0) => Tick::Look { fresh: true },
                    (0, _) => Tick::Look { fresh: false },
                    _ => Tick::Up,
                };
                let (next, swept) = moment.after(tick, false, flaw);
                if swept {
                    worst = worst.max(waited);
                    break;
                }
                if waited > 20 * LEASE {
                    return None;
                }
                moment = next;
            }
        }
    }
    Some(worst)
}
