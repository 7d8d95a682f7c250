//! User ids: those of local accounts, and those of a host application's users.

use std::borrow::Cow;

/// Begins the ids of local accounts.
pub const LOCAL_PREFIX: &str = "usr_";

/// Begins stored ids of a host's users whose own ids would be mistaken for another.
const HOST_PREFIX: &str = "host:";

/// Returns the id under which a host application's user is stored. It is the host's own but for those that could be taken for a
/// local account's or for one that was changed by this: no two ids of a host become one, and none becomes a local one.
pub fn host_user_id(id: &str) -> Cow<'_, str> {
    if id.starts_with(LOCAL_PREFIX) || id.starts_with(HOST_PREFIX) {
        Cow::Owned(format!("{HOST_PREFIX}{id}"))
    } else {
        Cow::Borrowed(id)
    }
}

/// Returns the id that a user's own application knows them by: [`host_user_id`] undone. A local account's stays as it is.
pub fn public_user_id(stored: &str) -> &str {
    stored.strip_prefix(HOST_PREFIX).unwrap_or(stored)
}

/// Tells whether a stored id is that of a local account.
pub fn is_local(stored: &str) -> bool {
    stored.starts_with(LOCAL_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_of_a_host_becomes_a_local_one_or_that_of_another() {
        let ids =
            ["user-123", "usr_a", "usr_", "host:usr_a", "host:", "host:host:usr_a", "host", "USR_a", "店"];
        let stored: Vec<_> = ids.iter().map(|id| host_user_id(id)).collect();
        for (id, stored) in ids.iter().zip(&stored) {
            assert!(!is_local(stored), "{id}");
            assert_eq!(public_user_id(stored), *id);
        }
        let distinct: std::collections::HashSet<_> = stored.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
