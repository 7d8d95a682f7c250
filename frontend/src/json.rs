//! JSON, read and written by the browser.
//!
//! The browser has a parser, so none travels over the wire. What is compiled in is only how each type is put together.

use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;

/// The value that a text stands for; `None` where it is of another shape.
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_wasm_bindgen::from_value(JSON::parse(text).ok()?).ok()
}

/// A value as text. `None` where it has no JSON, which no wire type is without.
pub fn write(value: &impl Serialize) -> Option<String> {
    let value = value.serialize(&Serializer::json_compatible()).ok()?;
    JSON::stringify(&value).ok().map(Into::into)
}
