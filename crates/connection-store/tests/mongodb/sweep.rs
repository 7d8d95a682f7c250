//! Many connections, few of them due: the due ones alone are claimed, by the index.

use connection_store::Store;
use std::collections::HashSet;

use jiff::Timestamp;
use mongodb::bson::{DateTime, Document, doc};

use shared::Provider::Instagram;

use crate::indexes::stages;
use crate::{Setup, now, seconds};

const DAY: i64 = 86_400;

/// With `LONG_TESTS=1` as many as a large installation has; else few enough for the test server.
fn connections() -> i64 {
    if std::env::var_os("LONG_TESTS").is_some_and(|value| value == "1") { 100_000 } else { 10_000 }
}

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_claims_what_is_due_and_looks_at_little_else() {
    let setup = Setup::new().await;
    let (now, count) = (now(), connections());
    let document = |number: i64| {
        let left = if number % 100 == 0 { 20 + number % 7 } else { 40 };
        doc! {
            "userId": format!("user-{number}"), "instagramUserId": number.to_string(),
            "accessToken": format!("v1.k1.{number}"), "tokenKeyId": "k1", "isActive": true,
            "tokenIssuedAt": date(now - seconds(30 * DAY)), "tokenExpiresAt": date(now + seconds(left * DAY)),
            "refreshAt": date(now + seconds((left - 30) * DAY)),
            "lastSyncedAt": date(now), "needsReauthorizationSince": null,
        }
    };
    let numbers: Vec<i64> = (0..count).collect();
    for batch in numbers.chunks(5_000) {
        setup.connections().insert_many(batch.iter().map(|&number| document(number))).await.unwrap();
    }

    let mut filter = doc! {
        "refreshAt": { "$lte": date(now) },
        "isActive": true,
        "needsReauthorizationSince": null,
    };
    // The other conditions of a claim. SecantusDB 0.7 says that it looks at everything then, but does not.
    if std::env::var_os("TEST_MONGODB_URL").is_some() {
        let not_later = doc! { "$not": { "$gt": date(now) } };
        filter.extend(
            ["refreshLeaseUntil", "refreshNotBefore"]
                .map(|field| (field.to_owned(), not_later.clone().into())),
        );
    }
    let find = doc! { "find": "instagram_connections", "filter": filter, "sort": { "refreshAt": 1 } };
    let explain = doc! { "explain": find, "verbosity": "executionStats" };
    let answer = setup.database.run_command(explain).await.unwrap();
    let plan = answer.get_document("queryPlanner").unwrap().get_document("winningPlan").unwrap();
    let stages = stages(plan);
    assert!(stages.iter().any(|stage| stage == "IXSCAN"), "{stages:?}");
    assert!(plan.to_string().contains("refreshAt"), "{plan}");
    let statistics = answer.get_document("executionStats").unwrap();
    // A few entries more than are returned, for the ends of the range.
    for examined in ["totalKeysExamined", "totalDocsExamined"] {
        let examined = number(statistics, examined);
        assert!((count / 100..=count / 100 + 5).contains(&examined), "{examined} of {count}: {statistics}");
    }

    let mut claimed = HashSet::new();
    loop {
        let batch = setup
            .store
            .connections(Instagram)
            .claim_due_for_refresh(now + seconds(600), 25, now)
            .await
            .unwrap();
        if batch.is_empty() {
            break;
        }
        assert!(batch.len() <= 25);
        for connection in batch {
            assert!(claimed.insert(connection.provider_account_id), "it was claimed twice");
        }
    }
    let expected: HashSet<_> = (0..count).step_by(100).map(|number| number.to_string()).collect();
    assert_eq!(claimed, expected);
}

fn number(document: &Document, field: &str) -> i64 {
    let value = document.get(field).unwrap_or_else(|| panic!("no {field} in {document}"));
    value.as_i64().or_else(|| value.as_i32().map(i64::from)).unwrap()
}
