//! A stored connection as its owner sees it.

use connection_store::Connection;
use jiff::Timestamp;
use shared::{ConnectionStatus, Provider, ProviderProfile};

use crate::providers::Rules;

/// Returns a stored connection as the API answers with it. `asked`: the permissions that are asked for; `opens`: whether the vault
/// can open the stored token.
pub(super) fn connection(
    stored: Connection,
    rules: &Rules,
    asked: &[String],
    opens: bool,
    now: Timestamp,
) -> shared::Connection {
    let needs_refresh = stored.expires_at.duration_since(now) <= rules.expiring;
    let dead_since = dead_since(&stored, rules, opens, now);
    let explained = match dead_since {
        Some(_) if !opens => {
            Some("This server can no longer read the stored access. Reconnect to give it again.")
        }
        Some(_) if stored.expires_at <= now => Some(rules.expired),
        _ => None,
    };
    let status = match dead_since {
        Some(_) => ConnectionStatus::NeedsReauthorization,
        None if needs_refresh => ConnectionStatus::Expiring,
        None => ConnectionStatus::Active,
    };
    let is_missing = |asked: &&String| !stored.scopes.iter().any(|granted| granted == *asked);
    let profile = stored.profile;
    let profile_url = profile.profile_url.or_else(|| (rules.profile_url)(&profile.username));
    shared::Connection {
        id: stored.id,
        username: profile.username,
        name: profile.name,
        profile_picture_url: profile.profile_picture_url,
        profile_url,
        of_provider: match stored.provider {
            Provider::Instagram => ProviderProfile::Instagram {
                biography: profile.biography,
                website: profile.website,
                following: profile.follows_count,
                media_count: profile.media_count,
            },
            Provider::Spotify => ProviderProfile::Spotify { product: profile.product },
        },
        followers: profile.followers_count,
        connected_at: stored.connected_at.into(),
        last_sync: stored.last_synced_at.into(),
        expires_at: stored.expires_at.into(),
        needs_refresh,
        status,
        missing_scopes: asked.iter().filter(is_missing).cloned().collect(),
        scopes: stored.scopes,
        last_error: stored.last_error.or_else(|| explained.map(str::to_owned)),
        needs_reauthorization_since: dead_since.map(Into::into),
    }
}

/// Since when the token is known to be of no use; `None` while it works.
pub(super) fn dead_since(
    stored: &Connection,
    rules: &Rules,
    opens: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    stored
        .needs_reauthorization_since
        .or_else(|| rules.has_ended(stored.expires_at, now).then_some(stored.expires_at))
        .or_else(|| (!opens).then_some(stored.last_synced_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection_store::Profile;
    use shared::permission;

    use crate::providers::rules;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_762_788_600 + day * 86_400).unwrap()
    }

    fn stored() -> Connection {
        Connection {
            id: "0".repeat(24),
            user_id: "usr_a".into(),
            provider: Provider::Instagram,
            provider_account_id: "17841400000000000".into(),
            other_account_id: None,
            access_token: "v1.k1.x".into(),
            refresh_token: None,
            token_issued_at: at(0),
            token_expires_at: at(60),
            expires_at: at(60),
            refresh_at: Some(at(30)),
            profile: Profile { username: "shop".into(), ..Profile::default() },
            scopes: vec![permission::BASIC.into()],
            connected_at: at(0),
            last_connected_at: at(0),
            last_synced_at: at(0),
            last_error: None,
            needs_reauthorization_since: None,
            refused_since: None,
            refresh_failures: 0,
            refresh_lease_until: None,
            sync_failures: 0,
            sync_lease_until: None,
            is_active: true,
        }
    }

    fn view(stored: Connection, opens: bool, now: Timestamp) -> shared::Connection {
        let rules = rules(stored.provider);
        connection(stored, rules, &permission::ALL.map(str::to_owned), opens, now)
    }

    #[test]
    fn status_follows_the_time_that_is_left() {
        let view = |day| view(stored(), true, at(day));
        assert_eq!((view(49).status, view(49).needs_refresh), (ConnectionStatus::Active, false));
        assert_eq!((view(50).status, view(50).needs_refresh), (ConnectionStatus::Expiring, true));
        assert_eq!(view(60).status, ConnectionStatus::NeedsReauthorization);
        assert_eq!(view(60).needs_reauthorization_since, Some(at(60).into()));
    }

    #[test]
    fn a_token_that_cannot_be_opened_needs_reauthorization_and_says_why() {
        let view = view(stored(), false, at(1));
        assert_eq!(view.status, ConnectionStatus::NeedsReauthorization);
        assert!(view.last_error.unwrap().contains("Reconnect"));
    }

    #[test]
    fn what_was_not_granted_is_missing() {
        let view = view(stored(), true, at(1));
        assert_eq!(view.missing_scopes, [permission::CONTENT_PUBLISH, permission::MANAGE_MESSAGES]);
    }

    #[test]
    fn spotifys_end_is_near_two_weeks_before_it_and_comes_with_its_word() {
        let spotify = || Connection {
            provider: Provider::Spotify,
            refresh_token: Some("v1.k1.y".into()),
            token_expires_at: at(0),
            expires_at: at(180),
            ..stored()
        };
        let status = |day| view(spotify(), true, at(day)).status;
        assert_eq!(status(165), ConnectionStatus::Active);
        assert_eq!(status(166), ConnectionStatus::Expiring);
        assert_eq!(status(181), ConnectionStatus::Expiring);
        let refused = Connection { needs_reauthorization_since: Some(at(181)), ..spotify() };
        assert_eq!(view(refused, true, at(182)).status, ConnectionStatus::NeedsReauthorization);
    }
}
