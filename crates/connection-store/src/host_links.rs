//! One-time links that sign a host application's user in.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{SecretHash, StoreResult};

/// A link, and whom it signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLink {
    /// Hash of the link's secret.
    pub token_hash: SecretHash,
    /// Id of the user that the link signs in.
    pub user_id: String,
    /// Name to call the person by.
    pub name: Option<String>,
    /// The web app's path to land on.
    pub return_to: Option<String>,
    /// Time at which the link was made.
    pub created_at: Timestamp,
    /// Time at which the link expires. The store deletes it some time later by itself.
    pub expires_at: Timestamp,
}

/// One-time links. A link is used up by the session that it opens: [`create_session`](crate::Sessions::create_session).
#[async_trait]
pub trait HostLinks {
    /// Remembers a link.
    async fn insert_host_link(&self, link: HostLink) -> StoreResult<()>;

    /// A link that can be used at `now`; `None` when there is none. It is not used up.
    async fn find_host_link(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<HostLink>>;
}
