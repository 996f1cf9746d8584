//! What may stand in a cell, and what a column says about its cells.

use chrono::{DateTime, Utc};

/// One value of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Any text from anywhere: made harmless on its way out.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A number; not a number and the infinities are allowed.
    Float(f64),
    /// Yes or no.
    Boolean(bool),
    /// A moment.
    Time(DateTime<Utc>),
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Cell<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u64> for Cell<'_> {
    /// Beyond the range of [`i64`] the nearest number that can be said.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<DateTime<Utc>> for Cell<'_> {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

/// A column: its name, and what its cells mostly are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Stands in the header.
    pub name: String,
    /// Decides width and number format. A cell of another type is still written as what it is.
    pub kind: Kind,
}

impl Column {
    /// A column of that name and kind.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// What the cells of a column mostly are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A word or a short name.
    Text,
    /// Sentences, paths, documents.
    LongText,
    /// A UUID.
    Id,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Float,
    /// Yes or no.
    Boolean,
    /// Moments.
    Time,
}
