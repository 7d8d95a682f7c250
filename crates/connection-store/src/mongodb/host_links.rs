//! One-time links in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use super::consuming::CONSUMED_BY;
use super::{MongoStore, binary, date, fields};
use crate::{HostLink, HostLinks, SecretHash, StoreResult};

#[async_trait]
impl HostLinks for MongoStore {
    async fn insert_host_link(&self, link: HostLink) -> StoreResult<()> {
        let document = doc! {
            "_id": binary(&link.token_hash),
            "userId": link.user_id,
            "name": link.name,
            "returnTo": link.return_to,
            "createdAt": date(link.created_at),
            "expiresAt": date(link.expires_at),
        };
        let links = self.host_links.clone();
        self.operations.run(async move { links.insert_one(document).await }).await?;
        Ok(())
    }

    async fn find_host_link(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<HostLink>> {
        let found = self.operations.find_one(&self.host_links, usable(token_hash, now)).await?;
        found.map(|document| host_link(*token_hash, &document)).transpose()
    }
}

/// Finds a link that can be used at `now`.
pub(super) fn usable(token_hash: &SecretHash, now: Timestamp) -> Document {
    doc! { "_id": binary(token_hash), "expiresAt": { "$gt": date(now) }, CONSUMED_BY: { "$exists": false } }
}

fn host_link(token_hash: SecretHash, document: &Document) -> StoreResult<HostLink> {
    Ok(HostLink {
        token_hash,
        user_id: fields::required_text(document, "userId")?,
        name: fields::text(document, "name"),
        return_to: fields::text(document, "returnTo"),
        created_at: fields::required_time(document, "createdAt")?,
        expires_at: fields::required_time(document, "expiresAt")?,
    })
}
