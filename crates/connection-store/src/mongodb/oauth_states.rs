//! OAuth `state` values in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use shared::Provider;

use super::consuming::consume;
use super::kinds::{self, Kind};
use super::{MongoStore, binary, date, fields};
use crate::{ConsumedState, ExpectedAccount, NewOAuthState, OAuthStates, SecretHash, StoreResult};

#[async_trait]
impl OAuthStates for MongoStore {
    async fn insert_state(&self, state: NewOAuthState) -> StoreResult<()> {
        let account_field = Kind::of(state.provider).account_id;
        let expected = state
            .expected_account
            .map(|account| doc! { account_field: account.provider_account_id, "username": account.username });
        let document = doc! {
            "_id": binary(&state.state_hash),
            "provider": state.provider.as_str(),
            "userId": state.user_id,
            "returnTo": state.return_to,
            "expectedAccount": expected,
            "sealedVerifier": state.sealed_verifier,
            "createdAt": date(state.created_at),
            "expiresAt": date(state.expires_at),
        };
        let states = self.oauth_states.clone();
        self.operations.run(async move { states.insert_one(document).await }).await?;
        Ok(())
    }

    async fn consume_state(
        &self,
        state_hash: &SecretHash,
        provider: Provider,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ConsumedState>> {
        let filter = doc! {
            "_id": binary(state_hash),
            "provider": kinds::named(provider),
            "userId": user_id,
            "expiresAt": { "$gt": date(now) },
        };
        let consumed = self.operations.run(consume(self.oauth_states.clone(), filter)).await?;
        Ok(consumed.map(|document| ConsumedState {
            return_to: fields::text(&document, "returnTo"),
            expected_account: document
                .get_document("expectedAccount")
                .ok()
                .and_then(|account| expected_account(provider, account)),
            sealed_verifier: fields::text(&document, "sealedVerifier"),
        }))
    }
}

fn expected_account(provider: Provider, document: &Document) -> Option<ExpectedAccount> {
    let provider_account_id = fields::text(document, Kind::of(provider).account_id)?;
    Some(ExpectedAccount { provider_account_id, username: fields::text(document, "username")? })
}
