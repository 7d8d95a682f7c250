//! The shapes that Instagram's answers come in, where one thing has several.

use std::fmt;

use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};
use upstream::UpstreamError;

/// An answer that comes either bare or as `{"data": [ … ]}` with exactly one element.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum MaybeWrapped<T> {
    Wrapped { data: (T,) },
    Bare(T),
}

impl<T> MaybeWrapped<T> {
    pub(crate) fn into_inner(self) -> T {
        match self {
            Self::Wrapped { data: (inner,) } | Self::Bare(inner) => inner,
        }
    }
}

impl<T: DeserializeOwned> MaybeWrapped<T> {
    /// Reads a successful answer's body.
    pub(crate) fn parse(body: &[u8]) -> Result<T, UpstreamError> {
        Ok(serde_json::from_slice::<Self>(body)?.into_inner())
    }
}

/// Reads an integer or a text as text; `null` as `None`. Ids go above 2^53, where a float loses the last digits, so a
/// number with a fraction or an exponent, or one that only a float can hold, is refused.
pub(crate) fn integer_or_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    struct IntegerOrText;

    impl Visitor<'_> for IntegerOrText {
        type Value = Option<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an integer or a text")
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number.to_string()))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(text.to_owned()))
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(IntegerOrText)
}

/// Reads permissions, given as a list or as comma-separated text; `null` as `None`. An empty list says that nothing was
/// granted, which is not the same as saying nothing.
pub(crate) fn permissions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Permissions {
        List(Vec<String>),
        Text(String),
    }

    let permissions = Option::<Permissions>::deserialize(deserializer)?;
    Ok(permissions.map(|permissions| match permissions {
        Permissions::List(list) => list,
        Permissions::Text(text) => {
            text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
    }))
}
