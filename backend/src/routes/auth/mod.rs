//! `/auth/…`.

pub(crate) mod instagram;
