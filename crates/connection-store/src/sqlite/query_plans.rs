//! An index behind every query: no statement may look at each row of a table.

use rusqlite::Connection;

use shared::Provider;

use super::{
    api_keys, connection_sql, deletions, events, history, host_links, idempotency, limits, migrations,
    oauth_states, pauses, sessions, used_handles, users,
};
use crate::erasure::{DELIVERIES, OF_USER, SHOWN};

/// Every statement that searches, but for those about connections.
const QUERIES: &[&str] = &[
    users::FIND_BY_EMAIL,
    users::FIND_BY_ID,
    users::FIND_CREDENTIALS_BY_ID,
    users::CHANGE_PASSWORD,
    users::DELETE,
    sessions::FIND,
    sessions::RENEW,
    sessions::OF_USER,
    sessions::DELETE,
    sessions::DELETE_BY_ID,
    sessions::DELETE_OF_USER,
    sessions::PURGE,
    oauth_states::CONSUME,
    oauth_states::PURGE,
    used_handles::FIND,
    used_handles::RELEASE,
    used_handles::PURGE,
    events::PURGE,
    events::PURGE_DELIVERIES,
    events::CLAIM_DELIVERIES,
    events::FINISH_DELIVERY,
    events::RESCHEDULE_DELIVERY,
    events::RELEASE_DELIVERY,
    history::HAS_DAY,
    history::PURGE,
    history::PURGE_DAYS,
    deletions::PURGE,
    deletions::FIND,
    deletions::UNFINISHED,
    deletions::COMPLETE,
    pauses::FIND,
    api_keys::OWNER,
    api_keys::FIND,
    api_keys::COUNT,
    api_keys::OF_USER,
    api_keys::DELETE,
    api_keys::DELETE_OF_USER,
    api_keys::TOUCH,
    host_links::PURGE,
    host_links::FIND,
    host_links::CONSUME,
    host_links::DELETE_OF_USER,
    limits::FIND,
    limits::FORGET,
    limits::PURGE,
    idempotency::FIND,
    idempotency::ANSWER,
    idempotency::FORGET,
    idempotency::SEALED_WITH,
    idempotency::REENCRYPT,
    idempotency::PURGE,
];

#[test]
fn every_query_uses_an_index() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::migrate(&mut connection).unwrap();
    let erasures = OF_USER.iter().chain(&SHOWN).chain(&DELIVERIES).map(deletions::erase_statement);
    // `key_use` reads each entry of its index, as a count must.
    let of_connections = Provider::ALL.into_iter().flat_map(|provider| connection_sql::of(provider).all());
    let queries = QUERIES.iter().copied().chain(of_connections.filter(|query| !query.starts_with("INSERT")));
    for query in queries.map(str::to_owned).chain(erasures) {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let plan: Vec<String> =
            statement.raw_query().mapped(|row| row.get("detail")).collect::<Result<_, _>>().unwrap();
        assert!(!plan.is_empty());
        for step in &plan {
            let by_index = step.contains("USING INDEX")
                || step.contains("USING COVERING INDEX")
                || step.contains("USING PRIMARY KEY")
                || step.contains("USING INTEGER PRIMARY KEY");
            let combines = step.starts_with("SCALAR SUBQUERY") || step.starts_with("LIST SUBQUERY");
            assert!(step.starts_with("SEARCH") && by_index || combines, "{query}\nruns as {plan:#?}");
            assert!(!step.contains("TEMP B-TREE"), "{query}\nsorts: {plan:#?}");
        }
    }
}
