//! A person's decision on the consent page, and the way back from it.

use url::form_urlencoded;

use crate::parameters::Parameters;

/// A person's decision on the consent page.
///
/// ```
/// use simulator_kit::Consent;
///
/// let everything = Consent::allow("wizzler");
/// let no_email = Consent::allow_only("wizzler", &["user-read-private"]);
/// let no = Consent::refuse();
/// assert!(no.refuse && !everything.refuse && no_email.permissions.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The user name of the chosen account. Not looked at when refusing.
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

    /// Reads the consent page's form.
    pub fn from_form(form: &Parameters) -> Self {
        Self {
            account: form.text("account").to_owned(),
            permissions: Some(form.all("permission")),
            // Anything but a clear yes is a no.
            refuse: form.text("decision") != "allow",
        }
    }

    /// Returns the permissions that are granted of those that were asked for.
    ///
    /// # Errors
    ///
    /// A permission that was ticked and is not on the page.
    pub fn granted(self, asked: &[&'static Permission]) -> Result<Vec<String>, String> {
        let Some(chosen) = self.permissions else {
            return Ok(asked.iter().map(|permission| permission.name.to_owned()).collect());
        };
        let was_asked = |name: &str| asked.iter().any(|permission| permission.name == name);
        match chosen.iter().find(|name| !was_asked(name)) {
            Some(stranger) => Err(stranger.clone()),
            None => Ok(chosen),
        }
    }
}

/// A permission that an app can ask for.
#[derive(Debug)]
pub struct Permission {
    /// Its name in `scope`.
    pub name: &'static str,
    /// The consent page's words about it.
    pub label: &'static str,
}

/// Returns the redirect URI with these parameters and the state.
pub fn return_url(redirect_uri: &str, parameters: &[(&str, &str)], state: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", query.finish())
}
