//! A person's decision on the consent page.

/// A person's decision on the consent page.
///
/// ```
/// use instagram_simulator::{Consent, accounts};
///
/// let everything = Consent::allow(accounts::RECORD_SHOP);
/// let no_messages = Consent::allow_only(accounts::CREATOR, &["instagram_business_basic"]);
/// let no = Consent::refuse();
/// assert!(no.refuse && !everything.refuse && no_messages.permissions.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The user name of the chosen account: see [`accounts`](crate::accounts). Not looked at when refusing.
    pub account: String,
    /// The permissions left ticked. `None`: all that the app asked for.
    pub permissions: Option<Vec<String>>,
    /// True: the person pressed "Cancel".
    pub refuse: bool,
}

impl Consent {
    /// Chooses an account and grants everything that the app asked for.
    pub fn allow(account: &str) -> Self {
        Self { account: account.to_owned(), permissions: None, refuse: false }
    }

    /// Chooses an account, and leaves only these permissions ticked.
    pub fn allow_only(account: &str, permissions: &[&str]) -> Self {
        let permissions = permissions.iter().map(|&name| name.to_owned()).collect();
        Self { account: account.to_owned(), permissions: Some(permissions), refuse: false }
    }

    /// Presses "Cancel".
    pub fn refuse() -> Self {
        Self { account: String::new(), permissions: None, refuse: true }
    }
}
