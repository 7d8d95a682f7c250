//! Many connections, few of them due: the due ones alone are looked at.

use rusqlite::{Connection, StatementStatus, ToSql, named_params};
use shared::Provider;

use super::{connection_sql, migrations};

const CONNECTIONS: i64 = 100_000;
const DUE: i64 = 1_000;
const BATCH: i64 = 250;
/// The time of the test, and what one batch's lease lasts until.
const NOW: i64 = 1_000_000;
const LEASE_UNTIL: i64 = NOW + 1000;

/// So many connections, evenly mixed with those that are due: their time to be refreshed has come, and they were read before the others.
fn filled(connections: i64) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::migrate(&mut connection).unwrap();
    let fill = "
        WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
        INSERT INTO instagram_connections (id, user_id, provider_account_id, access_token,
            token_issued_at, token_expires_at, refresh_at, username, scopes, connected_at, last_connected_at, last_synced_at,
            is_active, updated_at, created_at)
        SELECT printf('%024x', n), 'user-' || n, n, 'v1.k1.x', 0,
            ?3 * 10, iif(n % ?2 = 0, n, ?3 * 10), 'user', '[]', 0, 0, iif(n % ?2 = 0, n, ?3 * 10), 1, 0, 0
        FROM numbers";
    connection.execute(fill, [connections, connections / DUE, NOW]).unwrap();
    connection
}

/// The ids that a claim returns, and how many steps its program took.
fn claim(connection: &Connection, statement: &str, values: &[(&str, &dyn ToSql)]) -> (Vec<String>, i32) {
    let mut statement = connection.prepare(statement).unwrap();
    let ids: Vec<String> =
        statement.query_map(values, |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0);
    assert_eq!(statement.get_status(StatementStatus::Sort), 0);
    (ids, statement.get_status(StatementStatus::VmStep))
}

/// Claims until nothing is due, checks what was claimed, and tells how many steps it took.
fn sweep(connections: i64, statement: &str, values: &[(&str, &dyn ToSql)]) -> i64 {
    let connection = filled(connections);
    let (mut claimed, mut steps) = (Vec::new(), 0);
    loop {
        let (ids, cost) = claim(&connection, statement, values);
        steps += i64::from(cost);
        if ids.is_empty() {
            break;
        }
        assert_eq!(ids.len() as i64, BATCH);
        claimed.extend(ids);
    }
    claimed.sort();
    let every = (connections / DUE) as usize;
    let due: Vec<_> = (0..connections).step_by(every).map(|n| format!("{n:024x}")).collect();
    assert_eq!(claimed, due);
    steps
}

/// Asserts that only due rows cost: as many of them among ten times as many others take the same steps.
fn assert_cost_is_that_of_the_due(statement: &str, values: &[(&str, &dyn ToSql)]) {
    let (all, tenth) = (sweep(CONNECTIONS, statement, values), sweep(CONNECTIONS / 10, statement, values));
    assert_eq!(all, tenth);
}

#[test]
fn a_sweep_for_refreshes_looks_at_what_is_due() {
    let values = named_params! { ":now": NOW, ":lease_until": LEASE_UNTIL, ":limit": BATCH };
    assert_cost_is_that_of_the_due(connection_sql::of(Provider::Instagram).claim_new_for_refresh, values);
}

#[test]
fn a_sweep_for_syncs_looks_at_what_is_due() {
    let synced_by = CONNECTIONS;
    let values = named_params! {
        ":now": NOW, ":synced_by": synced_by, ":lease_until": LEASE_UNTIL, ":limit": BATCH,
    };
    assert_cost_is_that_of_the_due(connection_sql::of(Provider::Instagram).claim_new_for_sync, values);
}
