//! One column of the row group that is being written: the values of a few thousand rows side by side, and the encoder
//! that they are handed to then.

use bytes::BytesMut;
use parquet::{
    column::writer::{ColumnWriter, ColumnWriterImpl},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
        Int64Type,
    },
    errors::ParquetError,
};

use crate::{
    Kind,
    flatten::{
        Value,
        json::{Strings, unescape},
    },
};

/// The values.
pub(super) struct ColumnBuffer {
    values: Values,
    /// What there is, one a row; in lists one an element, with one for a list without any.
    definitions: Vec<i16>,
    /// In lists, one a definition: 0 begins a row, 1 goes on with it.
    repetitions: Vec<i16>,
}

const NULL: i16 = 0;
/// In columns that are no lists.
const VALUE: i16 = 1;
const EMPTY_LIST: i16 = 1;
const ELEMENT: i16 = 2;

enum Values {
    Uuids(Texts),
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Booleans(Vec<bool>),
    Texts(Texts),
    Lists(Texts),
}

/// Texts one after the other.
#[derive(Default)]
struct Texts {
    bytes: BytesMut,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// All of them, as what the encoder takes, and none is left. They share one memory.
    fn split<T>(&mut self, value: impl Fn(ByteArray) -> T) -> Vec<T> {
        let all = self.bytes.split().freeze();
        let mut start = 0;
        self.ends
            .drain(..)
            .map(|end| {
                let text = all.slice(start..end);
                start = end;
                value(ByteArray::from(text))
            })
            .collect()
    }

    /// Makes room for as much again: in the same memory if the encoder has let go of it, in other if it keeps a value
    /// (in a dictionary) and so all of it.
    fn make_room(&mut self, length: usize) {
        self.bytes.reserve(length);
    }
}

impl ColumnBuffer {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Uuid => Values::Uuids(Texts::default()),
            Kind::Timestamp | Kind::Integer => Values::Integers(Vec::new()),
            Kind::Real => Values::Reals(Vec::new()),
            Kind::Boolean => Values::Booleans(Vec::new()),
            Kind::Text | Kind::Json => Values::Texts(Texts::default()),
            Kind::TextList => Values::Lists(Texts::default()),
        };
        Self { values, definitions: Vec::new(), repetitions: Vec::new() }
    }

    /// Appends a value and says how many bytes it takes here. A value of another kind than the column's is null.
    pub(super) fn push(&mut self, value: Value<'_>) -> usize {
        let taken = match (&mut self.values, value) {
            (Values::Uuids(ids), Value::Uuid(id)) => {
                ids.push(id.as_bytes());
                16
            }
            (Values::Integers(numbers), Value::Integer(number) | Value::Timestamp(number)) => {
                numbers.push(number);
                8
            }
            (Values::Reals(numbers), Value::Real(number)) => {
                numbers.push(number);
                8
            }
            (Values::Reals(numbers), Value::Number(digits)) => match digits.parse() {
                Ok(number) => {
                    numbers.push(number);
                    8
                }
                Err(_) => 0,
            },
            (Values::Booleans(values), Value::Boolean(value)) => {
                values.push(value);
                1
            }
            (Values::Texts(texts), Value::Text(text) | Value::Json(text) | Value::TextList(text)) => {
                texts.push(text.as_bytes());
                text.len() + size_of::<usize>()
            }
            (Values::Lists(_), Value::TextList(array)) => return self.push_list(array),
            _ => 0,
        };
        self.definitions.push(if taken == 0 { NULL } else { VALUE });
        if let Values::Lists(_) = self.values {
            self.repetitions.push(0);
        }
        taken + 1
    }

    fn push_list(&mut self, array: &str) -> usize {
        let Values::Lists(texts) = &mut self.values else { return 0 };
        let (before, entries) = (texts.bytes.len(), self.definitions.len());
        let mut plain = String::new();
        for (inside, escaped) in Strings::of(array).flatten() {
            if escaped {
                plain.clear();
                unescape(inside, &mut plain);
                texts.push(plain.as_bytes());
            } else {
                texts.push(inside.as_bytes());
            }
            self.repetitions.push(i16::from(self.definitions.len() > entries));
            self.definitions.push(ELEMENT);
        }
        if self.definitions.len() == entries {
            self.definitions.push(EMPTY_LIST);
            self.repetitions.push(0);
        }
        (texts.bytes.len() - before) + (self.definitions.len() - entries) * (size_of::<usize>() + 2)
    }

    /// Hands over what was gathered and is empty again; its memory is kept for what comes next.
    pub(super) fn write(&mut self, writer: &mut ColumnWriter<'static>) -> Result<(), ParquetError> {
        let Self { values, definitions, repetitions } = self;
        let levels = (&definitions[..], &repetitions[..]);
        match (values, writer) {
            (Values::Uuids(ids), ColumnWriter::FixedLenByteArrayColumnWriter(writer)) => {
                let length = ids.bytes.len();
                write::<FixedLenByteArrayType>(writer, levels, &ids.split(FixedLenByteArray::from))?;
                ids.make_room(length);
            }
            (Values::Integers(numbers), ColumnWriter::Int64ColumnWriter(writer)) => {
                write::<Int64Type>(writer, levels, numbers)?;
                numbers.clear();
            }
            (Values::Reals(numbers), ColumnWriter::DoubleColumnWriter(writer)) => {
                write::<DoubleType>(writer, levels, numbers)?;
                numbers.clear();
            }
            (Values::Booleans(values), ColumnWriter::BoolColumnWriter(writer)) => {
                write::<BoolType>(writer, levels, values)?;
                values.clear();
            }
            (Values::Texts(texts) | Values::Lists(texts), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let length = texts.bytes.len();
                write::<ByteArrayType>(writer, levels, &texts.split(|text| text))?;
                texts.make_room(length);
            }
            _ => return Err(ParquetError::General("the column is of another type in the schema".to_owned())),
        }
        definitions.clear();
        repetitions.clear();
        Ok(())
    }
}

/// `levels`: definitions, and in lists repetitions.
fn write<T: DataType>(
    writer: &mut ColumnWriterImpl<'static, T>,
    (definitions, repetitions): (&[i16], &[i16]),
    values: &[T::T],
) -> Result<(), ParquetError> {
    let repetitions = (!repetitions.is_empty()).then_some(repetitions);
    writer.write_batch(values, Some(definitions), repetitions).map(drop)
}
