//! `/api/integrations/…`: what a user has connected, with each provider.

pub(super) mod connections;
pub(super) mod overview;
pub(super) mod proxy;
pub(super) mod token;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest};
use domain::connections::{ConnectionOf, Connections};
use serde::Deserialize;
use shared::Provider;
use utoipa::IntoParams;

use crate::api_error::ApiError;
use crate::routes::query;
use crate::state::AppState;

/// The connection that an address is about: the provider and the user in its path, and the connection's id in its query.
pub(crate) struct Target {
    provider: Provider,
    /// As the path says it; `me` where it names none.
    user: String,
    id: Option<String>,
}

/// The part of a query that says which of a user's connections is meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct WhichConnection {
    /// Names one of the user's connections: the one in use when left out.
    #[param(max_length = 100)]
    connection_id: Option<String>,
}

#[derive(Deserialize)]
struct TargetPath {
    provider: Provider,
    #[serde(rename = "userId")]
    user_id: Option<String>,
}

impl Target {
    /// Names the connection, of the user that the caller was found to mean.
    fn of<'a>(&'a self, user_id: &'a str) -> ConnectionOf<'a> {
        ConnectionOf { user_id, id: self.id.as_deref() }
    }

    /// Returns the connections of the provider.
    fn connections<'a>(&self, state: &'a AppState) -> &'a Connections {
        state.connections.get(self.provider)
    }

    fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        let path = Path::<TargetPath>::extract(request).into_inner().map_err(|_| ApiError::not_found())?;
        let TargetPath { provider, user_id } = path.into_inner();
        let WhichConnection { connection_id } = query(request.query_string())?;
        let id = connection_id.filter(|id| !id.is_empty());
        Ok(Self { provider, user: user_id.unwrap_or_else(|| "me".to_owned()), id })
    }
}

impl FromRequest for Target {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}
