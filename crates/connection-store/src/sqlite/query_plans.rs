//! An index behind every query: no statement may look at each row of a table.

use rusqlite::Connection;

use super::{connections, migrations, oauth_states, sessions, used_handles, users};

/// Every statement that searches.
const QUERIES: &[&str] = &[
    users::FIND_BY_EMAIL,
    users::FIND_BY_ID,
    sessions::FIND,
    sessions::RENEW,
    sessions::DELETE,
    sessions::PURGE,
    oauth_states::CONSUME,
    oauth_states::PURGE,
    used_handles::RELEASE,
    used_handles::PURGE,
    connections::LATEST,
    connections::DISCONNECT,
    connections::MARK,
    connections::RENEW,
    connections::CLAIM,
    connections::POSTPONE,
    connections::UPDATE_PROFILE,
];

#[test]
fn every_query_uses_an_index() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::migrate(&mut connection).unwrap();
    for query in QUERIES {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let plan: Vec<String> =
            statement.raw_query().mapped(|row| row.get("detail")).collect::<Result<_, _>>().unwrap();
        assert!(!plan.is_empty());
        for step in &plan {
            let by_index = step.contains("USING INDEX")
                || step.contains("USING COVERING INDEX")
                || step.contains("USING PRIMARY KEY");
            let combines = step.starts_with("SCALAR SUBQUERY") || step.starts_with("LIST SUBQUERY");
            assert!(step.starts_with("SEARCH") && by_index || combines, "{query}\nruns as {plan:#?}");
            assert!(!step.contains("TEMP B-TREE"), "{query}\nsorts: {plan:#?}");
        }
    }
}
