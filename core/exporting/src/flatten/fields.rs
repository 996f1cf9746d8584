//! Finds the fields of one JSON column in its text.

use std::ops::Range;

use chrono::DateTime;
use uuid::Uuid;

use super::{
    Found, Slot,
    json::{Scanner, Shape, Strings, Token, unescape},
};
use crate::{Kind, cell::can_be_said, dataset::SourceColumn};

/// Which key goes where.
pub(super) struct Plan {
    slots: Range<usize>,
    /// In the order in which `jsonb` has its keys: by length, then by bytes. So the next key of a text is nearly always
    /// the next one here, or one soon after it.
    keys: Vec<Key>,
}

struct Key {
    name: &'static str,
    target: Target,
}

enum Target {
    Field { slot: usize, kind: Kind },
    Object(Vec<Key>),
}

impl Plan {
    /// `first`: the slot of the first field; the slot after the last field is for what is left over.
    pub(super) fn new(source: &SourceColumn, first: usize) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        for (place, field) in source.fields.iter().enumerate() {
            let target = Target::Field { slot: first + place, kind: field.kind };
            match *field.path {
                [name] => keys.push(Key { name, target }),
                [outer, name] => {
                    let inner = Key { name, target };
                    match keys.iter_mut().find(|key| key.name == outer) {
                        Some(Key { target: Target::Object(inners), .. }) => inners.push(inner),
                        _ => keys.push(Key { name: outer, target: Target::Object(vec![inner]) }),
                    }
                }
                _ => {}
            }
        }
        sort(&mut keys);
        Self { slots: first..first + source.fields.len() + 1, keys }
    }

    /// The slots of its fields, and the one for what is left over.
    pub(super) fn slots(&self) -> Range<usize> {
        self.slots.clone()
    }

    /// Fills the slots, which are null; `None` if the text is not JSON.
    pub(super) fn take_apart(&self, text: &str, found: &mut Found) -> Option<()> {
        let other = self.slots.end - 1;
        let mut scanner = Scanner::at(text, 0);
        if scanner.is_at_object() {
            let mut left_over = String::new();
            object(text, &mut scanner, &self.keys, found, &mut left_over)?;
            if !left_over.is_empty() {
                left_over.push('}');
                found.slots[other] = keep(&left_over, found);
            }
        } else {
            let token = scanner.value()?;
            if token.shape != Shape::Null {
                found.slots[other] = Slot::Source(token.start, token.end);
            }
        }
        scanner.is_done().then_some(())
    }
}

fn sort(keys: &mut [Key]) {
    keys.sort_by_key(|key| (key.name.len(), key.name));
    for key in keys {
        if let Target::Object(inner) = &mut key.target {
            sort(inner);
        }
    }
}

/// Reads an object; what no key wants is appended to `left_over`, which then lacks its closing bracket.
fn object(
    text: &str,
    scanner: &mut Scanner<'_>,
    keys: &[Key],
    found: &mut Found,
    left_over: &mut String,
) -> Option<()> {
    let mut next = 0;
    let mut first = true;
    if !scanner.takes(b'{') {
        return None;
    }
    while !scanner.takes(b'}') {
        if !first && !scanner.takes(b',') {
            return None;
        }
        first = false;
        let name = scanner.value()?;
        let Shape::String { .. } = name.shape else { return None };
        if !scanner.takes(b':') {
            return None;
        }
        let key = position(keys, next, text.get(name.start + 1..name.end - 1)?);
        if let Some(place) = key {
            next = place + 1;
        }
        let target = key.map(|place| &keys[place].target);
        if let Some(Target::Object(inner)) = target
            && scanner.is_at_object()
        {
            let mut inner_left_over = String::new();
            object(text, scanner, inner, found, &mut inner_left_over)?;
            if !inner_left_over.is_empty() {
                inner_left_over.push('}');
                append(left_over, text.get(name.start..name.end)?, &inner_left_over);
            }
            continue;
        }
        let value = scanner.value()?;
        let fits = match target {
            Some(Target::Field { slot, kind }) => {
                let slot_of_value = read(text, value, *kind, found);
                // Of a repeated key the last counts, also when it is of a wrong type.
                found.slots[*slot] = slot_of_value.unwrap_or(Slot::Null);
                slot_of_value.is_some()
            }
            Some(Target::Object(_)) => value.shape == Shape::Null,
            None => false,
        };
        if !fits {
            append(left_over, text.get(name.start..name.end)?, text.get(value.start..value.end)?);
        }
    }
    Some(())
}

/// Looks from `next` on, then from the beginning.
#[inline]
fn position(keys: &[Key], next: usize, name: &str) -> Option<usize> {
    let is_it = |key: &Key| key.name == name;
    match keys[next..].iter().position(is_it) {
        Some(further) => Some(next + further),
        None => keys[..next].iter().position(is_it),
    }
}

fn append(left_over: &mut String, name: &str, value: &str) {
    left_over.push_str(if left_over.is_empty() { "{" } else { ", " });
    left_over.push_str(name);
    left_over.push_str(": ");
    left_over.push_str(value);
}

fn keep(text: &str, found: &mut Found) -> Slot {
    let start = found.scratch.len();
    found.scratch.push_str(text);
    Slot::Scratch(start, found.scratch.len())
}

/// Where the value is, if it is of that kind. JSON null is of every kind.
fn read(text: &str, token: Token, kind: Kind, found: &mut Found) -> Option<Slot> {
    let Token { shape, start, end } = token;
    match (kind, shape) {
        (_, Shape::Null) => Some(Slot::Null),
        (Kind::Json, _) => Some(Slot::Source(start, end)),
        (Kind::Text, Shape::String { escaped: false }) => Some(Slot::Source(start + 1, end - 1)),
        (Kind::Text, Shape::String { escaped: true }) => {
            let from = found.scratch.len();
            unescape(text.get(start + 1..end - 1)?, &mut found.scratch);
            Some(Slot::Scratch(from, found.scratch.len()))
        }
        (Kind::Real, Shape::Number) => is_finite(&text[start..end]).then_some(Slot::Source(start, end)),
        (Kind::Integer, Shape::Number) => whole_number(&text[start..end]).map(Slot::Integer),
        (Kind::Boolean, Shape::True) => Some(Slot::Boolean(true)),
        (Kind::Boolean, Shape::False) => Some(Slot::Boolean(false)),
        (Kind::Uuid, Shape::String { escaped: false }) => {
            Uuid::try_parse(text.get(start + 1..end - 1)?).ok().map(Slot::Uuid)
        }
        (Kind::Timestamp, Shape::String { escaped: false }) => {
            let micros = DateTime::parse_from_rfc3339(text.get(start + 1..end - 1)?).ok()?.timestamp_micros();
            can_be_said(micros).then_some(Slot::Timestamp(micros))
        }
        (Kind::TextList, Shape::Array) => Strings::of(text.get(start..end)?)
            .all(|string| string.is_some())
            .then_some(Slot::Source(start, end)),
        _ => None,
    }
}

/// Whether an [`f64`] has this size.
fn is_finite(number: &str) -> bool {
    let is_short = number.len() <= 300 && !number.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    is_short || number.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `3`, and `3.0`, which PostgreSQL keeps apart.
fn whole_number(number: &str) -> Option<i64> {
    let digits = match number.split_once('.') {
        Some((digits, zeros)) => zeros.bytes().all(|byte| byte == b'0').then_some(digits)?,
        None => number,
    };
    digits.parse().ok()
}

#[cfg(test)]
mod tests;
