//! Which of the driver's errors pass by themselves.

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR, WriteFailure};

use crate::StoreError;

/// A unique index refused a document.
pub(super) const DUPLICATE_KEY: i32 = 11000;

/// Codes with which a server says "not now": it is stepping down, shutting down, starting, electing or out of time.
/// The retryable reads of the driver specification, then `MaxTimeMSExpired`, `WriteConcernFailed` (a majority did not
/// answer in time), `UnsatisfiableWriteConcern`, `LegacyNotPrimary` and `IngressRequestRateLimitExceeded`.
const NOT_NOW: [i32; 18] = [
    11600, 11602, 10107, 13435, 13436, 189, 91, 7, 6, 89, 9001, 134, 262, // retryable reads
    50, 64, 100, 10058, 462,
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

/// Whether a unique index refused the write.
pub(super) fn is_duplicate_key(error: &Error) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// Whether the same call may succeed later without anybody changing the program or the data.
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
        _ => code(error).is_some_and(|code| NOT_NOW.contains(&code)),
    }
}

fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mongodb::options::ClientOptions;

    use super::*;

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
