//! Middleware for every request and every answer.

mod finish;
mod guard;
mod limit;
mod measure;
mod overload;
mod request_id;

pub(crate) use finish::finish;
pub(crate) use guard::guard;
pub(crate) use limit::limit;
pub(crate) use measure::measure;
pub(crate) use overload::{Round, admit};
pub(crate) use request_id::RequestSpan;
