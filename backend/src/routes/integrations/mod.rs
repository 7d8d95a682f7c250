//! `/api/integrations/…`.

pub(super) mod instagram;
pub(super) mod instagram_proxy;
pub(super) mod instagram_token;
