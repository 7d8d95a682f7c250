//! The profile (spec `spotify-api.md` §5).

use serde_json::{Value, json};

use crate::account::Account;
use crate::tokens::Grant;
use crate::world::World;

impl World {
    /// Returns the profile, `GET /v1/me`. `origin` is where this is found: scheme, host and port.
    pub(crate) fn profile(&self, grant: &Grant, origin: &str) -> Value {
        let Account {
            id,
            account_id,
            username,
            display_name,
            picture_hue,
            country,
            email,
            product,
            followers,
            development,
            ..
        } = &self.base.accounts[grant.account];
        let options = &self.base.options;
        let mut profile = json!({
            "display_name": display_name,
            "external_urls": { "spotify": format!("https://open.spotify.com/user/{id}") },
            "href": format!("{origin}/v1/users/{id}"),
            "id": id,
            "images": picture_hue.map_or_else(Vec::new, |_| pictures(origin, username)),
            "type": "user",
            "uri": format!("spotify:user:{id}"),
        });
        if let Some(account_id) = account_id.as_ref().filter(|_| options.account_id) {
            profile["account_id"] = account_id.as_str().into();
        }
        if options.development_mode || *development {
            return profile;
        }
        profile["followers"] = json!({ "href": null, "total": followers });
        if grant.has("user-read-private") {
            profile["country"] = country.as_str().into();
            profile["product"] = product.as_str().into();
            profile["explicit_content"] = json!({ "filter_enabled": false, "filter_locked": false });
        }
        if grant.has("user-read-email") {
            profile["email"] = email.as_str().into();
        }
        profile
    }

    /// Returns the hue of an account's picture, `None` where it has none.
    pub(crate) fn picture_hue(&self, username: &str) -> Option<u16> {
        self.base.accounts[self.base.accounts.place(username)?].picture_hue
    }
}

impl Grant {
    /// Tells whether a scope was granted.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// Returns a picture in two sizes, in an order that says nothing.
fn pictures(origin: &str, username: &str) -> Vec<Value> {
    let picture = |size: u16| {
        let url = format!("{origin}/pictures/{username}.svg?size={size}");
        json!({ "url": url, "height": size, "width": size })
    };
    vec![picture(64), picture(300)]
}
