//! Changing the encryption key: stored tokens are sealed anew with the key that is first now.

use connection_store::{SealedToken, StoreResult};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Connections;
use super::credentials::contexts;
use crate::work::CONCURRENCY;

/// A page of tokens that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReencryptedPage {
    /// Tokens that have the new key now.
    pub reencrypted: u64,
    /// Tokens that were replaced meanwhile, by a refresh, a reconnect or another process that reencrypts.
    pub superseded: u64,
    /// Tokens that do not open, and were left as they are.
    pub unreadable: u64,
}

impl Connections {
    /// The keys that open and do not seal, and `None`, which stands for texts that name no key.
    pub fn old_keys(&self) -> Vec<Option<String>> {
        self.vault.old_key_ids().map(|id| Some(id.to_owned())).chain([None]).collect()
    }

    /// A page of the tokens that are sealed with this key, from after the connection `after` on.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sealed_with(
        &self,
        key_id: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> StoreResult<Vec<SealedToken>> {
        self.kept().sealed_with(key_id, after, limit).await
    }

    /// Counts the tokens sealed with keys that open and do not seal. Looks at every connection.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn left_to_reencrypt(&self) -> StoreResult<u64> {
        let old = self.old_keys();
        let uses = self.kept().key_use().await?;
        Ok(uses.iter().filter(|key_use| old.contains(&key_use.key_id)).map(|key_use| key_use.tokens).sum())
    }

    /// Seals tokens anew. Each is replaced only where it is still the one that was read, so that nothing newer is lost.
    ///
    /// # Errors
    /// When the store does not answer; what was sealed until then stays so.
    pub async fn reencrypt(&self, tokens: &[SealedToken]) -> StoreResult<ReencryptedPage> {
        stream::iter(tokens)
            .map(|token| self.reencrypt_one(token))
            .buffer_unordered(CONCURRENCY)
            .try_fold(ReencryptedPage::default(), |page, one| async move {
                Ok(ReencryptedPage {
                    reencrypted: page.reencrypted + one.reencrypted,
                    superseded: page.superseded + one.superseded,
                    unreadable: page.unreadable + one.unreadable,
                })
            })
            .await
    }

    async fn reencrypt_one(&self, token: &SealedToken) -> StoreResult<ReencryptedPage> {
        let [access_context, refresh_context] = contexts(self.rules, &token.provider_account_id);
        let access_token = self.vault.reencrypt(&token.access_token, &access_context);
        let refresh_token =
            token.refresh_token.as_ref().map(|sealed| self.vault.reencrypt(sealed, &refresh_context));
        let new = match (access_token, refresh_token) {
            (Ok(access_token), None) => SealedToken { access_token, ..token.clone() },
            // An access token that does not open is made anew from the other when it is needed.
            (access_token, Some(Ok(refresh_token))) => SealedToken {
                access_token: access_token.unwrap_or_else(|_| token.access_token.clone()),
                refresh_token: Some(refresh_token),
                ..token.clone()
            },
            (Err(_), None) | (_, Some(Err(_))) => {
                return Ok(ReencryptedPage { unreadable: 1, ..ReencryptedPage::default() });
            }
        };
        let replaced = u64::from(self.kept().reseal(token, &new).await?);
        Ok(ReencryptedPage { reencrypted: replaced, superseded: 1 - replaced, unreadable: 0 })
    }
}
