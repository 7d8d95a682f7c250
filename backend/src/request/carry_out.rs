//! Work that goes on when the client that asked for it hangs up.

use std::future::Future;

use actix_web::{HttpRequest, rt};
use tracing::Instrument;

use crate::api_error::ApiError;

/// Carries `work` out to its end, whatever becomes of the client. A handler is dropped at its next `await` when its client hangs
/// up, a page that is loaded again for instance: between two writes, that would spend a handle and save nothing.
///
/// The request stays counted as one in flight until then.
///
/// # Errors
/// Those of `work`.
pub(crate) async fn carry_out<T: 'static, E: Into<ApiError> + 'static>(
    request: &HttpRequest,
    work: impl Future<Output = Result<T, E>> + 'static,
) -> Result<T, ApiError> {
    let request = request.clone();
    let task = async move {
        let outcome = work.await.map_err(Into::into);
        drop(request);
        outcome
    };
    rt::spawn(task.in_current_span()).await.unwrap_or_else(|panicked| Err(ApiError::internal(panicked)))
}
