//! Reads params out of JSON more strictly than serde does by itself, in words for people who do not know Rust.
//!
//! - A struct is read from an object only; serde would take an array too, by position.
//! - All unknown keys are named at once, with what is allowed. Keys that start with `_` are the caller's own at every
//!   level and are passed over; a key whose value is null counts as absent.
//! - An error says what a value must be and of which kind it is. Where stands in the path, which the caller tracks.
//!
//! Converts nothing: a text is never read as a number, nor `1.0` as a whole one.

use std::fmt;

use forgeos_core::error::in_one_line;
use serde::{
    Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, Unexpected, VariantAccess, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
};
use serde_json::{Map, Value};

/// Most characters of a caller's text that a message repeats.
const SHOWN: usize = 40;
/// Most unknown keys that a message names.
const NAMED: usize = 5;

/// A value that is read strictly.
pub(super) struct Strict(pub(super) Value);

/// What is wrong with a value, without its place.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Wrong(String);

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("must be {expected}, not {}", found_words(&found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("`{field}` is missing"))
    }
}

/// The kind of a JSON value, in words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn found_words(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Seq => "an array",
        Unexpected::Map => "an object",
        Unexpected::Unit | Unexpected::Option => "null",
        _ => "this",
    }
}

/// `` `a`, `b` `` of a caller's or of our own words.
fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{}`", in_one_line(word, SHOWN))).collect::<Vec<_>>().join(", ")
}

impl Strict {
    fn must_be(&self, what: impl fmt::Display) -> Wrong {
        match &self.0 {
            Value::Number(number) => {
                Wrong(format!("must be {what}, not `{}`", in_one_line(&number.to_string(), SHOWN)))
            }
            other => Wrong(format!("must be {what}, not {}", kind_of(other))),
        }
    }

    fn object(self, what: &str) -> Result<Map<String, Value>, Wrong> {
        match self.0 {
            Value::Object(map) => Ok(map),
            other => Err(Self(other).must_be(what)),
        }
    }
}

impl IntoDeserializer<'_, Wrong> for Strict {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

fn visit_list<'de, V: Visitor<'de>>(list: Vec<Value>, visitor: V) -> Result<V::Value, Wrong> {
    visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Strict)))
}

fn visit_object<'de, V: Visitor<'de>>(map: Map<String, Value>, visitor: V) -> Result<V::Value, Wrong> {
    visitor.visit_map(MapDeserializer::new(map.into_iter().map(|(key, value)| (key, Strict(value)))))
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $as:ident $type:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.0.$as().and_then(|number| <$type>::try_from(number).ok()) {
                Some(number) => visitor.$visit(number),
                None => Err(self.must_be(format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Wrong;

    whole_numbers!(
        deserialize_i8 visit_i8 as_i64 i8,
        deserialize_i16 visit_i16 as_i64 i16,
        deserialize_i32 visit_i32 as_i64 i32,
        deserialize_i64 visit_i64 as_i64 i64,
        deserialize_u8 visit_u8 as_u64 u8,
        deserialize_u16 visit_u16 as_u64 u16,
        deserialize_u32 visit_u32 as_u64 u32,
        deserialize_u64 visit_u64 as_u64 u64,
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(list) => visit_list(list, visitor),
            Value::Object(map) => visit_object(map, visitor),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., Some(number)) => visitor.visit_f64(number),
                _ => Err(Wrong("must be a number of usual size".to_owned())),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Bool(flag) => visitor.visit_bool(flag),
            other => Err(Self(other).must_be("true or false")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.as_f64() {
            Some(number) => visitor.visit_f64(number),
            None => Err(self.must_be("a number")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            other => Err(Self(other).must_be("a string")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            Value::Array(list) => visit_list(list, visitor),
            other => Err(Self(other).must_be("an array")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visit_object(self.object("an object")?, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let mut map = self.object("an object")?;
        map.retain(|key, _| !key.starts_with('_'));
        let mut unknown = map.keys().map(String::as_str).filter(|key| !fields.contains(key));
        let named = quoted(unknown.by_ref().take(NAMED));
        if named.is_empty() {
            map.retain(|_, value| !value.is_null());
            return visit_object(map, visitor);
        }
        let allowed = quoted(fields.iter().copied());
        Err(Wrong(match unknown.count() {
            0 => format!("unknown key {named}; allowed: {allowed}"),
            more => format!("unknown key {named} and {more} more; allowed: {allowed}"),
        }))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let one_of = || format!("one of {}", quoted(variants.iter().copied()));
        let (word, content) = match self.0 {
            Value::String(word) => (word, None),
            Value::Object(map) if map.len() == 1 => match map.into_iter().next() {
                Some((word, content)) => (word, Some(content)),
                None => return Err(Wrong(format!("must be {}", one_of()))),
            },
            other => return Err(Self(other).must_be(one_of())),
        };
        if !variants.contains(&word.as_str()) {
            return Err(Wrong(format!("must be {}, not `{}`", one_of(), in_one_line(&word, SHOWN))));
        }
        visitor.visit_enum(Choice { word, content })
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// One word out of a set, perhaps with content: `"word"` or `{"word": content}`.
struct Choice {
    word: String,
    content: Option<Value>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = Wrong;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content), Wrong> {
        let word = seed.deserialize(Strict(Value::String(self.word)))?;
        Ok((word, Content(self.content)))
    }
}

struct Content(Option<Value>);

impl Content {
    fn needed(self) -> Result<Strict, Wrong> {
        self.0.map(Strict).ok_or_else(|| Wrong("must be an object with this word as its key".to_owned()))
    }
}

impl<'de> VariantAccess<'de> for Content {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Wrong("must be the word alone, as a string".to_owned())),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self.needed()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.needed()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.needed()?.deserialize_struct("", fields, visitor)
    }
}
