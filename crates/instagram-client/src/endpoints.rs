//! The kinds of call that this client makes.

use upstream::{Endpoint, MAX_ANSWER, MAX_FORWARDED_ANSWER};

use crate::failure::judge;

pub(crate) const CODE: Endpoint = Endpoint { name: "code_exchange", max_body: MAX_ANSWER, judge };
pub(crate) const LONG_LIVED: Endpoint = Endpoint { name: "long_lived_exchange", ..CODE };
pub(crate) const REFRESH: Endpoint = Endpoint { name: "refresh", ..CODE };
pub(crate) const PROFILE: Endpoint = Endpoint { name: "profile", ..CODE };
pub(crate) const GRAPH: Endpoint = Endpoint { name: "graph", max_body: MAX_FORWARDED_ANSWER, judge };
