//! What can be exported: the columns of each table, and the columns that their JSON fields become where a format has
//! only flat ones. Data, no code: a new key of a JSON field is one line here.
//!
//! A key that is not listed is not lost: `…_other` holds what is left over, and also a listed key whose value is not of
//! the listed kind.

mod analyses;
mod jobs;
mod reports;
mod training_sessions;

/// A table that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// `analyses`.
    Analyses,
    /// `reports`.
    Reports,
    /// `jobs`.
    Jobs,
    /// `training_sessions`.
    TrainingSessions,
}

impl Dataset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Analyses, Self::Reports, Self::Jobs, Self::TrainingSessions];

    /// The name of the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analyses => "analyses",
            Self::Reports => "reports",
            Self::Jobs => "jobs",
            Self::TrainingSessions => "training_sessions",
        }
    }

    /// The columns of the table that an export knows, in the order of a file.
    #[must_use]
    pub fn columns(self) -> &'static [SourceColumn] {
        match self {
            Self::Analyses => analyses::COLUMNS,
            Self::Reports => reports::COLUMNS,
            Self::Jobs => jobs::COLUMNS,
            Self::TrainingSessions => training_sessions::COLUMNS,
        }
    }
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An id.
    Uuid,
    /// A moment, to the microsecond, UTC.
    Timestamp,
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number. Text formats write it with the digits that it has in the database.
    Real,
    /// Yes or no.
    Boolean,
    /// JSON of any shape, as text.
    Json,
    /// An array of strings: a list in Parquet, JSON elsewhere.
    TextList,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name in the database.
    pub name: &'static str,
    /// Its type: never [`Kind::TextList`].
    pub kind: Kind,
    /// Whether only the service may see it: how the queue works inside is not for users.
    pub internal: bool,
    /// What the flat formats make of a JSON column; empty for the others.
    pub fields: &'static [Field],
    /// Whether the flat formats keep the JSON column itself beside its fields; if not, they have a column for what is
    /// left over.
    pub whole: bool,
    /// The name of that column.
    pub other: &'static str,
}

impl SourceColumn {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, internal: false, fields: &[], whole: true, other: "" }
    }

    const fn internal(name: &'static str, kind: Kind) -> Self {
        Self { internal: true, ..Self::new(name, kind) }
    }

    /// JSON that is taken apart; what is left over goes into the column `other`.
    const fn flattened(name: &'static str, fields: &'static [Field], other: &'static str) -> Self {
        Self { fields, whole: false, other, ..Self::new(name, Kind::Json) }
    }

    /// JSON of many shapes: kept, with some fields beside it.
    const fn whole(name: &'static str, fields: &'static [Field]) -> Self {
        Self { fields, ..Self::new(name, Kind::Json) }
    }
}

/// A column that a key of a JSON field becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name of the column: that of the JSON column and the keys, joined by `_`.
    pub name: &'static str,
    /// The keys that lead to the value; one or two.
    pub path: &'static [&'static str],
    /// Its type.
    pub kind: Kind,
}

impl Field {
    const fn new(name: &'static str, path: &'static [&'static str], kind: Kind) -> Self {
        Self { name, path, kind }
    }
}
