//! Columns for values of types that SQLite does not have.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef};
use rusqlite::{Error, ToSql};
use shared::Provider;

use crate::times::millis;

/// A time, as milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Millis(pub(super) Timestamp);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(millis(self.0).into())
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        Timestamp::from_millisecond(millis).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

/// A count. SQLite's integers are signed; no count comes near their end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let count = value.as_i64()?;
        u64::try_from(count).map(Self).map_err(|_| FromSqlError::OutOfRange(count))
    }
}

/// A provider, by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedProvider(pub(super) Provider);

impl ToSql for NamedProvider {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_str().into())
    }
}

impl FromSql for NamedProvider {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Provider::from_name(value.as_str()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// A list of texts, as a JSON array.
#[derive(Clone, Debug)]
pub(super) struct TextList(pub(super) Vec<String>);

impl ToSql for TextList {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(ToSqlOutput::Owned(Value::Text(json)))
    }
}

impl FromSql for TextList {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

/// A value that a row can do without: one that cannot be read, as after a repair by hand, counts as unset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lenient<T>(pub(super) Option<T>);

impl<T: FromSql> FromSql for Lenient<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(T::column_result(value).ok()))
    }
}

/// At most `limit` of the rows that can be read. One that cannot is passed over: it must not keep the others from a job.
pub(super) fn readable<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
    limit: usize,
) -> rusqlite::Result<Vec<T>> {
    let mut passed_over = 0_u64;
    let read = rows
        .filter(|row| {
            let is_unreadable = row.as_ref().is_err_and(is_unreadable);
            passed_over += u64::from(is_unreadable);
            !is_unreadable
        })
        .take(limit)
        .collect();
    warn_of(passed_over);
    read
}

/// Says that rows were passed over; never what is in them.
pub(super) fn warn_of(passed_over: u64) {
    if passed_over > 0 {
        tracing::warn!(passed_over, "stored rows cannot be read and were passed over");
    }
}

/// Tells whether an error is the row's own fault, and not the database's.
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}
