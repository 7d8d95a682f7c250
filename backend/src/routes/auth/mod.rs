//! `/auth/…`.

mod deletion_page;
pub(crate) mod instagram;
pub(in crate::routes) mod instagram_signals;
