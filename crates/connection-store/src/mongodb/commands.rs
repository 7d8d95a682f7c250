//! Store calls that are one command.

use mongodb::Collection;
use mongodb::bson::Document;
use mongodb::options::UpdateModifications;

use super::operation::Operations;
use crate::StoreResult;

impl Operations {
    /// Returns the one document that matches.
    pub(super) async fn find_one(
        &self,
        documents: &Collection<Document>,
        filter: Document,
    ) -> StoreResult<Option<Document>> {
        let documents = documents.clone();
        self.run(async move { documents.find_one(filter).await }).await
    }

    /// Changes the one document that matches. Returns whether there is one.
    pub(super) async fn update_one(
        &self,
        documents: &Collection<Document>,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> StoreResult<bool> {
        let (documents, update) = (documents.clone(), update.into());
        let updated = self.run(async move { documents.update_one(filter, update).await }).await?;
        Ok(updated.matched_count == 1)
    }

    /// Deletes the one document that matches. Returns whether there was one.
    pub(super) async fn delete_one(
        &self,
        documents: &Collection<Document>,
        filter: Document,
    ) -> StoreResult<bool> {
        let documents = documents.clone();
        let deleted = self.run(async move { documents.delete_one(filter).await }).await?;
        Ok(deleted.deleted_count == 1)
    }
}
