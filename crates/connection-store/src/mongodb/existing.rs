//! Opening a database only where the service has made it already.

use mongodb::bson::doc;

use super::MongoStore;
use crate::{Store, StoreResult};

impl MongoStore {
    /// As [`connect`](Self::connect), and makes nothing, no index either. `None` where the service has made no collections in the
    /// database that the URL names.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) async fn open_existing(url: &str) -> StoreResult<Option<Self>> {
        let store = Self::open(url).await?;
        let database = store.database.clone();
        let of_ours = doc! { "name": "instagram_connections" };
        let list = async move { database.list_collection_names().filter(of_ours).await };
        if store.operations.run(list).await?.is_empty() {
            store.close().await;
            return Ok(None);
        }
        Ok(Some(store))
    }
}
