//! The providers, as the web app shows them: a file each says what is particular to one. Pages know no provider by name.

pub mod instagram;
pub mod spotify;

use shared::{Connection, Provider as Id};

/// Every provider, in the order of the integrations page, which is that of [`Id::ALL`].
pub static ALL: [&Provider; 2] = [&instagram::INSTAGRAM, &spotify::SPOTIFY];

/// The web app's description of a provider.
pub struct Provider {
    /// Names it to the server.
    pub id: Id,
    /// Its mark, as SVG text.
    pub logo: &'static str,
    /// Stands before a username.
    pub sigil: &'static str,
    /// The provider's own start page.
    pub home: &'static str,
    /// Purpose of connecting.
    pub offer: &'static str,
    /// Permissions that can be asked for, in the order in which they are shown.
    pub permissions: &'static [Permission],
    /// The counts and other facts of an account. What the provider does not tell is left out.
    pub facts: fn(&Connection) -> Vec<String>,
    /// Whether a connection has a curve of followers even before the provider has said how many there are.
    pub always_tells_followers: bool,
    /// Life of a fresh access in days, for the length of a bar only. The end is always what the provider said.
    pub life_days: f64,
    /// Whether refreshing the access moves its end.
    pub refresh_moves_end: bool,
    /// The last days of an access, in words.
    pub expiring: Expiring,
    /// Functions that fail once the access is no longer accepted.
    pub without_access: &'static str,
    /// Sentence on the things that stop here after a disconnect.
    pub disconnecting_stops: &'static str,
    /// Sentence on the things that stay at the provider after a disconnect.
    pub disconnecting_keeps: &'static str,
    /// Address of the guide to setting up an app of the provider's.
    pub docs: &'static str,
}

/// The last days of an access, in words.
pub struct Expiring {
    /// The badge of the connection.
    pub badge: &'static str,
    /// The known facts, and the person's options.
    pub sentence: &'static str,
    /// Days before the end since when the refresh is late, where it is what is late.
    pub delayed_days: Option<f64>,
}

/// A permission, in words.
pub struct Permission {
    /// The name that the provider gives it.
    pub scope: &'static str,
    /// Whether it is asked for where the server's configuration names no others.
    pub is_default: bool,
    /// Stands beside its words.
    pub icon: &'static str,
    /// Action that the permission allows us.
    pub label: &'static str,
    /// Purpose of the permission, once it is granted.
    pub purpose: &'static str,
    /// Ends the sentence "Without it we cannot …".
    pub loss: &'static str,
}

impl Provider {
    /// Returns the name that people know.
    pub fn name(&self) -> &'static str {
        self.id.title()
    }

    /// Returns the name in the paths of the API and of this app.
    pub fn slug(&self) -> &'static str {
        self.id.as_str()
    }

    /// Returns a username as the provider writes it.
    pub fn handle(&self, username: &str) -> String {
        format!("{}{username}", self.sigil)
    }

    /// Returns the address of an account's page at the provider. What the server names is followed to the web alone.
    pub fn profile_url(&self, connection: &Connection) -> String {
        let told = connection.profile_url.as_deref().filter(|url| url.starts_with("https://"));
        told.unwrap_or(self.home).to_owned()
    }

    /// Returns the path of the page that tells all about a connection: the one of this id, or the one in use.
    pub fn connection_path(&self, id: Option<&str>) -> String {
        let of = |id| format!("?connection={}", js_sys::encode_uri_component(id));
        format!("/integrations/{}{}", self.slug(), id.map(of).unwrap_or_default())
    }

    /// Returns the path to which the provider sends the browser back.
    pub fn callback_path(&self) -> String {
        format!("/auth/{}/callback", self.slug())
    }

    /// Returns the id of the main control of the provider's card, which takes the focus when what had it is gone.
    pub fn action_id(&self) -> String {
        format!("{}-action", self.slug())
    }

    /// Returns the id of the menu of the provider's card, where the menu is not its main control.
    pub fn more_id(&self) -> String {
        format!("{}-more", self.slug())
    }

    /// Says that the provider cannot be reached, and then what that means for what was asked.
    pub fn not_answering(&self, consequence: &str) -> String {
        format!("{} is not answering right now. {consequence}", self.name())
    }

    /// Says what the person left out, and what does not work for that.
    pub fn left_out(&self, missing: &[String]) -> String {
        let known = |scope: &String| self.permissions.iter().find(|permission| permission.scope == scope);
        // A name that a newer server knows is still better than nothing.
        let label =
            |scope| format!("“{}”", known(scope).map_or(scope.as_str(), |permission| permission.label));
        let loss = |scope| known(scope).map_or("do everything that you expect", |permission| permission.loss);
        let labels: Vec<_> = missing.iter().map(label).collect();
        let losses: Vec<_> = missing.iter().map(loss).collect();
        let it = if missing.len() == 1 { "it" } else { "them" };
        format!("You left out {}. Without {it} we cannot {}.", join(&labels, "and"), join(&losses, "or"))
    }
}

/// Joins the parts as a sentence does: `a, b and c`.
fn join(parts: &[impl AsRef<str>], word: &str) -> String {
    let mut sentence = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            sentence.push_str(if index + 1 == parts.len() { " " } else { ", " });
            if index + 1 == parts.len() {
                sentence.push_str(word);
                sentence.push(' ');
            }
        }
        sentence.push_str(part.as_ref());
    }
    sentence
}

#[cfg(test)]
mod tests {
    use shared::permission;

    use super::instagram::INSTAGRAM;
    use super::*;

    #[test]
    fn says_what_is_missing_and_what_that_costs() {
        let left_out = |names: &[&str]| {
            INSTAGRAM.left_out(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            left_out(&[permission::CONTENT_PUBLISH]),
            "You left out “Publish posts, reels and stories”. Without it we cannot publish for you."
        );
        assert_eq!(
            left_out(&[permission::CONTENT_PUBLISH, permission::MANAGE_MESSAGES]),
            "You left out “Publish posts, reels and stories” and “Read and answer messages”. \
             Without them we cannot publish for you or answer messages for you."
        );
        assert_eq!(
            left_out(&["something_newer"]),
            "You left out “something_newer”. Without it we cannot do everything that you expect."
        );
    }

    #[test]
    fn every_permission_that_is_asked_for_has_its_words() {
        let scopes: Vec<_> = INSTAGRAM.permissions.iter().map(|permission| permission.scope).collect();
        assert_eq!(scopes, permission::ALL);
    }

    #[test]
    fn every_provider_is_there_in_the_order_of_the_server() {
        assert_eq!(ALL.map(|provider| provider.id), Id::ALL);
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(join(&["a"], "and"), "a");
        assert_eq!(join(&["a", "b", "c"], "and"), "a, b and c");
    }
}
