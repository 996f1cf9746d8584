//! One look at each JSON field of a row, whatever number of formats wants it: where in the text the value of each flat
//! column lies. Nothing is copied but strings with escapes and what is left over.

mod fields;
pub(crate) mod json;

use uuid::Uuid;

use crate::{
    Cell, EncodeError, Kind, Selection,
    cell::can_be_said,
    dataset::SourceColumn,
    selection::{Column, Part},
};
use fields::Plan;

/// Takes rows apart; keeps its buffers from row to row.
pub(crate) struct Flattener {
    sources: Vec<&'static SourceColumn>,
    /// Of each source column that must be taken apart.
    plans: Vec<Option<Plan>>,
    /// The first slot of each source column.
    first_slots: Vec<usize>,
    found: Found,
}

/// What was found in a row.
#[derive(Default)]
struct Found {
    slots: Vec<Slot>,
    /// Texts that do not lie in the row as they are.
    scratch: String,
}

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Slot {
    Null,
    /// In the text of the source column.
    Source(usize, usize),
    /// In the scratch.
    Scratch(usize, usize),
    Integer(i64),
    Timestamp(i64),
    Uuid(Uuid),
    Boolean(bool),
}

/// A value of a column of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Uuid(Uuid),
    /// Microseconds since 1970, within the years 1 to 9999.
    Timestamp(i64),
    Text(&'a str),
    Integer(i64),
    /// Finite.
    Real(f64),
    /// A finite number as JSON spells it.
    Number(&'a str),
    Boolean(bool),
    /// JSON text.
    Json(&'a str),
    /// The text of a JSON array of strings.
    TextList(&'a str),
}

/// A row as encoders see it.
pub(crate) struct Record<'a> {
    cells: &'a [Cell<'a>],
    first_slots: &'a [usize],
    sources: &'a [&'static SourceColumn],
    found: &'a Found,
}

impl Flattener {
    /// `columns`: all columns that any of the files has.
    pub(crate) fn new<'a>(selection: &Selection, columns: impl IntoIterator<Item = &'a Column>) -> Self {
        let sources = selection.source_columns().to_vec();
        let mut taken_apart = vec![false; sources.len()];
        for column in columns {
            taken_apart[column.source] |= column.part != Part::Whole;
        }
        let (mut plans, mut first_slots, mut slots) = (Vec::new(), Vec::new(), 0);
        for (source, taken_apart) in sources.iter().zip(taken_apart) {
            plans.push(taken_apart.then(|| Plan::new(source, slots)));
            first_slots.push(slots);
            slots += source.fields.len() + 1;
        }
        let found = Found { slots: vec![Slot::Null; slots], scratch: String::new() };
        Self { sources, plans, first_slots, found }
    }

    /// Cells in the order of [`Selection::source_columns`].
    pub(crate) fn flatten<'a>(&'a mut self, cells: &'a [Cell<'a>]) -> Result<Record<'a>, EncodeError> {
        if cells.len() != self.sources.len() {
            return Err(EncodeError::Width { expected: self.sources.len(), given: cells.len() });
        }
        self.found.scratch.clear();
        for ((cell, source), plan) in cells.iter().zip(&self.sources).zip(&self.plans) {
            if !is_of(cell, source.kind) {
                return Err(EncodeError::WrongKind { column: source.name, kind: source.kind });
            }
            let Some(plan) = plan else { continue };
            self.found.slots[plan.slots()].fill(Slot::Null);
            if let Cell::Json(text) = cell {
                plan.take_apart(text, &mut self.found)
                    .ok_or(EncodeError::MalformedJson { column: source.name })?;
            }
        }
        Ok(Record { cells, first_slots: &self.first_slots, sources: &self.sources, found: &self.found })
    }
}

fn is_of(cell: &Cell<'_>, kind: Kind) -> bool {
    matches!(
        (cell, kind),
        (Cell::Null, _)
            | (Cell::Uuid(_), Kind::Uuid)
            | (Cell::Timestamp(_), Kind::Timestamp)
            | (Cell::Text(_), Kind::Text)
            | (Cell::Integer(_), Kind::Integer)
            | (Cell::Real(_), Kind::Real)
            | (Cell::Boolean(_), Kind::Boolean)
            | (Cell::Json(_), Kind::Json)
    )
}

impl Record<'_> {
    #[inline]
    pub(crate) fn value(&self, column: &Column) -> Value<'_> {
        match column.part {
            Part::Whole => self.whole(column.source),
            Part::Field(field) => self.slot(column, self.first_slots[column.source] + field),
            Part::Other => {
                let fields = self.sources[column.source].fields.len();
                self.slot(column, self.first_slots[column.source] + fields)
            }
        }
    }

    fn whole(&self, source: usize) -> Value<'_> {
        match self.cells[source] {
            Cell::Uuid(id) => Value::Uuid(id),
            Cell::Timestamp(micros) if can_be_said(micros) => Value::Timestamp(micros),
            Cell::Text(text) => Value::Text(text),
            Cell::Integer(number) => Value::Integer(number),
            Cell::Real(number) if number.is_finite() => Value::Real(number),
            Cell::Boolean(value) => Value::Boolean(value),
            Cell::Json(text) => Value::Json(text),
            Cell::Null | Cell::Timestamp(_) | Cell::Real(_) => Value::Null,
        }
    }

    #[inline]
    fn slot(&self, column: &Column, slot: usize) -> Value<'_> {
        let text = match self.found.slots[slot] {
            Slot::Null => return Value::Null,
            Slot::Integer(number) => return Value::Integer(number),
            Slot::Timestamp(micros) => return Value::Timestamp(micros),
            Slot::Uuid(id) => return Value::Uuid(id),
            Slot::Boolean(value) => return Value::Boolean(value),
            Slot::Scratch(start, end) => &self.found.scratch[start..end],
            Slot::Source(start, end) => match self.cells[column.source] {
                Cell::Json(text) => &text[start..end],
                _ => return Value::Null,
            },
        };
        match column.kind {
            Kind::Text => Value::Text(text),
            Kind::Real => Value::Number(text),
            Kind::TextList => Value::TextList(text),
            _ => Value::Json(text),
        }
    }
}
