//! Hashing and checking passwords with Argon2id.

use std::sync::Arc;

use actix_web::web;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use prometheus_client::metrics::counter::Counter;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api_error::ApiError;

/// Argon2id with the crate's defaults (19 MiB, two passes: OWASP's first choice), on threads of its own.
///
/// The number that run at once is bounded, so that a burst of sign-ins costs neither memory nor the workers; so is the
/// number that wait, so that it does not lock everybody else out for longer than a few seconds.
#[derive(Clone)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    admitted: Arc<Semaphore>,
    /// Checked when the account does not exist, so that the time taken does not tell.
    decoy: Arc<SecretString>,
    hashed: Counter,
}

/// A place in the line, given back when it is dropped.
pub(crate) struct Admission(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Most passwords in line for each core. A hash takes some 20 ms, so the last in line waits for about a
/// second.
const IN_LINE_PER_CORE: usize = 64;

impl Passwords {
    /// As many at once as the machine has cores. `hashed` counts them.
    pub(crate) fn new(hashed: Counter) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash(b"nobody's password").expect("the default parameters of Argon2 are valid");
        Self {
            running: Arc::new(Semaphore::new(cores)),
            admitted: Arc::new(Semaphore::new(cores * IN_LINE_PER_CORE)),
            decoy: Arc::new(decoy),
            hashed,
        }
    }

    /// Takes a place in the line of passwords to be hashed. Taken before a try is counted, it keeps one that
    /// is refused here from being counted as a wrong password.
    ///
    /// # Errors
    /// `rate_limited` when the line is full.
    pub(crate) fn admit(&self) -> Result<Admission, ApiError> {
        let place = Arc::clone(&self.admitted).try_acquire_owned();
        place.map(Admission).map_err(|_| ApiError::too_many_sign_ins())
    }

    /// The PHC string to store for a password.
    pub(crate) async fn hash(
        &self,
        admission: Admission,
        password: SecretString,
    ) -> Result<SecretString, ApiError> {
        let hashed = self.run(admission, move || hash(password.expose_secret().as_bytes())).await?;
        hashed.map_err(ApiError::internal)
    }

    /// Tells whether the password belongs to the stored hash. Without a hash it takes the same time and
    /// answers no.
    pub(crate) async fn verify(
        &self,
        admission: Admission,
        password: SecretString,
        stored: Option<SecretString>,
    ) -> Result<bool, ApiError> {
        let decoy = Arc::clone(&self.decoy);
        self.run(admission, move || {
            let expected = stored.as_ref().unwrap_or(&decoy);
            let matches = PasswordHash::new(expected.expose_secret()).is_ok_and(|hash| {
                Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
            });
            matches && stored.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        admission: Admission,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(ApiError::internal)?;
        self.hashed.inc();
        // The permits go along: a client that hangs up must not let the next one in before this hash is done.
        web::block(move || {
            let _permits = (admission, permit);
            work()
        })
        .await
        .map_err(ApiError::internal)
    }
}

fn hash(password: &[u8]) -> Result<SecretString, argon2::password_hash::Error> {
    let hash: PasswordHash = Argon2::default().hash_password(password)?;
    Ok(hash.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn only_the_password_itself_matches() {
        let passwords = Passwords::new(Counter::default());
        let stored =
            passwords.hash(passwords.admit().unwrap(), "correct horse battery".into()).await.unwrap();
        assert!(stored.expose_secret().starts_with("$argon2id$"));
        let matches = async |password: &str, stored: Option<&str>| {
            let (password, stored) = (password.into(), stored.map(SecretString::from));
            passwords.verify(passwords.admit().unwrap(), password, stored).await.unwrap()
        };
        let stored = Some(stored.expose_secret());
        assert!(matches("correct horse battery", stored).await);
        assert!(!matches("correct horse batterz", stored).await);
        assert!(!matches("nobody's password", None).await);
        assert!(!matches("any", Some("not a PHC string")).await);
    }
}
