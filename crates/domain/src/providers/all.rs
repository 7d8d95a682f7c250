//! The connections of all providers, and what concerns all of them: a user who goes, and work that is due.

use connection_store::{DeletionOf, NewDeletion, Store, StoreResult};
use futures_util::future::{join_all, try_join_all};
use jiff::SignedDuration;
use shared::{Integration, IntegrationsAnswer, Provider};
use std::sync::Arc;
use uuid::Uuid;

use super::{ProviderClient, rules};
use crate::clock::Clock;
use crate::connections::{Connections, Parts};
use crate::error::Error;
use crate::work::Progress;

/// The client of a provider, or the variables that are missing for it.
pub type ConfiguredClient = Result<Arc<dyn ProviderClient>, Vec<&'static str>>;

/// The connections of all providers. There is one of it for the whole process.
pub struct Providers {
    /// In the order of [`Provider::ALL`].
    all: [Connections; Provider::ALL.len()],
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Time after which whatever was under way has ended.
    abandoned_after: SignedDuration,
}

impl Providers {
    /// From their parts; `client` gives each provider's.
    pub fn new(parts: &Parts, mut client: impl FnMut(Provider) -> ConfiguredClient) -> Self {
        Self {
            all: Provider::ALL
                .map(|provider| Connections::new(rules(provider), client(provider), parts.clone())),
            store: Arc::clone(&parts.store),
            clock: Arc::clone(&parts.clock),
            abandoned_after: parts.lease.whole,
        }
    }

    /// Returns the connections of one provider.
    pub fn get(&self, provider: Provider) -> &Connections {
        // The enum's order is that of the list.
        &self.all[provider as usize]
    }

    /// Returns the connections of each, in the order in which they are listed everywhere.
    pub fn iter(&self) -> impl Iterator<Item = &Connections> {
        self.all.iter()
    }

    /// The keys that open and do not seal, and `None`, which stands for texts that name no key.
    pub fn old_keys(&self) -> Vec<Option<String>> {
        self.get(Provider::Instagram).old_keys()
    }

    /// Tells whether there is an app to ask any provider with.
    pub fn has_app(&self) -> bool {
        self.iter().any(Connections::has_app)
    }

    /// Lists all that a user has connected, provider by provider.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn overview(&self, user_id: &str) -> Result<IntegrationsAnswer, Error> {
        let integration = async |connections: &Connections| {
            Ok::<_, Error>(Integration {
                provider: connections.rules().provider,
                configured: connections.has_app(),
                connections: connections.read_all(user_id).await?,
            })
        };
        let integrations = try_join_all(self.iter().map(integration)).await?;
        Ok(IntegrationsAnswer { integrations })
    }

    /// Refreshes what is due, of all providers at once: one that does not answer keeps no other.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn refresh_due(&self, progress: &impl Progress) -> Result<(), Error> {
        let configured = self.iter().filter(|connections| connections.has_app());
        let all = configured.map(|connections| connections.refresh_due(progress));
        join_all(all).await.into_iter().collect()
    }

    /// Reads the profiles that were last read `interval` ago, of all providers at once.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sync_due(&self, interval: SignedDuration, progress: &impl Progress) -> Result<(), Error> {
        let configured = self.iter().filter(|connections| connections.has_app());
        let all = configured.map(|connections| connections.sync_due(interval, progress));
        join_all(all).await.into_iter().collect()
    }

    /// Deletes a local account and all that is its owner's. What cannot be erased now, or is stored meanwhile by a request that
    /// had begun before, is erased by [`finish_deletions`](Self::finish_deletions).
    ///
    /// # Errors
    /// `unavailable`, while the account may still be there: then its owner can ask again.
    pub async fn delete_user(&self, user_id: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let deletion = NewDeletion {
            // Nobody is told this one: the account is gone with the answer.
            code: format!("account-{}", Uuid::new_v4().simple()),
            of: DeletionOf::User(user_id.to_owned()),
            connected_by: now,
            connections: None,
        };
        self.store.begin_deletion(deletion, now).await?;
        self.store.delete_user(user_id).await?;
        if let Err(error) = self.erase_user(user_id).await {
            Error::from(error).log();
        }
        Ok(())
    }

    async fn erase_user(&self, user_id: &str) -> StoreResult<()> {
        try_join_all(self.iter().map(|connections| connections.erase_user(user_id))).await?;
        Ok(())
    }

    /// Finishes requests to delete that came so long ago that whatever was under way then has ended. Returns how many. Each
    /// stands alone: one that fails does not keep the others.
    ///
    /// # Errors
    /// `unavailable`, and what failed last.
    pub async fn finish_deletions(&self, limit: u32) -> StoreResult<usize> {
        let unfinished =
            self.store.unfinished_deletions(self.abandoned_after, limit, self.clock.now()).await?;
        let mut outcome = Ok(unfinished.len());
        for deletion in &unfinished {
            if let Err(error) = self.finish_deletion(deletion).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn finish_deletion(&self, deletion: &NewDeletion) -> StoreResult<()> {
        match &deletion.of {
            DeletionOf::Account(provider, account_id) => {
                self.get(*provider).finish_deletion_of_account(account_id, deletion).await
            }
            DeletionOf::User(user_id) => {
                self.store.delete_user(user_id).await?;
                self.erase_user(user_id).await?;
                self.store.complete_deletion(&deletion.code, self.clock.now()).await
            }
        }
    }

    /// Erases everything that is stored about an account of any provider, by either of its ids: for operators. Returns how many
    /// connections there were. Can be repeated.
    ///
    /// # Errors
    /// `unavailable`; what is left then is erased when it is asked for again.
    pub async fn erase_account(&self, account_id: &str) -> Result<u64, Error> {
        let erased = try_join_all(self.iter().map(|connections| connections.erase_account(account_id)));
        Ok(erased.await?.into_iter().sum())
    }
}
