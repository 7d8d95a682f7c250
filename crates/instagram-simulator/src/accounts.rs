//! The named people who have an account on the simulated Instagram. More can be added.
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

/// The two ids of an account, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountIds {
    /// The professional account's id, `user_id` in the profile. It starts with 17841.
    pub professional: String,
    /// The id that only this app sees, `id` in the profile.
    pub app_scoped: String,
}
