//! Parts of a request: its body, its accepted types, the version known to the client, and the name by which
//! it can be repeated.

mod accept;
pub(crate) mod body;
mod carry_out;
pub(crate) mod etag;
pub(crate) mod idempotency;
mod route_pattern;

pub(crate) use accept::{is_navigation, prefers_html};
pub(crate) use body::{CallerAndBody, CallerAndParameters, FormBody, JsonBody};
pub(crate) use carry_out::carry_out;
pub(crate) use idempotency::{CutOff, Idempotency};
pub(crate) use route_pattern::{provider_pattern, told};
