//! Sentences that the service and the web app both say: the web app where there is no answer to carry them.

/// Said of a failure that the person can do nothing about.
pub const OUR_SIDE: &str = "Something went wrong on our side.";

/// Said of a sign-in link, to a provider or from a host, that does not work.
pub const STALE_LINK: &str = "This sign-in link is too old or was used already.";

/// Said of an address without a page or a route.
pub const NOTHING_HERE: &str = "There is nothing at this address.";
