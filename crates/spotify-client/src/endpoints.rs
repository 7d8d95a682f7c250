//! The kinds of call that this client makes.

use upstream::{Endpoint, MAX_ANSWER, MAX_FORWARDED_ANSWER};

use crate::failure;

pub(crate) const CODE: Endpoint =
    Endpoint { name: "code_exchange", max_body: MAX_ANSWER, judge: failure::judge_code };
pub(crate) const REFRESH: Endpoint =
    Endpoint { name: "refresh", max_body: MAX_ANSWER, judge: failure::judge_refresh };
pub(crate) const PROFILE: Endpoint =
    Endpoint { name: "profile", max_body: MAX_ANSWER, judge: failure::judge_profile };
pub(crate) const API: Endpoint =
    Endpoint { name: "api", max_body: MAX_FORWARDED_ANSWER, judge: failure::judge_api };
