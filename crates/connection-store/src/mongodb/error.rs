//! Classifies the driver's errors by whether they pass by themselves.

use std::future::Future;

use mongodb::error::{
    Error, ErrorKind, RETRYABLE_WRITE_ERROR, Result, TRANSIENT_TRANSACTION_ERROR, WriteFailure,
};

use crate::StoreError;

/// A unique index refused a document.
pub(super) const DUPLICATE_KEY: i32 = 11000;

/// Codes with which a server says "not now": it is stepping down, shutting down, starting, electing or out of time.
/// The retryable reads of the driver specification, then `MaxTimeMSExpired`, `WriteConcernFailed` (a majority did not
/// answer in time), `UnsatisfiableWriteConcern`, `LegacyNotPrimary`, `IngressRequestRateLimitExceeded`, `CursorNotFound` (it was
/// on a server that is no longer the primary), `WriteConflict`, `FailedToSatisfyReadPreference` and `TemporarilyUnavailable`.
const NOT_NOW: [i32; 22] = [
    11600, 11602, 10107, 13435, 13436, 189, 91, 7, 6, 89, 9001, 134, 262, // retryable reads
    50, 64, 100, 10058, 462, 43, 112, 133, 365,
];

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if may_pass(&error) { Self::Unavailable(Box::new(error)) } else { Self::Failed(Box::new(error)) }
    }
}

/// An error about the URL itself. Where the URL has credentials, the driver's words are withheld: it quotes the part that
/// it could not read, and a password with an unescaped `/` or `@` is read as host and port.
pub(super) fn from_url(url: &str, error: Error) -> StoreError {
    let unresolved = matches!(*error.kind, ErrorKind::DnsResolve { .. });
    let cause: Box<dyn std::error::Error + Send + Sync> = if url.contains('@') {
        "the MongoDB URL cannot be used; are user name and password percent-encoded, and is the host right?"
            .into()
    } else {
        Box::new(error)
    };
    if unresolved { StoreError::Unavailable(cause) } else { StoreError::Failed(cause) }
}

/// Tells whether a unique index refused the write.
pub(super) fn is_duplicate_key(error: &Error) -> bool {
    codes(error).contains(&DUPLICATE_KEY)
}

/// Tells whether the same call may succeed later without anybody changing the program or the data.
pub(super) fn may_pass(error: &Error) -> bool {
    if error.contains_label(RETRYABLE_WRITE_ERROR) || error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
        return true;
    }
    match *error.kind {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Shutdown => true,
        _ => codes(error).iter().any(|code| NOT_NOW.contains(code)),
    }
}

/// The outcome of a write, looked up by what it leaves behind where nobody knows whether it was applied: the connection broke,
/// or no majority had it in time, which is said after it was applied. `look` finds what this very write has left, if anything.
pub(super) async fn or_applied<T>(
    outcome: Result<T>,
    look: impl Future<Output = Result<Option<T>>>,
) -> Result<T> {
    match outcome {
        Err(error) if may_pass(&error) => look.await?.ok_or(error),
        outcome => outcome,
    }
}

/// The codes that a server gave; of a write of several documents there can be many.
fn codes(error: &Error) -> Vec<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => vec![error.code],
        ErrorKind::Write(WriteFailure::WriteError(error)) => vec![error.code],
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => vec![error.code],
        ErrorKind::InsertMany(failure) => {
            let of_documents = failure.write_errors.iter().flatten().map(|error| error.code);
            of_documents.chain(failure.write_concern_error.iter().map(|error| error.code)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{deserialize_from_document, doc};
    use mongodb::options::ClientOptions;

    use super::*;

    /// As the driver reads it out of a server's answer.
    fn insert_many(failure: mongodb::bson::Document) -> Error {
        ErrorKind::InsertMany(deserialize_from_document(failure).unwrap()).into()
    }

    #[test]
    fn what_a_server_cannot_do_now_may_pass() {
        for code in [43, 64, 112, 133, 365, 10107] {
            let command = deserialize_from_document(doc! { "code": code }).unwrap();
            assert!(may_pass(&ErrorKind::Command(command).into()), "{code}");
        }
        for code in [DUPLICATE_KEY, 121] {
            let command = deserialize_from_document(doc! { "code": code }).unwrap();
            assert!(!may_pass(&ErrorKind::Command(command).into()), "{code}");
        }
    }

    #[test]
    fn an_insert_of_many_that_no_majority_had_in_time_may_pass() {
        assert!(may_pass(&insert_many(doc! { "writeConcernError": { "code": 64 } })));
        let mixed = doc! { "writeErrors": [{ "code": DUPLICATE_KEY }, { "code": 112 }] };
        assert!(may_pass(&insert_many(mixed)));
        assert!(!may_pass(&insert_many(doc! { "writeErrors": [{ "code": DUPLICATE_KEY }] })));
        assert!(!may_pass(&insert_many(doc! {})));
    }

    #[tokio::test]
    async fn a_password_that_breaks_the_url_is_not_repeated() {
        for url in [
            "mongodb://ann:s3cret/word@db/app",
            "mongodb://ann:s3c@ret@db/app",
            "mongodb://ann:%s3cret@db/app",
            "mongodb://ann:s3cret@db:70000/app",
            "mongodb://ann:s3cret@db/app?connectTimeoutMS=s3cret",
        ] {
            let error = from_url(url, ClientOptions::parse(url).await.unwrap_err());
            assert!(!format!("{error:?} {error}").contains("s3c"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn without_credentials_the_drivers_words_are_kept() {
        let url = "mongodb://db:70000/app";
        let error = from_url(url, ClientOptions::parse(url).await.unwrap_err());
        assert!(format!("{error:?}").contains("70000"), "{error:?}");
    }
}
