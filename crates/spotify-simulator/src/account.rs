//! One account of the simulated Spotify, and the named ones.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::accounts::{
    AccountIds, DEVELOPMENT, LISTENER, NOT_ASCII, UNNAMED, UNREGISTERED, WITHOUT_ACCOUNT_ID,
};

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name in the simulator.
    pub(crate) username: String,
    /// `id` in the profile.
    pub(crate) id: String,
    pub(crate) account_id: Option<String>,
    pub(crate) display_name: Option<String>,
    /// The hue of the picture, in degrees. `None`: the account has no picture.
    pub(crate) picture_hue: Option<u16>,
    pub(crate) country: String,
    pub(crate) email: String,
    pub(crate) product: String,
    pub(crate) followers: u64,
    /// False: it is not on the app's list.
    pub(crate) registered: bool,
    /// True: its profile has the fields of development mode only.
    pub(crate) development: bool,
    /// What the person agreed to last, unless they removed the app since.
    pub(crate) agreement: Option<Agreement>,
    /// True: its tokens were revoked, and none was issued since.
    pub(crate) revoked: bool,
}

/// That a person let the app in.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) scopes: Vec<String>,
    pub(crate) at: Timestamp,
}

/// A change of an account, which the admin route reads too. What is left out stays.
///
/// ```
/// use spotify_simulator::{AccountChange, Config, Simulator, accounts};
///
/// let simulator = Simulator::start(Config::default())?;
/// let change = AccountChange { followers: Some(4_000), display_name: Some(None), ..AccountChange::default() };
/// simulator.change_account(accounts::LISTENER, change);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// `id` in the profile: what people call a user name.
    pub id: Option<String>,
    /// `account_id` in the profile. `Some(None)`, null in JSON: it has none.
    #[serde(deserialize_with = "given")]
    pub account_id: Option<Option<String>>,
    /// `display_name` in the profile. `Some(None)`, null in JSON: null.
    #[serde(deserialize_with = "given")]
    pub display_name: Option<Option<String>>,
    /// `product` in the profile: `premium`, `free`, `open`.
    pub product: Option<String>,
    /// `followers.total` in the profile.
    pub followers: Option<u64>,
    /// Whether it is on the app's list.
    pub registered: Option<bool>,
    /// Whether its profile has the fields of development mode only.
    pub development: Option<bool>,
}

/// Tells null from what is left out.
fn given<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(json).map(Some)
}

impl Account {
    pub(crate) fn ids(&self) -> AccountIds {
        AccountIds { account_id: self.account_id.clone(), id: self.id.clone() }
    }

    /// Makes an account in which everything follows from its name and number.
    fn plain(username: &str, number: u64) -> Self {
        Self {
            username: username.to_owned(),
            id: username.to_owned(),
            account_id: Some(format!("Sim{number:07}xQ")),
            display_name: Some(format!("Listener {number}")),
            picture_hue: Some(u16::try_from(number * 47 % 360).unwrap_or_default()),
            country: "SE".to_owned(),
            email: format!("{username}@listener.example"),
            product: "premium".to_owned(),
            followers: 100 + number,
            registered: true,
            development: false,
            agreement: None,
            revoked: false,
        }
    }
}

impl simulator_kit::Account for Account {
    type Change = AccountChange;

    fn username(&self) -> &str {
        &self.username
    }

    fn added(username: String, number: u64) -> Self {
        Self::plain(&username, number)
    }

    fn change(&mut self, change: AccountChange) {
        let AccountChange { id, account_id, display_name, product, followers, registered, development } =
            change;
        self.id = id.unwrap_or_else(|| self.id.clone());
        self.account_id = account_id.unwrap_or_else(|| self.account_id.clone());
        self.display_name = display_name.unwrap_or_else(|| self.display_name.clone());
        self.product = product.unwrap_or_else(|| self.product.clone());
        self.followers = followers.unwrap_or(self.followers);
        self.registered = registered.unwrap_or(self.registered);
        self.development = development.unwrap_or(self.development);
    }

    fn describe(&self) -> Value {
        json!({
            "username": self.username,
            "id": self.id,
            "account_id": self.account_id,
            "display_name": self.display_name,
            "product": self.product,
            "followers": self.followers,
            "registered": self.registered,
            "development": self.development,
            "revoked": self.revoked,
        })
    }
}

/// The named accounts, in the order in which the consent page lists them.
pub(crate) fn made_up() -> Vec<Account> {
    let text = |text: &str| Some(text.to_owned());
    vec![
        Account {
            account_id: text("aB3dE5fG7h"),
            display_name: text("JM Wizzler"),
            picture_hue: Some(140),
            email: "email@example.com".to_owned(),
            followers: 3_829,
            ..Account::plain(LISTENER, 1)
        },
        Account { display_name: None, picture_hue: None, followers: 0, ..Account::plain(UNNAMED, 2) },
        Account {
            display_name: text("Zoë Nguyễn 🎧"),
            country: "VN".to_owned(),
            product: "open".to_owned(),
            ..Account::plain(NOT_ASCII, 3)
        },
        Account { display_name: text("Sam"), development: true, ..Account::plain(DEVELOPMENT, 4) },
        Account { display_name: text("Mallory"), registered: false, ..Account::plain(UNREGISTERED, 5) },
        Account {
            display_name: text("Old Timer"),
            account_id: None,
            ..Account::plain(WITHOUT_ACCOUNT_ID, 6)
        },
    ]
}
