//! `/auth/…`.

pub(crate) mod connect;
mod deletion_page;
pub(in crate::routes) mod meta_callbacks;
