//! The made-up people who have an account on the simulated Instagram.
//!
//! The constants are user names, as the consent page shows them and as [`Consent`](crate::Consent) takes them.

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

/// What kind of account a person has. Only the professional kinds can grant permissions.
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
    pub(crate) username: &'static str,
    pub(crate) name: Option<&'static str>,
    pub(crate) account_type: AccountType,
    /// The professional account's id, `user_id` in the profile. Larger than 2^53, so a float would damage it.
    pub(crate) user_id: u64,
    /// The id that only this app sees, `id` in the profile.
    pub(crate) app_scoped_id: u64,
    pub(crate) biography: Option<&'static str>,
    pub(crate) website: Option<&'static str>,
    /// The hue of the avatar, in degrees. `None`: the account has no picture.
    pub(crate) picture_hue: Option<u16>,
    pub(crate) followers: Option<u64>,
    pub(crate) follows: Option<u64>,
    pub(crate) media: Option<u64>,
    /// False: the app may not act for this account.
    pub(crate) app_access: bool,
}

/// Every account, in the order in which the consent page lists them.
pub(crate) fn made_up() -> Vec<Account> {
    vec![
        Account {
            username: RECORD_SHOP,
            name: Some("Wreck Shop Records"),
            account_type: AccountType::Business,
            user_id: RECORD_SHOP_ID,
            app_scoped_id: 24_578_906_541_234_567,
            biography: Some("Vinyl Records & Digital Beats"),
            website: Some("wreckshop.com"),
            picture_hue: Some(16),
            followers: Some(15_420),
            follows: Some(823),
            media: Some(456),
            app_access: true,
        },
        Account {
            username: CREATOR,
            name: Some("Mara Lindqvist"),
            account_type: AccountType::Creator,
            user_id: 17_841_401_234_567_891,
            app_scoped_id: 24_578_906_541_234_569,
            biography: Some("Watercolours, wet socks, Göteborg 🎨"),
            website: None,
            picture_hue: Some(200),
            followers: Some(1_204_377),
            follows: Some(310),
            media: Some(1_892),
            app_access: true,
        },
        Account {
            username: PERSONAL,
            name: Some("Sam Okafor"),
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
        },
        Account {
            username: SPARSE,
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
        },
        Account {
            username: WITHOUT_ACCESS,
            name: Some("Northwind Gallery"),
            account_type: AccountType::Business,
            user_id: 17_841_404_000_000_009,
            app_scoped_id: 24_578_906_541_234_575,
            biography: Some("Prints and originals"),
            website: Some("northwind.example"),
            picture_hue: Some(280),
            followers: Some(5_310),
            follows: Some(97),
            media: Some(233),
            app_access: false,
        },
    ]
}
