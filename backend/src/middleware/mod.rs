//! What happens to every request and every answer.

mod finish;
mod guard;
mod request_id;

pub(crate) use finish::finish;
pub(crate) use guard::guard;
pub(crate) use request_id::RequestSpan;
