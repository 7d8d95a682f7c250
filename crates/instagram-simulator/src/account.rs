//! One account of the simulated Instagram, and the named ones.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::{AccountIds, CREATOR, PERSONAL, RECORD_SHOP, RECORD_SHOP_ID, SPARSE, WITHOUT_ACCESS};
use crate::options::UserIdKind;

/// First ids of added accounts. Both are above 2^53, as real ones are.
const ADDED_USER_ID: u64 = 17_841_500_000_000_000;
const ADDED_APP_SCOPED_ID: u64 = 24_579_500_000_000_001;

/// The kind of a person's account. Only the professional kinds can grant permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountType {
    Business,
    Creator,
    Personal,
}

impl AccountType {
    /// The value of the profile's `account_type`.
    pub(crate) fn as_api(self) -> &'static str {
        match self {
            Self::Business => "BUSINESS",
            Self::Creator => "MEDIA_CREATOR",
            Self::Personal => "PERSONAL",
        }
    }

    /// The word that the consent page shows.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Business => "Business",
            Self::Creator => "Creator",
            Self::Personal => "Personal",
        }
    }
}

/// One account. Fields that are `None` are absent from the profile, never null.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) username: String,
    pub(crate) name: Option<String>,
    pub(crate) account_type: AccountType,
    /// The professional account's id, `user_id` in the profile. Larger than 2^53, so a float would damage it.
    pub(crate) user_id: u64,
    /// The id that only this app sees, `id` in the profile.
    pub(crate) app_scoped_id: u64,
    pub(crate) biography: Option<String>,
    pub(crate) website: Option<String>,
    /// The hue of the avatar, in degrees. `None`: the account has no picture.
    pub(crate) picture_hue: Option<u16>,
    pub(crate) followers: Option<u64>,
    pub(crate) follows: Option<u64>,
    pub(crate) media: Option<u64>,
    /// False: the app may not act for this account.
    pub(crate) app_access: bool,
    /// The serial number of the last token issued for it. 0: none yet.
    pub(crate) last_token: u64,
    /// The last time that its tokens were killed.
    pub(crate) revocation: Option<Revocation>,
}

/// That an account's tokens up to a certain one are dead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revocation {
    /// The serial number of the last token that it killed.
    pub(crate) last_token: u64,
    /// The `error_subcode` that says why.
    pub(crate) subcode: i64,
}

impl Account {
    /// One of the account's two ids.
    pub(crate) fn id(&self, kind: UserIdKind) -> u64 {
        match kind {
            UserIdKind::AppScoped => self.app_scoped_id,
            UserIdKind::Professional => self.user_id,
        }
    }

    pub(crate) fn ids(&self) -> AccountIds {
        AccountIds { professional: self.user_id.to_string(), app_scoped: self.app_scoped_id.to_string() }
    }

    /// The subcode with which its tokens were killed, unless one was issued since.
    pub(crate) fn revoked(&self) -> Option<i64> {
        self.revocation.filter(|killed| killed.last_token >= self.last_token).map(|killed| killed.subcode)
    }
}

impl simulator_kit::Account for Account {
    type Change = AccountChange;

    fn username(&self) -> &str {
        &self.username
    }

    /// A Business account.
    fn added(username: String, number: u64) -> Self {
        Self {
            name: Some(format!("Account {number}")),
            account_type: AccountType::Business,
            user_id: ADDED_USER_ID + number,
            app_scoped_id: ADDED_APP_SCOPED_ID + 2 * number,
            biography: Some(format!("The {username} of a simulated world")),
            website: Some(format!("{username}.example")),
            picture_hue: Some(u16::try_from(number * 47 % 360).unwrap_or_default()),
            followers: Some(1_000 + number),
            follows: Some(100 + number % 400),
            media: Some(10 + number % 90),
            app_access: true,
            last_token: 0,
            revocation: None,
            username,
        }
    }

    fn change(&mut self, change: AccountChange) {
        self.followers = change.followers_count.or(self.followers);
        self.follows = change.follows_count.or(self.follows);
        self.media = change.media_count.or(self.media);
        self.app_access = change.app_access.unwrap_or(self.app_access);
    }

    fn describe(&self) -> Value {
        json!({
            "username": self.username,
            "name": self.name,
            "account_type": self.account_type.as_api(),
            "user_id": self.user_id.to_string(),
            "id": self.app_scoped_id.to_string(),
            "followers_count": self.followers,
            "follows_count": self.follows,
            "media_count": self.media,
            "app_access": self.app_access,
            "revoked": self.revoked(),
        })
    }
}

/// What the admin route can change of an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    followers_count: Option<u64>,
    follows_count: Option<u64>,
    media_count: Option<u64>,
    app_access: Option<bool>,
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The named accounts, in the order in which the consent page lists them.
pub(crate) fn made_up() -> Vec<Account> {
    vec![
        Account {
            username: RECORD_SHOP.to_owned(),
            name: text("Wreck Shop Records"),
            account_type: AccountType::Business,
            user_id: RECORD_SHOP_ID,
            app_scoped_id: 24_578_906_541_234_567,
            biography: text("Vinyl Records & Digital Beats"),
            website: text("wreckshop.com"),
            picture_hue: Some(16),
            followers: Some(15_420),
            follows: Some(823),
            media: Some(456),
            app_access: true,
            last_token: 0,
            revocation: None,
        },
        Account {
            username: CREATOR.to_owned(),
            name: text("Mara Lindqvist"),
            account_type: AccountType::Creator,
            user_id: 17_841_401_234_567_891,
            app_scoped_id: 24_578_906_541_234_569,
            biography: text("Watercolours, wet socks, Göteborg 🎨"),
            website: None,
            picture_hue: Some(200),
            followers: Some(1_204_377),
            follows: Some(310),
            media: Some(1_892),
            app_access: true,
            last_token: 0,
            revocation: None,
        },
        Account {
            username: PERSONAL.to_owned(),
            name: text("Sam Okafor"),
            account_type: AccountType::Personal,
            user_id: 17_841_402_000_000_003,
            app_scoped_id: 24_578_906_541_234_571,
            biography: None,
            website: None,
            picture_hue: Some(120),
            followers: Some(212),
            follows: Some(305),
            media: Some(48),
            app_access: true,
            last_token: 0,
            revocation: None,
        },
        Account {
            username: SPARSE.to_owned(),
            name: None,
            account_type: AccountType::Business,
            user_id: 17_841_403_000_000_007,
            app_scoped_id: 24_578_906_541_234_573,
            biography: None,
            website: None,
            picture_hue: None,
            followers: None,
            follows: None,
            media: None,
            app_access: true,
            last_token: 0,
            revocation: None,
        },
        Account {
            username: WITHOUT_ACCESS.to_owned(),
            name: text("Northwind Gallery"),
            account_type: AccountType::Business,
            user_id: 17_841_404_000_000_009,
            app_scoped_id: 24_578_906_541_234_575,
            biography: text("Prints and originals"),
            website: text("northwind.example"),
            picture_hue: Some(280),
            followers: Some(5_310),
            follows: Some(97),
            media: Some(233),
            app_access: false,
            last_token: 0,
            revocation: None,
        },
    ]
}
