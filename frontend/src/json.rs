//! JSON, read and written by the browser.
//!
//! The browser has a parser, so none travels over the wire. What is compiled in is only how each type is put together.
//!
//! Reading is done here and not by `serde_wasm_bindgen`, since nobody reads why an answer is of another shape: the words for
//! that, and the printing of floats that they need, are some kilobytes of a small program.

use std::fmt;

use js_sys::{Array, JSON, Number, Object};
use serde::Serialize;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// The value that a text stands for; `None` where it is of another shape.
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(Value(JSON::parse(text).ok()?)).ok()
}

/// A value as text. `None` where it has no JSON, which no wire type is without.
pub fn write(value: &impl Serialize) -> Option<String> {
    let value = value.serialize(&Serializer::json_compatible()).ok()?;
    JSON::stringify(&value).ok().map(Into::into)
}

/// The browser's value for a JSON text, or for a part of it.
struct Value(JsValue);

impl Value {
    /// Returns a count or a duration: the only numbers of the wire.
    fn count(&self) -> Option<u64> {
        let number = self.0.as_f64().filter(|&number| number >= 0.0 && Number::is_safe_integer(&self.0));
        number.map(|number| number as u64)
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = OtherShape;

    /// A field of a connection that is looked at later: its provider decides whether it is one. Of a number that is no count,
    /// nothing is kept.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        if self.0.is_string() {
            self.deserialize_string(visitor)
        } else if let Some(value) = self.0.as_bool() {
            visitor.visit_bool(value)
        } else if Array::is_array(&self.0) {
            self.deserialize_seq(visitor)
        } else if self.0.is_object() {
            self.deserialize_map(visitor)
        } else if let Some(count) = self.count() {
            visitor.visit_u64(count)
        } else {
            visitor.visit_unit()
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        visitor.visit_string(self.0.as_string().ok_or(OtherShape)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        self.deserialize_string(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        visitor.visit_bool(self.0.as_bool().ok_or(OtherShape)?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        visitor.visit_u64(self.count().ok_or(OtherShape)?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        if !Array::is_array(&self.0) {
            return Err(OtherShape);
        }
        visitor.visit_seq(SeqDeserializer::new(self.0.unchecked_into::<Array>().iter().map(Value)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        if !self.0.is_object() {
            return Err(OtherShape);
        }
        let entries = Object::entries(self.0.unchecked_ref());
        visitor.visit_map(MapDeserializer::new(entries.iter().map(|entry| {
            let entry: Array = entry.unchecked_into();
            (Value(entry.get(0)), Value(entry.get(1)))
        })))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OtherShape> {
        self.deserialize_map(visitor)
    }

    /// A field that this version of the program does not know.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OtherShape> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, OtherShape> {
        visitor.visit_newtype_struct(self)
    }

    /// Every `enum` of the wire is a word.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OtherShape> {
        visitor.visit_enum(self.0.as_string().ok_or(OtherShape)?.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

impl IntoDeserializer<'_, OtherShape> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A text stands for something of another shape. What exactly differs is not put into words.
#[derive(Debug)]
struct OtherShape;

impl fmt::Display for OtherShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another shape")
    }
}

impl std::error::Error for OtherShape {}

/// Each of these would put its sentence together, if it were left to serde.
impl de::Error for OtherShape {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}
