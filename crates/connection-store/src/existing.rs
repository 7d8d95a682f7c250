//! Opening a store only where there is one.

use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::mongodb::MongoStore;
use crate::sqlite::SqliteStore;
use crate::{DatabaseUrl, Store, StoreResult};

/// Opens the store that a database URL names, as [`connect`](crate::connect) does, where the service has made one already;
/// `None` where it has not. Nothing is made. A SQLite file of an older version is refused rather than changed
/// under the service that uses it.
///
/// # Errors
/// As those of [`connect`](crate::connect).
pub async fn connect_existing(database: &DatabaseUrl) -> StoreResult<Option<Arc<dyn Store>>> {
    Ok(match database {
        DatabaseUrl::Sqlite(path) => {
            SqliteStore::open_existing(path).await?.map(|store| Arc::new(store) as _)
        }
        DatabaseUrl::MongoDb(url) => {
            MongoStore::open_existing(url.expose_secret()).await?.map(|store| Arc::new(store) as _)
        }
    })
}
