//! A provider that does not exist: all that `Connections` needs of another one is in this file. It is stored
//! and shown as Spotify's are.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connection_store::{DatabaseUrl, Profile};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::{ConnectionStatus, Provider, SaveConnection};
use token_vault::{Keyring, Vault};
use upstream::{AccessToken, ApiCall, CodeVerifier, RefreshToken, UpstreamError};

use super::{Account, Authorization, Credentials, Grant, ProviderClient, Refreshed, Rules};
use crate::clock::{Clock, later};
use crate::connections::{
    AuthorizationRequest, AuthorizationResponse, ConnectionOf, Connections, Lease, Outcome, Parts,
};
use crate::observer::Observer;
use crate::work::Unstopped;

/// Tokens that live for ten days and are refreshed on the fifth. It is kept where Spotify's are.
static RULES: Rules = Rules {
    provider: Provider::Spotify,
    sigil: "~",
    permissions: &["everything"],
    basic: None,
    purpose: |_| "do everything",
    sealed_as: ["made-up accessToken", "made-up refreshToken"],
    youngest: SignedDuration::ZERO,
    refresh_at: |issued_at, _, _| later(issued_at, SignedDuration::from_hours(5 * 24)),
    earliest_refresh: |issued_at, _| issued_at,
    tells_id_late: false,
    expires_at: |_, token_expires_at| token_expires_at,
    expiring: SignedDuration::from_hours(24),
    margin: None,
    heard_twice_within: None,
    longest_raw_life: None,
    forwarded: &[],
    is_id: |_| false,
    revoke_url: None,
    profile_url: |_| None,
    expired: "It is over.",
    why_refused: |_| "It was told to stop.",
};

/// Counts its refreshes, and refuses the third.
#[derive(Default)]
struct MadeUp(AtomicU64);

#[async_trait(?Send)]
impl ProviderClient for MadeUp {
    fn redirect_uri(&self) -> &str {
        "https://example.com/back"
    }

    fn permissions(&self) -> Vec<String> {
        vec!["everything".to_owned()]
    }

    fn authorize(&self, state: &str, _: bool) -> Authorization {
        Authorization { url: state.to_owned(), verifier: Some("proof".to_owned().into()) }
    }

    async fn exchange(
        &self,
        code: &str,
        verifier: Option<CodeVerifier>,
        clock: &dyn Clock,
    ) -> Result<Grant, UpstreamError> {
        assert_eq!((code, verifier.unwrap().expose()), ("code", "proof"));
        let access = AccessToken::from("access 0".to_owned());
        let account = self.account(&access).await?;
        let refresh = Some(RefreshToken::from("refresh".to_owned()));
        let credentials = Credentials { access: Some(access), refresh };
        let expires_in = Duration::from_secs(10 * 86_400);
        Ok(Grant { credentials, issued_at: clock.now(), expires_in, account, scopes: None })
    }

    async fn refresh(&self, credentials: &Credentials) -> Result<Refreshed, UpstreamError> {
        assert_eq!(credentials.refresh.as_ref().unwrap().expose(), "refresh");
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if count == 3 {
            return Err(UpstreamError::NeedsReauthorization { subcode: None });
        }
        let access = AccessToken::from(format!("access {count}"));
        let expires_in = Duration::from_secs(10 * 86_400);
        Ok(Refreshed { access, refresh: None, expires_in, scopes: None })
    }

    async fn account(&self, _: &AccessToken) -> Result<Account, UpstreamError> {
        let profile = Profile { username: "nobody".to_owned(), ..Profile::default() };
        Ok(Account { id: "1".to_owned(), other_id: None, is_personal: false, profile })
    }

    async fn call(&self, _: ApiCall, _: &str, _: &AccessToken) -> Result<Value, UpstreamError> {
        Ok(json!({}))
    }
}

struct Day(AtomicI64);

impl Clock for Day {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed) * 86_400).unwrap()
    }
}

struct Nobody;

impl Observer for Nobody {
    fn refreshed(&self, _: Provider, _: Outcome) {}
    fn synced(&self, _: Provider, _: Outcome) {}
}

#[tokio::test]
async fn another_provider_connects_is_refreshed_and_dies() {
    let folder = tempfile::tempdir().unwrap();
    let database = DatabaseUrl::Sqlite(folder.path().join("test.db"));
    let keyring = Keyring::parse(&Keyring::generate("k1").unwrap()).unwrap();
    let day = Arc::new(Day(AtomicI64::new(20_000)));
    let lease = Lease { whole: SignedDuration::from_mins(5), one: SignedDuration::from_mins(1) };
    let connections = Connections::new(
        &RULES,
        Ok(Arc::new(MadeUp::default())),
        Parts {
            store: connection_store::connect(&database).await.unwrap(),
            vault: Arc::new(Vault::new(keyring)),
            clock: Arc::clone(&day) as _,
            receivers: Vec::new(),
            observer: Arc::new(Nobody),
            lease,
            refresh_window: SignedDuration::ZERO,
        },
    );

    let state = connections.begin("ada", AuthorizationRequest::default()).await.unwrap().auth_url;
    let back = AuthorizationResponse::Code { code: "code".to_owned(), state };
    let granted = connections.exchange("ada", back).await.unwrap();
    let body = json!({ "userId": "ada", "access_token": granted.access_token.expose(), "user_id": "1" });
    connections.save("ada", &serde_json::from_value::<SaveConnection>(body).unwrap()).await.unwrap();

    let which = ConnectionOf::current("ada");
    for (today, status) in [
        (20_005, ConnectionStatus::Active),
        (20_010, ConnectionStatus::Active),
        (20_015, ConnectionStatus::NeedsReauthorization),
    ] {
        day.0.store(today, Ordering::Relaxed);
        connections.refresh_due(&Unstopped).await.unwrap();
        assert_eq!(connections.read(which).await.unwrap().status, status, "{today}");
    }
    assert_eq!(connections.read(which).await.unwrap().last_error.as_deref(), Some("It was told to stop."));
}
