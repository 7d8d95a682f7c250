//! Times on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time as the API writes it: RFC 3339, UTC, milliseconds (`2025-11-10T15:30:00.000Z`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "utoipa", schema(value_type = String, format = DateTime))]
pub struct Timestamp(String);

impl Timestamp {
    /// The RFC 3339 text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "jiff")]
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self(format!("{time:.3}"))
    }
}

#[cfg(all(test, feature = "jiff"))]
mod tests {
    use super::*;

    #[test]
    fn always_has_three_digits_of_milliseconds() {
        let text = |ms| Timestamp::from(jiff::Timestamp::from_millisecond(ms).unwrap()).to_string();
        assert_eq!(text(1_762_788_600_000), "2025-11-10T15:30:00.000Z");
        assert_eq!(text(1_762_788_600_070), "2025-11-10T15:30:00.070Z");
    }
}
