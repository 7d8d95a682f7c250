//! `/api/integrations/…`.

pub(super) mod instagram;
