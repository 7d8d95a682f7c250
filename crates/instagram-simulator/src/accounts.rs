//! The made-up people who have an account on the simulated Instagram. More can be added.
//!
//! The constants are user names, as the consent page shows them and as [`Consent`](crate::Consent) takes them.

use std::collections::HashMap;
use std::ops::{Index, IndexMut};

use crate::options::UserIdKind;

/// A Business account with every profile field set: the happy path.
pub const RECORD_SHOP: &str = "wreckshoprecords";
/// The professional id of [`RECORD_SHOP`].
pub(crate) const RECORD_SHOP_ID: u64 = 17_841_400_000_000_000;
/// A Creator account, which the API calls `MEDIA_CREATOR`. It has no website.
pub const CREATOR: &str = "mara.paints";
/// A personal account: it cannot grant the permissions, so consent comes back with an error.
pub const PERSONAL: &str = "just.sam";
/// A young Business account: no name, no picture, no biography, no website and no counts.
pub const SPARSE: &str = "brandnew_bakery";
/// A Business account for which the app may not act (Standard Access, not one of its testers). Consent succeeds; every
/// Graph call then fails with code 100, `IGApiException`.
pub const WITHOUT_ACCESS: &str = "northwind.gallery";

/// Number of accounts from the start. The consent page lists these alone, so that it stays a page.
pub(crate) const NAMED: usize = 5;

/// First ids of added accounts. Both are above 2^53, as real ones are.
const ADDED_USER_ID: u64 = 17_841_500_000_000_000;
const ADDED_APP_SCOPED_ID: u64 = 24_579_500_000_000_001;

/// The two ids of an account, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountIds {
    /// The professional account's id, `user_id` in the profile. It starts with 17841.
    pub professional: String,
    /// The id that only this app sees, `id` in the profile.
    pub app_scoped: String,
}

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
pub(crate) struct Account {
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

    /// A Business account with everything set, made from its number.
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
}

/// Every account, found by its place in the order of their making, or by its name.
#[derive(Debug)]
pub(crate) struct Accounts {
    list: Vec<Account>,
    by_username: HashMap<String, usize>,
}

/// Reasons why an account cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    InvalidUsername,
    Taken,
}

impl AddError {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::InvalidUsername => "username is 1 to 30 lower-case letters, digits, dots and underscores",
            Self::Taken => "there is an account of this name",
        }
    }
}

impl Accounts {
    /// The named ones.
    pub(crate) fn made_up() -> Self {
        let list = made_up();
        let by_username =
            list.iter().enumerate().map(|(place, account)| (account.username.clone(), place)).collect();
        Self { list, by_username }
    }

    /// Adds a Business account with a profile of its own.
    pub(crate) fn add(&mut self, username: &str) -> Result<&Account, AddError> {
        // The consent page and URLs hold user names as they are.
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_');
        if username.is_empty() || username.len() > 30 || !username.bytes().all(allowed) {
            return Err(AddError::InvalidUsername);
        }
        if self.by_username.contains_key(username) {
            return Err(AddError::Taken);
        }
        let place = self.list.len();
        self.by_username.insert(username.to_owned(), place);
        self.list.push(Account::added(username.to_owned(), place as u64));
        Ok(&self.list[place])
    }

    /// Returns the place of the account of this name.
    pub(crate) fn place(&self, username: &str) -> Option<usize> {
        self.by_username.get(username).copied()
    }

    pub(crate) fn all(&self) -> &[Account] {
        &self.list
    }
}

impl Index<usize> for Accounts {
    type Output = Account;

    fn index(&self, place: usize) -> &Account {
        &self.list[place]
    }
}

impl IndexMut<usize> for Accounts {
    fn index_mut(&mut self, place: usize) -> &mut Account {
        &mut self.list[place]
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The named accounts, in the order in which the consent page lists them.
fn made_up() -> Vec<Account> {
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
