//! Hashing and checking passwords with Argon2id.

use std::sync::Arc;

use actix_web::web;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Argon2id with the crate's defaults (19 MiB, two passes: OWASP's first choice), on threads of its own.
///
/// The number that run at once is bounded, so that a burst of sign-ins costs time, not memory or the workers.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Checked when the account does not exist, so that the time taken does not tell.
    decoy: Arc<SecretString>,
}

impl Passwords {
    /// As many at once as the machine has cores.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash(b"nobody's password").expect("the default parameters of Argon2 are valid");
        Self { permits: Arc::new(Semaphore::new(cores)), decoy: Arc::new(decoy) }
    }

    /// The PHC string to store for a password.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<SecretString, ApiError> {
        self.run(move || hash(password.expose_secret().as_bytes())).await?.map_err(ApiError::internal)
    }

    /// Whether the password belongs to the stored hash. Without a hash it takes the same time and answers no.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        stored: Option<SecretString>,
    ) -> Result<bool, ApiError> {
        let decoy = Arc::clone(&self.decoy);
        self.run(move || {
            let expected = stored.as_ref().unwrap_or(&decoy);
            let matches = PasswordHash::new(expected.expose_secret()).is_ok_and(|hash| {
                Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
            });
            matches && stored.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(ApiError::internal)?;
        // The permit goes along: a client that hangs up must not let the next one in before this hash is done.
        web::block(move || {
            let _permit = permit;
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
        let passwords = Passwords::new();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(stored.expose_secret().starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse battery".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse batterz".into(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("nobody's password".into(), None).await.unwrap());
        assert!(!passwords.verify("any".into(), Some("not a PHC string".into())).await.unwrap());
    }
}
