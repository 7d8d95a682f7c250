//! Reading documents that another program, or an older version, may have written.
//!
//! A field of an unexpected type counts as missing, unless nothing sensible can be done without it.

use jiff::Timestamp;
use mongodb::bson::{Binary, Bson, Document};

use crate::{SecretHash, StoreError, StoreResult};

/// A text; a number is taken as its digits, since other programs keep ids as numbers.
pub(super) fn text(document: &Document, field: &str) -> Option<String> {
    match document.get(field)? {
        Bson::String(text) => Some(text.clone()),
        Bson::Int32(number) => Some(number.to_string()),
        Bson::Int64(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text without which the document means nothing.
pub(super) fn required_text(document: &Document, field: &'static str) -> StoreResult<String> {
    text(document, field).ok_or_else(|| missing(field))
}

/// A time: a BSON date, or RFC 3339 text.
pub(super) fn time(document: &Document, field: &str) -> Option<Timestamp> {
    match document.get(field)? {
        Bson::DateTime(date) => Timestamp::from_millisecond(date.timestamp_millis()).ok(),
        Bson::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A time without which the document means nothing.
pub(super) fn required_time(document: &Document, field: &'static str) -> StoreResult<Timestamp> {
    time(document, field).ok_or_else(|| missing(field))
}

/// A count, of any of BSON's number types: JavaScript writes doubles.
pub(super) fn count(document: &Document, field: &str) -> Option<u64> {
    match *document.get(field)? {
        Bson::Int32(number) => u64::try_from(number).ok(),
        Bson::Int64(number) => u64::try_from(number).ok(),
        // The cast saturates, and makes 0 of what is no number.
        Bson::Double(number) if number >= 0.0 => Some(number as u64),
        _ => None,
    }
}

/// A count as BSON keeps it. Its integers are signed; no count comes near their end.
pub(super) fn number(count: Option<u64>) -> Option<i64> {
    count.map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

/// The texts of a list.
pub(super) fn texts(document: &Document, field: &str) -> Vec<String> {
    let Ok(list) = document.get_array(field) else { return Vec::new() };
    list.iter().filter_map(Bson::as_str).map(str::to_owned).collect()
}

/// A hash that has to be there.
pub(super) fn required_hash(document: &Document, field: &'static str) -> StoreResult<SecretHash> {
    let hash = match document.get(field) {
        Some(Bson::Binary(Binary { bytes, .. })) => bytes.as_slice().try_into().ok(),
        _ => None,
    };
    hash.ok_or_else(|| missing(field))
}

/// A document that lacks what it cannot do without.
pub(super) fn missing(field: &'static str) -> StoreError {
    StoreError::Failed(format!("a stored document has no usable field {field}").into())
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{DateTime, doc};

    use super::*;

    #[test]
    fn numbers_of_all_types_are_counts() {
        let document = doc! { "a": 5_i32, "b": 6_i64, "c": 7.0, "d": -1, "e": "8", "f": f64::NAN, "g": null };
        let counts = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|field| count(&document, field));
        assert_eq!(counts, [Some(5), Some(6), Some(7), None, None, None, None, None]);
    }

    #[test]
    fn dates_and_their_text_are_times() {
        let expected: Timestamp = "2026-01-09T15:30:00.125Z".parse().unwrap();
        let document = doc! {
            "a": DateTime::from_millis(expected.as_millisecond()), "b": expected.to_string(), "c": "soon", "d": 5,
        };
        let times = ["a", "b", "c", "d", "e"].map(|field| time(&document, field));
        assert_eq!(times, [Some(expected), Some(expected), None, None, None]);
    }
}
