//! One column of the row group that is being gathered: its values side by side, and which rows have one.

use bytes::Bytes;
use parquet::{
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
        Int64Type,
    },
    errors::ParquetError,
    file::writer::SerializedColumnWriter,
};

use crate::{
    Kind,
    flatten::{
        Value,
        json::{Strings, unescape},
    },
};

/// Rows that are handed over at once, which bounds the memory for references to text.
const BATCH_ROWS: usize = 8_192;

/// The column.
pub(super) struct ColumnBuffer {
    values: Values,
    /// What there is, one a row; in lists one an element, with one for a list without any.
    definitions: Vec<u8>,
    /// In lists, one a definition: 0 begins a row, 1 goes on with it.
    repetitions: Vec<u8>,
}

const NULL: u8 = 0;
/// In columns that are no lists.
const VALUE: u8 = 1;
const EMPTY_LIST: u8 = 1;
const ELEMENT: u8 = 2;

enum Values {
    Uuids(Vec<u8>),
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Booleans(Vec<bool>),
    Texts(Texts),
    Lists(Texts),
}

/// Texts one after the other.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }
}

impl ColumnBuffer {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Uuid => Values::Uuids(Vec::new()),
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
            (Values::Uuids(bytes), Value::Uuid(id)) => {
                bytes.extend_from_slice(id.as_bytes());
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
                texts.push(text);
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
                texts.push(&plain);
            } else {
                texts.push(inside);
            }
            self.repetitions.push(u8::from(self.definitions.len() > entries));
            self.definitions.push(ELEMENT);
        }
        if self.definitions.len() == entries {
            self.definitions.push(EMPTY_LIST);
            self.repetitions.push(0);
        }
        (texts.bytes.len() - before) + (self.definitions.len() - entries) * (size_of::<usize>() + 2)
    }

    /// Writes what was gathered and is empty again; its memory is kept for the next row group.
    pub(super) fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let Self { values, definitions, repetitions } = self;
        let levels = (&definitions[..], &repetitions[..]);
        match values {
            Values::Uuids(bytes) => {
                let all = Bytes::from(std::mem::take(bytes));
                write_all::<FixedLenByteArrayType>(&mut writer, levels, VALUE, |at| {
                    FixedLenByteArray::from(ByteArray::from(all.slice(at * 16..at * 16 + 16)))
                })?;
                writer.close()?;
                *bytes = emptied(all);
            }
            Values::Integers(numbers) => {
                write_all::<Int64Type>(&mut writer, levels, VALUE, |at| numbers[at])?;
                writer.close()?;
                numbers.clear();
            }
            Values::Reals(numbers) => {
                write_all::<DoubleType>(&mut writer, levels, VALUE, |at| numbers[at])?;
                writer.close()?;
                numbers.clear();
            }
            Values::Booleans(values) => {
                write_all::<BoolType>(&mut writer, levels, VALUE, |at| values[at])?;
                writer.close()?;
                values.clear();
            }
            Values::Texts(texts) => write_texts(writer, levels, VALUE, texts)?,
            Values::Lists(texts) => write_texts(writer, levels, ELEMENT, texts)?,
        }
        definitions.clear();
        repetitions.clear();
        Ok(())
    }
}

fn write_texts(
    mut writer: SerializedColumnWriter<'_>,
    levels: (&[u8], &[u8]),
    full: u8,
    texts: &mut Texts,
) -> Result<(), ParquetError> {
    let all = Bytes::from(std::mem::take(&mut texts.bytes));
    let mut start = 0;
    write_all::<ByteArrayType>(&mut writer, levels, full, |at| {
        let end = texts.ends[at];
        let text = all.slice(start..end);
        start = end;
        ByteArray::from(text)
    })?;
    writer.close()?;
    texts.bytes = emptied(all);
    texts.ends.clear();
    Ok(())
}

/// The memory of values that nobody refers to any more: the writer is closed.
fn emptied(all: Bytes) -> Vec<u8> {
    let mut bytes = Vec::from(all);
    bytes.clear();
    bytes
}

/// `levels`: definitions, and in lists repetitions; `full`: the definition that has a value; `value`: the values by
/// their number, asked for in order.
fn write_all<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    (definitions, repetitions): (&[u8], &[u8]),
    full: u8,
    mut value: impl FnMut(usize) -> T::T,
) -> Result<(), ParquetError> {
    let writer = writer.typed::<T>();
    let (mut batch, mut batch_definitions, mut batch_repetitions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut start, mut written) = (0, 0);
    while start < definitions.len() {
        let mut end = definitions.len().min(start + BATCH_ROWS);
        // A row is never cut in two.
        while repetitions.get(end).is_some_and(|repetition| *repetition != 0) {
            end += 1;
        }
        batch_definitions.clear();
        batch_definitions.extend(definitions[start..end].iter().copied().map(i16::from));
        let count = definitions[start..end].iter().filter(|definition| **definition == full).count();
        batch.clear();
        batch.extend((written..written + count).map(&mut value));
        written += count;
        let levels = if repetitions.is_empty() {
            None
        } else {
            batch_repetitions.clear();
            batch_repetitions.extend(repetitions[start..end].iter().copied().map(i16::from));
            Some(&batch_repetitions[..])
        };
        writer.write_batch(&batch, Some(&batch_definitions), levels)?;
        start = end;
    }
    Ok(())
}
