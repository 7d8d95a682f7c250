//! The providers, as the web app shows them: a file each says what is particular to one. Pages know no provider by name.

pub mod instagram;

use shared::Connection;

/// Every provider, in the order of the integrations page.
pub static ALL: [&Provider; 1] = [&instagram::INSTAGRAM];

/// The web app's description of a provider.
pub struct Provider {
    /// Names it in the paths of the API and of this app.
    pub slug: &'static str,
    /// People's name for the provider.
    pub name: &'static str,
    /// Its mark, as SVG text.
    pub logo: &'static str,
    /// Purpose of connecting.
    pub offer: &'static str,
    /// Permissions that are asked for, in the order in which they are shown.
    pub permissions: &'static [Permission],
    /// The counts and other facts of an account. What the provider does not tell is left out.
    pub facts: fn(&Connection) -> Vec<String>,
    /// The address of an account's page at the provider.
    pub profile_url: fn(&Connection) -> String,
    /// Life of a fresh access in days, for the length of a bar only. The end is always what the provider said.
    pub life_days: f64,
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
    /// Days before the end at which they begin.
    pub days: f64,
    /// The badge of the connection.
    pub badge: &'static str,
    /// The known facts, and the person's options.
    pub sentence: &'static str,
}

/// A permission, in words.
pub struct Permission {
    /// The name that the provider gives it.
    pub scope: &'static str,
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
    /// Returns the path of the page that tells all about a connection.
    pub fn connection_path(&self) -> String {
        format!("/integrations/{}", self.slug)
    }

    /// Returns the path to which the provider sends the browser back.
    pub fn callback_path(&self) -> String {
        format!("/auth/{}/callback", self.slug)
    }

    /// Returns the id of the main control of the provider's card, which takes the focus when what had it is gone.
    pub fn action_id(&self) -> String {
        format!("{}-action", self.slug)
    }

    /// Returns the id of the menu of the provider's card, where the menu is not its main control.
    pub fn more_id(&self) -> String {
        format!("{}-more", self.slug)
    }

    /// Says that the provider cannot be reached, and then what that means for what was asked.
    pub fn not_answering(&self, consequence: &str) -> String {
        format!("{} is not answering right now. {consequence}", self.name)
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
    fn lists_read_like_sentences() {
        assert_eq!(join(&["a"], "and"), "a");
        assert_eq!(join(&["a", "b", "c"], "and"), "a, b and c");
    }
}
