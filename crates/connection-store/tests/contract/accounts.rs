//! The accounts of one provider: the tests about connections run for each.

use std::sync::Arc;

use connection_store::{
    Connections, Event, EventCursor, NewConnection, Profile, ReadProfile, RefreshedToken, Store, StoreResult,
    Subject,
};
use jiff::Timestamp;
use shared::Provider;

use crate::seconds;

/// A store, and the provider whose connections are tested in it.
#[derive(Clone)]
pub(crate) struct Accounts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Provider,
}

impl Accounts {
    pub(crate) fn connections(&self) -> &dyn Connections {
        self.store.connections(self.provider)
    }

    /// Returns the accounts of the other provider in the same store.
    pub(crate) fn of_other_provider(&self) -> Self {
        let provider = match self.provider {
            Provider::Instagram => Provider::Spotify,
            Provider::Spotify => Provider::Instagram,
        };
        Self { store: Arc::clone(&self.store), provider }
    }

    pub(crate) fn subject(&self, id: &str) -> Subject {
        Subject::Connection { provider: self.provider, id: id.to_owned() }
    }

    pub(crate) async fn events(
        &self,
        id: &str,
        user_id: &str,
        cursor: Option<EventCursor>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Event>> {
        self.store.events(&self.subject(id), user_id, cursor, limit, now).await
    }

    /// A sealed refresh token, where the provider has any.
    pub(crate) fn refresh_token(&self, sealed: &str) -> Option<String> {
        (self.provider == Provider::Spotify).then(|| sealed.to_owned())
    }

    /// A connection with every field set that the provider has.
    pub(crate) fn new_connection(&self, user_id: &str, account_id: &str, now: Timestamp) -> NewConnection {
        let instagram = NewConnection {
            user_id: user_id.to_owned(),
            provider_account_id: account_id.to_owned(),
            other_account_id: Some("7100200300400500".to_owned()),
            access_token: format!("v1.k1.sealed-for-{user_id}"),
            refresh_token: None,
            token_issued_at: now - seconds(5),
            token_expires_at: now + seconds(5_183_944),
            expires_at: now + seconds(5_183_944),
            refresh_at: now + seconds(2_591_944),
            profile: Profile {
                username: "wreckshoprecords".to_owned(),
                name: Some("Wreck Shop Records".to_owned()),
                profile_picture_url: Some("https://cdn.example/p.jpg?sig=abc".to_owned()),
                profile_url: None,
                biography: Some("Vinyl Records & Digital Beats".to_owned()),
                website: Some("wreckshop.com".to_owned()),
                followers_count: Some(15_420),
                follows_count: Some(823),
                media_count: Some(456),
                product: None,
            },
            scopes: vec![
                "instagram_business_basic".to_owned(),
                "instagram_business_manage_messages".to_owned(),
            ],
        };
        match self.provider {
            Provider::Instagram => instagram,
            Provider::Spotify => NewConnection {
                refresh_token: Some(format!("v1.k1.refreshes-{user_id}")),
                token_expires_at: now + seconds(3600),
                expires_at: now + seconds(15_811_200),
                profile: Profile {
                    profile_url: Some("https://open.spotify.example/user/wreckshoprecords".to_owned()),
                    biography: None,
                    website: None,
                    follows_count: None,
                    media_count: None,
                    product: Some("premium".to_owned()),
                    ..instagram.profile
                },
                ..instagram
            },
        }
    }
}

/// A refreshed token that keeps the refresh token.
pub(crate) fn refreshed(access_token: &str, now: Timestamp) -> RefreshedToken {
    RefreshedToken {
        access_token: access_token.to_owned(),
        refresh_token: None,
        token_issued_at: now,
        token_expires_at: now + seconds(5_000_000),
        expires_at: now + seconds(5_000_000),
        refresh_at: now + seconds(2_500_000),
        scopes: None,
    }
}

/// A profile that was read, and shows that a permission is granted.
pub(crate) fn read(profile: Profile, granted_scope: &str) -> ReadProfile {
    ReadProfile { profile, other_account_id: None, granted_scope: Some(granted_scope.to_owned()) }
}
