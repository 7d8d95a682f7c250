//! The indexes, and that they are used.

use connection_store::Store;
use connection_store::StoreError;
use connection_store::mongodb::MongoStore;
use futures_util::future::join_all;
use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use mongodb::options::IndexOptions;

use shared::Provider::{self, Instagram};

use crate::{Setup, event, new_connection, now};

/// Keys, whether unique, and seconds until removal, of each index of a collection.
async fn indexes(setup: &Setup, collection: &str) -> Vec<(Document, bool, Option<u64>)> {
    let answer = setup.database.run_command(doc! { "listIndexes": collection }).await.unwrap();
    let batch = answer.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    let mut indexes: Vec<_> = batch
        .iter()
        .map(|index| {
            let index = index.as_document().unwrap();
            let keys = index.get_document("key").unwrap().iter();
            let keys = keys.map(|(field, _)| (field.clone(), Bson::Int32(1))).collect();
            let seconds = match index.get("expireAfterSeconds") {
                Some(Bson::Int32(seconds)) => u64::try_from(*seconds).ok(),
                Some(Bson::Int64(seconds)) => u64::try_from(*seconds).ok(),
                _ => None,
            };
            (keys, index.get_bool("unique").unwrap_or(false), seconds)
        })
        .collect();
    indexes.sort_by_key(|(keys, ..): &(Document, _, _)| keys.to_string());
    indexes
}

#[tokio::test]
async fn the_connections_have_the_architectures_indexes() {
    let setup = Setup::new().await;
    for (collection, account, other_id, end) in [
        ("instagram_connections", "instagramUserId", "appScopedUserId", "tokenExpiresAt"),
        ("spotify_connections", "spotifyUserId", "spotifyId", "expiresAt"),
    ] {
        let mut expected = [
            doc! { "_id": 1 },
            doc! { account: 1 },
            doc! { other_id: 1 },
            doc! { end: 1 },
            doc! { "isActive": 1, "needsReauthorizationSince": 1, "refreshAt": 1 },
            doc! { "isActive": 1, "needsReauthorizationSince": 1, "refreshNotBefore": 1, "refreshAt": 1 },
            doc! { "isActive": 1, "needsReauthorizationSince": 1, "syncNotBefore": 1, "lastSyncedAt": 1 },
            doc! { "isActive": 1, "tokenKeyId": 1, "_id": 1 },
            doc! { "outbox.at": 1 },
            doc! { "userId": 1, "isActive": 1 },
        ]
        .map(|keys| (keys.clone(), keys.contains_key(account), None));
        expected.sort_by_key(|(keys, ..)| keys.to_string());
        assert_eq!(indexes(&setup, collection).await, expected);
    }
}

#[tokio::test]
async fn emails_are_unique_and_what_ends_is_removed() {
    let setup = Setup::new().await;
    let id = (doc! { "_id": 1 }, false, None);
    assert_eq!(indexes(&setup, "users").await, [id.clone(), (doc! { "emailKey": 1 }, true, None)]);
    for collection in ["used_handles", "pauses", "tries"] {
        let expiring = (doc! { "expiresAt": 1 }, false, Some(3600));
        assert_eq!(indexes(&setup, collection).await, [id.clone(), expiring], "{collection}");
    }
    for collection in [
        "connection_events",
        "connection_history",
        "host_links",
        "oauth_states",
        "repeatable_requests",
        "sessions",
        "webhook_deliveries",
    ] {
        let expiring = (doc! { "expiresAt": 1 }, false, Some(3600));
        assert!(indexes(&setup, collection).await.contains(&expiring), "{collection}");
    }
}

#[tokio::test]
async fn the_first_points_of_days_and_completed_deletions_are_removed() {
    let setup = Setup::new().await;
    let life = |days: u64| Some(days * 86_400 + 3600);
    let of_days = (doc! { "at": 1 }, false, life(1826));
    assert!(indexes(&setup, "connection_history").await.contains(&of_days));
    let completed = (doc! { "completedAt": 1 }, false, life(365));
    assert!(indexes(&setup, "deletions").await.contains(&completed));
}

#[tokio::test]
async fn keys_and_named_sessions_are_unique_and_keys_stay() {
    let setup = Setup::new().await;
    let id = (doc! { "_id": 1 }, false, None);
    let of_user = (doc! { "userId": 1, "createdAt": 1, "_id": 1 }, false, None);
    let (hash, place) = ((doc! { "keyHash": 1 }, true, None), (doc! { "place": 1 }, true, None));
    assert_eq!(indexes(&setup, "api_keys").await, [id, hash, place, of_user]);
    assert!(indexes(&setup, "sessions").await.contains(&(doc! { "id": 1 }, true, None)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn backends_that_start_at_once_do_not_mind_each_other() {
    let setup = Setup::new().await;
    setup.database.drop().await.unwrap();
    let starts = (0..5).map(|_| {
        let url = setup.url.clone();
        tokio::spawn(async move { MongoStore::connect(&url).await.unwrap() })
    });
    for store in join_all(starts).await {
        assert_eq!(store.unwrap().connections(Instagram).current_connection("ann").await.unwrap(), None);
    }
    assert_eq!(indexes(&setup, "instagram_connections").await.len(), 10);
}

#[tokio::test]
async fn an_index_that_cannot_be_made_stops_the_start() {
    let setup = Setup::new().await;
    setup.connections().drop().await.unwrap();
    let twice = [("ann", "1"), ("bob", "1")]
        .map(|(user, account)| doc! { "userId": user, "instagramUserId": account });
    setup.connections().insert_many(twice).await.unwrap();
    let refused = MongoStore::connect(&setup.url).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
}

#[tokio::test]
async fn indexes_that_exist_are_fine() {
    let setup = Setup::new().await;
    setup.connections().drop().await.unwrap();
    // As Mongoose makes them.
    let options = IndexOptions::builder().unique(true).name("instagramUserId_1".to_owned()).build();
    let model = mongodb::IndexModel::builder().keys(doc! { "instagramUserId": 1 }).options(options).build();
    setup.connections().create_index(model).await.unwrap();
    MongoStore::connect(&setup.url).await.unwrap();
}

/// The stages of the plan that the server chose, outermost first. A plan has one input or several, its own shards' plans, or
/// all of that inside the plan of a newer engine.
pub(crate) fn stages(plan: &Document) -> Vec<String> {
    let mut stages: Vec<String> = plan.get_str("stage").map(str::to_owned).into_iter().collect();
    for inner in ["queryPlan", "winningPlan", "inputStage"] {
        if let Ok(inner) = plan.get_document(inner) {
            stages.extend(self::stages(inner));
        }
    }
    for several in ["inputStages", "shards"] {
        let inner = plan.get_array(several).into_iter().flatten().filter_map(Bson::as_document);
        stages.extend(inner.flat_map(self::stages));
    }
    stages
}

/// Asserts that a plan looks things up in an index, and never at every document.
fn assert_uses_index(plan: &Document, what: &str) {
    let stages = stages(plan);
    let by_index = |stage: &String| matches!(stage.as_str(), "IXSCAN" | "EXPRESS_IXSCAN" | "COUNT_SCAN");
    assert!(stages.iter().any(by_index), "{what}: {stages:?}");
    assert!(!stages.iter().any(|stage| stage == "COLLSCAN"), "{what}: {stages:?}");
}

#[test]
fn plans_of_all_servers_are_understood() {
    let index = || doc! { "stage": "FETCH", "inputStage": { "stage": "IXSCAN" } };
    let plans = [
        index(),
        doc! { "stage": "EXPRESS_IXSCAN" },
        doc! { "queryPlan": index(), "slotBasedPlan": {} },
        doc! { "stage": "OR", "inputStages": [index(), index()] },
        doc! { "stage": "SHARD_MERGE", "shards": [{ "shardName": "a", "winningPlan": index() }] },
    ];
    for plan in &plans {
        assert_uses_index(plan, "a good plan");
    }
    let half = doc! { "stage": "OR", "inputStages": [index(), { "stage": "COLLSCAN" }] };
    let one_shard = doc! { "stage": "SHARD_MERGE", "shards": [
        { "winningPlan": index() }, { "winningPlan": { "stage": "COLLSCAN" } },
    ] };
    for plan in [half, one_shard] {
        assert!(stages(&plan).contains(&"COLLSCAN".to_owned()), "{plan}");
    }
}

/// Queries by `_id` are left out: each collection has its index.
#[tokio::test]
async fn every_query_uses_an_index() {
    let setup = Setup::new().await;
    for number in 0..20 {
        let user = format!("user-{number}");
        for provider in Provider::ALL {
            let (new, connected) = (new_connection(&user, &user), event("connected"));
            setup.store.connections(provider).save_connection(new, connected, now()).await.unwrap();
        }
    }
    let date = DateTime::now();
    let of_connections = [
        doc! { "userId": "user-3", "isActive": true },
        doc! { "isActive": true, "tokenKeyId": "k1", "_id": { "$gt": ObjectId::new() } },
        doc! { "isActive": true, "needsReauthorizationSince": null, "refreshAt": { "$lte": date } },
        doc! { "outbox.at": { "$lte": date } },
    ];
    let mut queries = vec![
        ("instagram_connections", doc! { "instagramUserId": "user-3" }),
        ("instagram_connections", doc! { "appScopedUserId": "7" }),
        ("spotify_connections", doc! { "spotifyUserId": "user-3" }),
        ("spotify_connections", doc! { "spotifyId": "7" }),
        ("connection_events", doc! { "connectionId": ObjectId::new(), "at": { "$lt": date } }),
        ("connection_history", doc! { "connectionId": ObjectId::new(), "at": { "$gte": date, "$lt": date } }),
        ("webhook_deliveries", doc! { "dueAt": { "$lte": date } }),
        ("webhook_deliveries", doc! { "connectionId": ObjectId::new() }),
        ("deletions", doc! { "completedAt": null, "requestedAt": { "$lte": date } }),
        ("users", doc! { "emailKey": "ann@example.org" }),
        ("sessions", doc! { "userId": "ann", "expiresAt": { "$gt": date } }),
        ("sessions", doc! { "userId": "ann" }),
        ("sessions", doc! { "id": "ses-1" }),
        ("oauth_states", doc! { "userId": "ann" }),
        ("api_keys", doc! { "keyHash": "x" }),
        ("api_keys", doc! { "userId": "ann" }),
        ("api_keys", doc! { "userId": null }),
        ("host_links", doc! { "userId": "ann" }),
        ("repeatable_requests", doc! { "keyId": "k1" }),
        ("repeatable_requests", doc! { "owner": "ann" }),
    ];
    for collection in ["instagram_connections", "spotify_connections"] {
        queries.extend(of_connections.clone().map(|filter| (collection, filter)));
    }
    // SecantusDB 0.7 says that it uses no index that has only some of the fields; MongoDB does.
    if std::env::var_os("TEST_MONGODB_URL").is_some() {
        let kept = doc! { "instagramUserId": "user-3", "userId": "x", "erasingSince": { "$exists": false } };
        queries.push(("instagram_connections", kept));
        queries.push(("sessions", doc! { "id": "ses-1", "userId": "ann" }));
        queries.push(("sessions", doc! { "userId": "ann", "_id": { "$ne": "x" } }));
    }
    for (collection, filter) in queries {
        let command =
            doc! { "explain": { "find": collection, "filter": filter.clone() }, "verbosity": "queryPlanner" };
        let answer = setup.database.run_command(command).await.unwrap();
        let planner = answer.get_document("queryPlanner").unwrap();
        assert_uses_index(planner.get_document("winningPlan").unwrap(), &format!("{collection} {filter}"));
    }
}
