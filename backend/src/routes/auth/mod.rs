//! `/auth/…`.

pub(super) mod instagram;
