//! One value of a row, as the database gave it: borrowed, and nothing decoded that is not needed.

use uuid::Uuid;

/// A value of a source column. JSON is the text that PostgreSQL prints for `jsonb`: it is taken to be well-formed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// SQL null, whatever the column's kind.
    Null,
    /// `uuid`.
    Uuid(Uuid),
    /// `timestamptz`: microseconds since 1970-01-01 in UTC. A time that RFC 3339 cannot say (before year 1, after year
    /// 9999, the infinities of PostgreSQL) becomes null in every format.
    Timestamp(i64),
    /// `text`.
    Text(&'a str),
    /// `smallint`, `integer`, `bigint`.
    Integer(i64),
    /// `double precision`; not a number and the infinities become null in every format.
    Real(f64),
    /// `boolean`.
    Boolean(bool),
    /// `jsonb`.
    Json(&'a str),
}

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL begins to count.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// 0001-01-01 in microseconds since 1970.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;

/// 10000-01-01 in microseconds since 1970.
const AFTER_LAST_MICROS: i64 = 253_402_300_800_000_000;

impl Cell<'_> {
    /// A `timestamptz` as PostgreSQL sends it in binary: microseconds since 2000-01-01, with both ends of the range
    /// for the infinities.
    #[must_use]
    pub fn postgres_timestamp(micros: i64) -> Self {
        match micros {
            i64::MIN | i64::MAX => Self::Null,
            micros => Self::Timestamp(micros.saturating_add(POSTGRES_EPOCH_MICROS)),
        }
    }
}

/// Whether RFC 3339 can say this time.
pub(crate) fn can_be_said(micros: i64) -> bool {
    (FIRST_MICROS..AFTER_LAST_MICROS).contains(&micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinite_times_are_null() {
        assert_eq!(Cell::postgres_timestamp(i64::MAX), Cell::Null);
        assert_eq!(Cell::postgres_timestamp(i64::MIN), Cell::Null);
        assert_eq!(Cell::postgres_timestamp(0), Cell::Timestamp(946_684_800_000_000));
    }

    #[test]
    fn times_of_four_digit_years_can_be_said() {
        for (micros, expected) in [
            (0, true),
            (FIRST_MICROS, true),
            (FIRST_MICROS - 1, false),
            (AFTER_LAST_MICROS - 1, true),
            (AFTER_LAST_MICROS, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(can_be_said(micros), expected, "{micros}");
        }
    }
}
