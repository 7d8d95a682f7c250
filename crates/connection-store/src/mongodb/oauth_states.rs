//! OAuth `state` values in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use super::consuming::consume;
use super::{MongoStore, binary, date, fields};
use crate::{ConsumedState, ExpectedAccount, NewOAuthState, OAuthStates, SecretHash, StoreResult};

#[async_trait]
impl OAuthStates for MongoStore {
    async fn insert_state(&self, state: NewOAuthState) -> StoreResult<()> {
        let expected = state.expected_account.map(
            |account| doc! { "instagramUserId": account.instagram_user_id, "username": account.username },
        );
        let document = doc! {
            "_id": binary(&state.state_hash),
            "userId": state.user_id,
            "returnTo": state.return_to,
            "expectedAccount": expected,
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
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ConsumedState>> {
        let filter = doc! { "_id": binary(state_hash), "userId": user_id, "expiresAt": { "$gt": date(now) } };
        let consumed = self.operations.run(consume(self.oauth_states.clone(), filter)).await?;
        Ok(consumed.map(|document| ConsumedState {
            return_to: fields::text(&document, "returnTo"),
            expected_account: document.get_document("expectedAccount").ok().and_then(expected_account),
        }))
    }
}

fn expected_account(document: &Document) -> Option<ExpectedAccount> {
    let (instagram_user_id, username) =
        (fields::text(document, "instagramUserId")?, fields::text(document, "username")?);
    Some(ExpectedAccount { instagram_user_id, username })
}
