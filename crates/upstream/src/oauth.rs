//! Token requests of the `oauth2` crate, sent by the one way out.

use oauth2::{HttpRequest, HttpResponse, RequestTokenError};

use crate::error::UpstreamError;
use crate::transport::{Endpoint, Transport};

/// The error for a token request of the `oauth2` crate that was sent by [`Transport::token_request`].
impl<E: oauth2::ErrorResponse> From<RequestTokenError<Self, E>> for UpstreamError {
    fn from(error: RequestTokenError<Self, E>) -> Self {
        match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::Parse(error, _) => error.into_inner().into(),
            // The transport lets only successes through, and the crate finds nothing else wrong but emptiness.
            RequestTokenError::ServerResponse(_) | RequestTokenError::Other(_) => {
                Self::unintelligible("an empty body")
            }
        }
    }
}

impl Transport {
    /// Sends a token request of the `oauth2` crate. What comes back is a success's body, without its headers, which say
    /// nothing that is believed.
    ///
    /// # Errors
    /// Those of [`Transport::call`].
    pub async fn token_request(
        &self,
        endpoint: &Endpoint,
        request: HttpRequest,
    ) -> Result<HttpResponse, UpstreamError> {
        let request = request
            .try_into()
            .map_err(|_| UpstreamError::Misconfigured { message: "invalid token URL".to_owned() })?;
        self.call(endpoint, request).await.map(HttpResponse::new)
    }
}
