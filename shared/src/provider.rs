//! The services that accounts are connected from.

use serde::{Deserialize, Serialize};

/// A service that accounts are connected from. Its name stands in URLs, answers and stored data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Instagram: professional accounts.
    Instagram,
    /// Spotify: listeners.
    Spotify,
}

impl Provider {
    /// All of them, in the order in which they are listed everywhere.
    pub const ALL: [Self; 2] = [Self::Instagram, Self::Spotify];

    /// Returns the name in URLs, answers and stored data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instagram => "instagram",
            Self::Spotify => "spotify",
        }
    }

    /// Returns the provider of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    /// Returns the name that people know.
    pub fn title(self) -> &'static str {
        match self {
            Self::Instagram => "Instagram",
            Self::Spotify => "Spotify",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_one_name() {
        for provider in Provider::ALL {
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.as_str());
            assert_eq!(Provider::from_name(provider.as_str()), Some(provider));
        }
        assert_eq!(Provider::from_name("Instagram"), None);
    }
}
