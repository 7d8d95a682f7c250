//! The schema, one step a release that changed it. `PRAGMA user_version` counts the steps that a file has.

use rusqlite::{Connection, TransactionBehavior};

use super::error::SqliteError;

/// The steps in their order. One that was released is never edited; a change is a new step.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_refresh.sql"),
    include_str!("migrations/0003_long_life.sql"),
    include_str!("migrations/0004_third_party_clients.sql"),
    include_str!("migrations/0005_hardening.sql"),
    include_str!("migrations/0006_deletion_counts.sql"),
    include_str!("migrations/0007_to_the_end.sql"),
    include_str!("migrations/0008_retention.sql"),
    include_str!("migrations/0009_claims.sql"),
    include_str!("migrations/0010_refresh_at.sql"),
    include_str!("migrations/0011_providers.sql"),
];

/// Brings the schema to this program's version. Safe against other processes that do the same at the same time.
///
/// # Errors
/// [`SqliteError::NewerSchema`] when a later program has been at work: its data could be misread.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SqliteError> {
    apply(connection, MIGRATIONS)
}

/// Fails unless the schema is exactly this program's.
pub(super) fn check(connection: &Connection) -> Result<(), SqliteError> {
    let (found, known) = (version(connection)?, MIGRATIONS.len());
    if found == known { Ok(()) } else { Err(SqliteError::OtherSchema { found, known }) }
}

fn apply(connection: &mut Connection, migrations: &[&str]) -> Result<(), SqliteError> {
    let known = migrations.len();
    // Mostly nothing is to be done, and a look needs no write lock.
    while version(connection)? != known {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Read again under the lock: another process may have been faster.
        let found = version(&transaction)?;
        let Some(step) = migrations.get(found) else {
            if found == known {
                break;
            }
            return Err(SqliteError::NewerSchema { found, known });
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", found as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<usize, SqliteError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative one was not set by us; no step is known after it.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn steps_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &["CREATE TABLE a (x)"]).unwrap();
        apply(&mut connection, &["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y"]).unwrap();
        apply(&mut connection, &["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y"]).unwrap();
        connection.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).unwrap();
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = ["CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)"];
        assert!(apply(&mut connection, &broken).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        apply(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).unwrap();
    }

    #[test]
    fn tokens_that_are_there_already_tell_their_key() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &MIGRATIONS[..2]).unwrap();
        let tokens = ["v1.k1.cipher", "v1.k-2.cipher.more", "", "v1.k1", "v2.k1.cipher", "v1..cipher"];
        for token in tokens {
            let insert = "INSERT INTO instagram_connections (id, user_id, instagram_user_id, access_token,
                    token_issued_at, token_expires_at, username, scopes, connected_at, last_connected_at, last_synced_at,
                    is_active, updated_at, created_at)
                VALUES (?1, 'ann', ?1, ?1, 0, 0, 'ann', '[]', 0, 0, 0, 1, 0, 0)";
            connection.execute(insert, [token]).unwrap();
        }
        migrate(&mut connection).unwrap();
        for token in tokens {
            let read = "SELECT token_key_id FROM instagram_connections WHERE id = ?1";
            let key: Option<String> = connection.query_row(read, [token], |row| row.get(0)).unwrap();
            assert_eq!(key.as_deref(), crate::connections::key_id(token), "{token}");
        }
    }

    #[test]
    fn sessions_that_are_there_already_get_names_and_stay_open() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &MIGRATIONS[..3]).unwrap();
        for number in 1..=3 {
            let insert = "INSERT INTO sessions (token_hash, user_id, created_at, expires_at)
                VALUES (zeroblob(?1), 'ann', ?1, 1000)";
            connection.execute(insert, [number]).unwrap();
        }
        migrate(&mut connection).unwrap();
        let read = "SELECT id, last_used_at = created_at, name IS NULL AND user_agent IS NULL FROM sessions";
        let mut statement = connection.prepare(read).unwrap();
        let sessions = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let sessions: Vec<(String, bool, bool)> = sessions.collect::<Result<_, _>>().unwrap();
        let names: BTreeSet<_> = sessions.iter().map(|(id, ..)| id.as_str()).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|id| id.starts_with("ses_") && id.len() == 36), "{names:?}");
        assert!(sessions.iter().all(|(_, used, bare)| *used && *bare));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", MIGRATIONS.len() as i64 + 1).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, SqliteError::NewerSchema { .. }), "{error}");
        assert!(check(&connection).is_err());
    }
}
