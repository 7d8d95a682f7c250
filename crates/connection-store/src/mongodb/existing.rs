//! Whether a database is there already.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::options::ClientOptions;

use super::{CONNECT_TIMEOUT, MongoStore, SERVER_SELECTION_TIMEOUT, error};
use crate::{StoreError, StoreResult};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl MongoStore {
    /// Whether the service has made its collections in the database that the URL names.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) async fn exists(url: &str) -> StoreResult<bool> {
        let mut options = ClientOptions::parse(url).await.map_err(|error| error::from_url(url, error))?;
        options.server_selection_timeout.get_or_insert(SERVER_SELECTION_TIMEOUT);
        options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
        let client = Client::with_options(options).map_err(|error| error::from_url(url, error))?;
        let Some(database) = client.default_database() else {
            return Err(StoreError::Failed(
                "the MongoDB URL names no database: expected mongodb://HOST/DATABASE".into(),
            ));
        };
        // A task of its own, since the driver asks that no operation is dropped half-way.
        let asked = tokio::spawn(async move {
            let of_ours = doc! { "name": "instagram_connections" };
            let names = database.list_collection_names().filter(of_ours).await?;
            client.shutdown().immediate(true).await;
            Ok::<_, mongodb::error::Error>(!names.is_empty())
        });
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => Ok(answer?),
            _ => Err(StoreError::Unavailable(Box::new(std::io::Error::from(std::io::ErrorKind::TimedOut)))),
        }
    }
}
