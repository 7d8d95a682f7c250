//! The caller of a request, and the caller's permissions.

pub(crate) mod api_key;
mod bearer;
pub(crate) mod cookies;
mod find;
mod passwords;
mod session_cookie;

use connection_store::{SecretHash, Session};
use domain::user_id::{host_user_id, public_user_id};
use shared::{Scope, validation};

use crate::api_error::ApiError;

pub(crate) use bearer::{bearer_key, has_bearer_key};
pub(crate) use find::{Callers, Identified, RenewedSession, session_end};
pub(crate) use passwords::Passwords;
pub(crate) use session_cookie::SessionCookie;

/// Somebody who has proved who they are. Handlers get their user only through this extractor.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Proof);

/// The proof that a caller gave of their identity.
#[derive(Clone, Debug)]
enum Proof {
    Session { hash: SecretHash, session: Session },
    Key(KeyInfo),
}

/// The key that a caller showed; not the key itself.
#[derive(Clone, Debug)]
pub(crate) struct KeyInfo {
    /// Names it in the log.
    pub(crate) id: String,
    /// Name that the owner gave the key.
    pub(crate) name: String,
    /// For whom it acts.
    pub(crate) kind: KeyKind,
    scopes: Vec<Scope>,
}

/// For whom a key acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// For the user who made it, by their stored id.
    Personal {
        /// Stored id of the user who made the key.
        user_id: String,
    },
    /// For any user of the host application, and for no local account.
    Service,
}

impl Caller {
    /// The user that a request is about, by the id that is stored, when the caller may do `scope` for them. `me` stands for
    /// the caller; a service key has no `me`. A service key names the host's users by the host's own ids, see
    /// [`host_user_id`].
    ///
    /// # Errors
    /// `forbidden`, the same for another user and for nobody.
    pub(crate) fn authorize(&self, user_id: &str, scope: Scope) -> Result<String, ApiError> {
        if !self.holds(scope) {
            return Err(ApiError::forbidden());
        }
        match self.own_id() {
            Some(own) if user_id == "me" || user_id == public_user_id(own) => Ok(own.to_owned()),
            None if validation::host_user_id(user_id).is_none() => Ok(host_user_id(user_id).into_owned()),
            _ => Err(ApiError::forbidden()),
        }
    }

    /// Tells whether the caller may do this for anybody at all. A session does what a person does at the web
    /// app; a provider's own token and other people's sessions are for programs.
    fn holds(&self, scope: Scope) -> bool {
        match &self.0 {
            Proof::Session { .. } => !matches!(scope, Scope::TokensRead | Scope::SessionsCreate),
            Proof::Key(key) => key.scopes.contains(&scope),
        }
    }

    /// The stored id of the one user that the caller acts for; `None` for a service key.
    fn own_id(&self) -> Option<&str> {
        match &self.0 {
            Proof::Session { session, .. } => Some(&session.user_id),
            Proof::Key(KeyInfo { kind: KeyKind::Personal { user_id }, .. }) => Some(user_id),
            Proof::Key(KeyInfo { kind: KeyKind::Service, .. }) => None,
        }
    }

    /// Returns kind and id that tell callers apart: the key, or the user of a session, so that all browsers
    /// of a person are one.
    pub(crate) fn identity(&self) -> (&'static str, &str) {
        match &self.0 {
            Proof::Session { session, .. } => ("user", &session.user_id),
            Proof::Key(key) => ("key", &key.id),
        }
    }

    /// Returns the owner of this caller's kept responses, the user or the service key; deleting the owner
    /// deletes them.
    pub(crate) fn owner(&self) -> String {
        match &self.0 {
            Proof::Session { session, .. } => session.user_id.clone(),
            Proof::Key(KeyInfo { kind: KeyKind::Personal { user_id }, .. }) => user_id.clone(),
            Proof::Key(KeyInfo { kind: KeyKind::Service, id, .. }) => format!("key:{id}"),
        }
    }

    /// Returns the key that the caller showed, if any.
    pub(crate) fn key(&self) -> Option<&KeyInfo> {
        match &self.0 {
            Proof::Session { .. } => None,
            Proof::Key(key) => Some(key),
        }
    }

    /// Returns the session, for requests that only a person may make: managing keys, sessions and the
    /// account. It holds the stored id of the signed-in user.
    ///
    /// # Errors
    /// `forbidden` for a key.
    pub(crate) fn signed_in(&self) -> Result<&Session, ApiError> {
        Ok(self.require_session()?.0)
    }

    /// The same, and by which hash the store knows the session.
    ///
    /// # Errors
    /// `forbidden` for a key.
    pub(crate) fn require_session(&self) -> Result<(&Session, &SecretHash), ApiError> {
        match &self.0 {
            Proof::Session { hash, session } => Ok((session, hash)),
            Proof::Key(_) => Err(ApiError::not_for_keys()),
        }
    }

    /// For what only the host application may do.
    ///
    /// # Errors
    /// `forbidden` for whatever is not a service key with this scope.
    pub(crate) fn require_service(&self, scope: Scope) -> Result<(), ApiError> {
        let is_service = self.key().is_some_and(|key| key.kind == KeyKind::Service);
        if is_service && self.holds(scope) { Ok(()) } else { Err(ApiError::forbidden()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn session_of(user_id: &str) -> Caller {
        let at = Timestamp::UNIX_EPOCH;
        let session = Session {
            id: "ses_a".into(),
            user_id: user_id.into(),
            name: None,
            user_agent: None,
            created_at: at,
            last_used_at: at,
            expires_at: at,
        };
        Caller(Proof::Session { hash: [0; 32], session })
    }

    fn key(kind: KeyKind, scopes: &[Scope]) -> Caller {
        Caller(Proof::Key(KeyInfo { id: "key_a".into(), name: "a".into(), kind, scopes: scopes.to_vec() }))
    }

    const READ: Scope = Scope::ConnectionsRead;

    #[test]
    fn a_service_key_acts_for_a_hosts_users_only() {
        let service = key(KeyKind::Service, &[READ]);
        assert_eq!(service.authorize("user-123", READ).unwrap(), "user-123");
        assert_eq!(service.authorize("usr_a", READ).unwrap(), "host:usr_a");
        assert_eq!(service.authorize("host:usr_a", READ).unwrap(), "host:host:usr_a");
        for nobody in ["", "me", "a\n", &"a".repeat(201)] {
            assert!(service.authorize(nobody, READ).is_err(), "{nobody:?}");
        }
        assert!(service.authorize("user-123", Scope::ConnectionsWrite).is_err());
    }

    #[test]
    fn a_person_is_named_as_their_own_application_names_them() {
        assert_eq!(session_of("usr_a").authorize("usr_a", READ).unwrap(), "usr_a");
        let of_host = session_of("host:usr_a");
        for own in ["me", "usr_a"] {
            assert_eq!(of_host.authorize(own, READ).unwrap(), "host:usr_a");
        }
        assert!(of_host.authorize("host:usr_a", READ).is_err(), "that is another of the host's users");
        assert!(session_of("usr_a").authorize("host:usr_a", READ).is_err());
        let personal = key(KeyKind::Personal { user_id: "usr_a".into() }, &[READ]);
        assert_eq!(personal.authorize("me", READ).unwrap(), "usr_a");
        assert!(personal.authorize("usr_b", READ).is_err());
        assert!(personal.authorize("me", Scope::ConnectionsWrite).is_err());
    }

    #[test]
    fn only_service_keys_speak_for_the_host() {
        let create = Scope::SessionsCreate;
        assert!(key(KeyKind::Service, &[create]).require_service(create).is_ok());
        assert!(key(KeyKind::Service, &[READ]).require_service(create).is_err());
        assert!(
            key(KeyKind::Personal { user_id: "usr_a".into() }, &[create]).require_service(create).is_err()
        );
        assert!(session_of("usr_a").require_service(create).is_err());
        assert!(session_of("usr_a").authorize("me", Scope::TokensRead).is_err());
    }

    #[test]
    fn a_caller_acts_for_nobody_else() {
        let caller = session_of("usr_a");
        for scope in [Scope::ConnectionsRead, Scope::ConnectionsWrite] {
            assert_eq!(caller.authorize("me", scope).unwrap(), "usr_a");
            assert_eq!(caller.authorize("usr_a", scope).unwrap(), "usr_a");
            for other in ["usr_b", "", "USR_A", "usr_a ", "Me"] {
                assert!(caller.authorize(other, scope).is_err(), "{other:?}");
            }
        }
    }
}
