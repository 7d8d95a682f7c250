//! The keys that tokens are encrypted with.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use token_vault::Keyring;

use super::{ConfigError, DatabaseConfig, ServerConfig, Variables};

const VARIABLE: &str = "TOKEN_ENCRYPTION_KEYS";

/// Source of the keyring.
#[derive(Clone, Debug)]
pub enum EncryptionConfig {
    /// `TOKEN_ENCRYPTION_KEYS` as given; checked already.
    Given(SecretString),
    /// Unset with SQLite: a file beside the database, made before the database is.
    File {
        /// The database's name with `.keys` behind it.
        keys: PathBuf,
        /// The database's own file.
        database: PathBuf,
    },
}

impl EncryptionConfig {
    /// Reads `TOKEN_ENCRYPTION_KEYS`.
    ///
    /// # Errors
    /// When it cannot be parsed, or is unset although the service is meant for production (MongoDB or https): a key that
    /// one machine makes for itself would be lost with it.
    pub fn from_env(
        variables: &Variables,
        server: &ServerConfig,
        database: &DatabaseConfig,
    ) -> Result<Self, ConfigError> {
        let accepts = "id:base64-of-32-bytes, comma-separated, the key that encrypts first (\"instagram-connect keys \
                       generate\" prints one)";
        if let Some(keys) = variables.get(VARIABLE)? {
            Keyring::parse(keys).map_err(|why| ConfigError::new(VARIABLE, format!("{accepts}; {why}")))?;
            return Ok(Self::Given(keys.into()));
        }
        match database.sqlite_file() {
            Some(database) if !server.is_https() => {
                let mut keys = database.clone().into_os_string();
                keys.push(".keys");
                Ok(Self::File { keys: keys.into(), database })
            }
            Some(_) => Err(ConfigError::new(
                VARIABLE,
                format!("{accepts}; it has no default when PUBLIC_URL is https"),
            )),
            None => Err(ConfigError::new(VARIABLE, format!("{accepts}; it has no default with MongoDB"))),
        }
    }

    /// The keyring, its file made when it is not there yet.
    ///
    /// # Errors
    /// When the file cannot be read, written or understood, or is missing although the database is there: a new key would
    /// open none of its tokens.
    pub fn keyring(&self) -> io::Result<Keyring> {
        let text = match self {
            Self::Given(keys) => keys.clone(),
            Self::File { keys, database } if keys.try_exists()? || !has_content(database) => {
                read_or_create(keys)?
            }
            Self::File { keys, .. } => {
                let missing = format!(
                    "{} is missing. Restore it, or set {VARIABLE} to the keys in use",
                    keys.display()
                );
                return Err(io::Error::new(io::ErrorKind::NotFound, missing));
            }
        };
        Keyring::parse(text.expose_secret().trim())
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

fn has_content(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0)
}

/// Reads the key file. Where there is none it is written whole under another name first and linked into place, so that
/// neither a crash nor a second process starting at once can leave half a key or two.
fn read_or_create(path: &Path) -> io::Result<SecretString> {
    if !path.try_exists()? {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let entry = Keyring::generate("k1").map_err(io::Error::other)?;
        let draft = path.with_extension(format!("keys-{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(entry.as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Ok(()) => tracing::info!(file = %path.display(), "made a token encryption key; back it up"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    fs::read_to_string(path).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/instagram.db.keys");
        let first = read_or_create(&path).unwrap();
        let second = read_or_create(&path).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_lost_key_is_not_replaced_by_one_that_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [keys, database] = ["instagram.db.keys", "instagram.db"].map(|name| folder.path().join(name));
        let config = EncryptionConfig::File { keys: keys.clone(), database: database.clone() };
        config.keyring().unwrap();
        fs::write(&database, "a database").unwrap();
        config.keyring().unwrap();
        fs::remove_file(&keys).unwrap();
        assert_eq!(config.keyring().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!keys.exists());
    }
}
