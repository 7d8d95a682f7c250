//! Text that must not be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A password or token on its way over the wire: serialises as plain text, prints as `[redacted]`.
///
/// Reading the value takes a call to [`Sensitive::expose`], which is easy to find in review.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "utoipa", schema(value_type = String))]
pub struct Sensitive(String);

impl Sensitive {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Gives up the wrapper for the text itself.
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Sensitive::from("hunter2".to_owned())), "[redacted]");
    }
}
