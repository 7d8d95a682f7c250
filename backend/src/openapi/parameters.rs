//! Parameters that many routes share.

use shared::Provider;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, Required};
use utoipa::{IntoParams, ToSchema};

use crate::request::idempotency;

/// The provider that a path names.
pub(crate) struct OfProvider;

impl IntoParams for OfProvider {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("provider")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("The provider of the account."))
            .schema(Some(Ref::from_schema_name(Provider::name())));
        vec![parameter.build()]
    }
}

/// The user whom a path names.
pub(crate) struct UserId;

impl IntoParams for UserId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(shared::validation::HOST_USER_ID_MAX))
            .examples(["me"]);
        let about = "About whom: `me` for the caller's own, else the user's id. A service key names a user of the \
                     host application by the host's own id, and has no `me`.";
        let parameter = ParameterBuilder::new()
            .name("userId")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}

/// The name that a client may give to a request.
pub(crate) struct IdempotencyKey;

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(idempotency::KEY_MAX))
            .pattern(Some("^[!-~]+$"));
        let about = "Names the request, so that it can be repeated: for 24 hours the same request under the same name is answered \
                     with what the first one came to, and with `Idempotent-Replayed: true`. Another request under that name is \
                     `validation_failed`; while the first one runs, the answer is `unavailable`. What failed is not kept.";
        let parameter = ParameterBuilder::new()
            .name(idempotency::KEY_HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}
