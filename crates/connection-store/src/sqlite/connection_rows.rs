//! Rows of the tables of connections, as they are read.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::FromSql;
use shared::Provider;

use super::columns::{Count, Lenient, Millis, TextList};
use crate::{Connection, Profile, SealedToken};

/// Reads `columns!()`: by place, since looking each up by its name would cost more than the rest of the read.
///
/// Fails only where it is not known whose it is, or what the token is: anything else that cannot be read, as after a repair
/// by hand, shows as well as it can.
pub(super) fn connection(row: &Row<'_>, provider: Provider) -> rusqlite::Result<Connection> {
    let mut columns = Columns { row, next: 0 };
    Ok(Connection {
        id: columns.read()?,
        provider,
        user_id: columns.read()?,
        provider_account_id: columns.read()?,
        other_account_id: columns.lenient()?,
        access_token: columns.read()?,
        refresh_token: columns.read()?,
        token_issued_at: columns.time()?,
        // What ends nobody knows when is taken for expired, rather than for something that never does.
        token_expires_at: columns.time()?,
        expires_at: columns.time()?,
        refresh_at: columns.optional_time()?,
        profile: Profile {
            username: columns.lenient()?.unwrap_or_default(),
            name: columns.lenient()?,
            profile_picture_url: columns.lenient()?,
            profile_url: columns.lenient()?,
            biography: columns.lenient()?,
            website: columns.lenient()?,
            followers_count: columns.count()?,
            follows_count: columns.count()?,
            media_count: columns.count()?,
            product: columns.lenient()?,
        },
        scopes: columns.lenient::<TextList>()?.map(|list| list.0).unwrap_or_default(),
        connected_at: columns.time()?,
        last_connected_at: columns.time()?,
        last_synced_at: columns.time()?,
        last_error: columns.lenient()?,
        needs_reauthorization_since: columns.optional_time()?,
        refused_since: columns.optional_time()?,
        refresh_failures: columns.failures()?,
        refresh_lease_until: columns.optional_time()?,
        sync_failures: columns.failures()?,
        sync_lease_until: columns.optional_time()?,
        is_active: columns.read()?,
    })
}

struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl Columns<'_, '_> {
    fn read<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let place = self.next;
        self.next += 1;
        self.row.get(place)
    }

    fn lenient<T: FromSql>(&mut self) -> rusqlite::Result<Option<T>> {
        self.read::<Lenient<T>>().map(|value| value.0)
    }

    /// A time that cannot be told is taken for long ago.
    fn time(&mut self) -> rusqlite::Result<Timestamp> {
        Ok(self.lenient::<Millis>()?.map_or(Timestamp::UNIX_EPOCH, |time| time.0))
    }

    /// As [`time`](Self::time); what is set stays set.
    fn optional_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        let time = self.read::<Option<Lenient<Millis>>>()?;
        Ok(time.map(|time| time.0.map_or(Timestamp::UNIX_EPOCH, |time| time.0)))
    }

    fn count(&mut self) -> rusqlite::Result<Option<u64>> {
        Ok(self.lenient::<Count>()?.map(|count| count.0))
    }

    fn failures(&mut self) -> rusqlite::Result<u32> {
        Ok(self.count()?.map_or(0, |count| count.try_into().unwrap_or(u32::MAX)))
    }
}

/// Reads a row of the tokens that a key has sealed.
pub(super) fn sealed_token(row: &Row<'_>) -> rusqlite::Result<SealedToken> {
    Ok(SealedToken {
        connection_id: row.get(0)?,
        provider_account_id: row.get(1)?,
        access_token: row.get(2)?,
        refresh_token: row.get(3)?,
    })
}
