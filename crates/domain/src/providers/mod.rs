//! The services that accounts are connected from: a file for each, with what only it does.

pub(crate) mod instagram;
