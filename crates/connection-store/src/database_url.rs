//! The one setting that chooses the database.

use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use thiserror::Error;

/// Location of the data, as `DATABASE_URL` names it.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// A SQLite file: `sqlite:PATH`. `sqlite://PATH` means the same.
    Sqlite(PathBuf),
    /// A MongoDB deployment: `mongodb://…/<database>` or `mongodb+srv://…/<database>`. Secret, since it may hold a password.
    MongoDb(SecretString),
}

/// Reason why a text is no database URL. Never quotes the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidDatabaseUrl {
    /// The scheme is none of ours.
    #[error("expected sqlite:PATH, mongodb://HOST/DATABASE or mongodb+srv://HOST/DATABASE")]
    Scheme,
    /// No path, or one that is not a plain file.
    #[error(
        "expected sqlite:PATH with the path of a file, without parameters; in-memory databases are not supported"
    )]
    SqlitePath,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    /// Reads the scheme and the SQLite path. What is behind `mongodb://` is read by the driver, when it connects.
    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.ends_with('/') || path.starts_with(":memory:") || path.contains('?') {
                return Err(InvalidDatabaseUrl::SqlitePath);
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("mongodb://") || text.starts_with("mongodb+srv://") {
            return Ok(Self::MongoDb(SecretString::from(text)));
        }
        Err(InvalidDatabaseUrl::Scheme)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn sqlite_paths_are_taken_as_they_are() {
        for (text, expected) in [
            ("sqlite:./data/instagram.db", "./data/instagram.db"),
            ("sqlite:/var/lib/x.db", "/var/lib/x.db"),
            ("sqlite://./data/x.db", "./data/x.db"),
            ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
            (" sqlite:with space.db\n", "with space.db"),
        ] {
            let Ok(DatabaseUrl::Sqlite(path)) = text.parse() else { panic!("{text} was refused") };
            assert_eq!(path, PathBuf::from(expected));
        }
    }

    #[test]
    fn mongodb_urls_are_kept_and_hidden() {
        for text in ["mongodb://ann:s3cret@db/app", "mongodb+srv://ann:s3cret@db/app"] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert!(!format!("{url:?}").contains("s3cret"));
            let DatabaseUrl::MongoDb(url) = url else { panic!("{text} was taken for SQLite") };
            assert_eq!(url.expose_secret(), text);
        }
    }

    #[test]
    fn anything_else_is_refused_without_being_quoted() {
        for text in ["", "postgres://ann:s3cret@db/app", "mongodb:db", "/var/lib/x.db", "sqlite"] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap_err(), InvalidDatabaseUrl::Scheme);
        }
        for text in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:x.db?mode=ro"] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap_err(), InvalidDatabaseUrl::SqlitePath);
        }
        assert!(
            !"postgres://ann:s3cret@db".parse::<DatabaseUrl>().unwrap_err().to_string().contains("s3cret")
        );
    }
}
